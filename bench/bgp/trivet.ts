// The speaker of this project with COUNT routes: `trivet.ts FAMILY COUNT`. Says "ready" when they are announced.
import { Speaker } from "@trivet/bgp";
import type { Family } from "@trivet/ip";
import { prefixes } from "./routes.ts";
import { SINK_AS, SPEAKER_AS, sinkAddresses, speakerAddress } from "./session.ts";

const family = Number(process.argv[2]) as Family;
const count = Number(process.argv[3]);

const speaker = new Speaker({
  asn: SPEAKER_AS,
  routerId: "192.0.2.1",
  listen: [{ address: speakerAddress(family) }],
  peers: sinkAddresses(family).map((address) => ({ address, asn: SINK_AS, passive: true })),
});
speaker.announce(prefixes(family, count).map((prefix) => ({ prefix })));
await speaker.start();
console.log("ready");
