// A host beyond the providers that has a name and IPv4 only: `world.ts HTTP-ADDRESS HTTP-PORT DNS-ADDRESS`. It tells, a line each, when
// it is ready and from which address each request comes.
import { createServer } from "node:http";
import { DnsServer, Name, Zone, ZoneStore, record } from "@trivet/dns";

const [address = "", port = "", resolver = ""] = process.argv.slice(2);
const zones = new ZoneStore();
const origin = Name.parse("world.example.");
zones.replace(
  Zone.build(origin, [
    record(origin, 60, "SOA", "ns.world.example. admin.world.example. 1 3600 900 604800 60"),
    record(origin, 60, "NS", "ns.world.example."),
    record("ns.world.example.", 60, "AAAA", resolver),
    record("old.world.example.", 60, "A", address),
    record("both.world.example.", 60, "A", address),
    record("both.world.example.", 60, "AAAA", resolver),
  ]),
);
await new DnsServer(zones, { listen: [{ address: resolver, port: 53 }] }).start();
createServer((request, response) => {
  process.stdout.write(`${request.socket.remoteAddress ?? ""}\n`);
  response.end("Here is IPv4 only.\n");
}).listen({ host: address, port: Number(port) }, () => process.stdout.write("ready\n"));
