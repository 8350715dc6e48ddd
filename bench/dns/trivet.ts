// The server under test: `trivet.ts ZONEFILE WORKERS`, bundled as in a release (servers.ts).
import { readFileSync } from "node:fs";
import { DnsServer, Name, Zone, ZoneStore, readZoneFile } from "@trivet/dns";
import { ORIGIN, PORT } from "./zone.ts";

const [path = "", workers = "1"] = process.argv.slice(2);
const origin = Name.parse(ORIGIN);
const store = new ZoneStore();
store.replace(Zone.build(origin, readZoneFile(readFileSync(path, "utf8"), { origin, path })));
const server = new DnsServer(
  store,
  {
    listen: [{ address: "127.0.0.1", port: PORT }],
    workers: Number(workers),
    rateLimit: false,
    transfers: [{ from: ["127.0.0.0/8"] }],
  },
  { workerUrl: new URL("dns-worker.js", import.meta.url) },
);
await server.start();
