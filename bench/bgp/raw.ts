// The floor: a socket that is written octets which were made beforehand: `raw.ts FAMILY COUNT`.
import { createServer } from "node:net";
import { INITIAL_CONTEXT, encodeAttributes, encodeMessage, packAnnouncements } from "@trivet/bgp";
import { Address, type Family } from "@trivet/ip";
import { nlri } from "./routes.ts";
import { SPEAKER_AS, speakerAddress } from "./session.ts";

const family = Number(process.argv[2]) as Family;
const count = Number(process.argv[3]);
const context = { ...INITIAL_CONTEXT, fourOctetAs: true };
const address = Address.parse(speakerAddress(family));

const block = encodeAttributes(
  { origin: "igp", asPath: [{ kind: "sequence", asns: [SPEAKER_AS] }] },
  { address },
  family,
  context,
);
const updates = [...packAnnouncements(block, nlri(family, count), context)];
const identifier = Address.parse("192.0.2.1");
const capabilities = [{ kind: "four-octet-as", asn: SPEAKER_AS } as const];
const open = encodeMessage({ kind: "open", asn: SPEAKER_AS, holdTime: 180, identifier, capabilities }, context);
const keepalive = encodeMessage({ kind: "keepalive" }, context);

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.write(open);
  socket.write(keepalive);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    // The sink's KEEPALIVE is the last of what it sends.
    if (!chunk.subarray(-keepalive.length).equals(keepalive)) return;
    socket.cork();
    for (const update of updates) socket.write(update);
    socket.uncork();
  });
});
server.listen(179, address.toString(), () => console.log("ready"));
