// Two BFD endpoints in one process, ten sessions between them over loopback: waits until all are up, says so, and, told to end on
// standard input, prints how often a session left Up, and why their threads have no real-time priority if they have none.
import { once } from "node:events";
import { BfdEndpoint } from "@trivet/bfd";

const SESSIONS = 10;
const pace = { transmitInterval: 50, receiveInterval: 50, multiplier: 3 };

const ends = [new BfdEndpoint(), new BfdEndpoint()] as const;
let [up, flaps] = [0, 0];
const allUp = new Promise<void>((resolve) => {
  for (const end of ends)
    end.on("state", ({ state }, from) => {
      if (state === "Up" && ++up === 2 * SESSIONS) resolve();
      if (from === "Up") flaps++;
    });
});
for (const end of ends) await end.start();
const numbers = Array.from({ length: SESSIONS }, (_, i) => i);
const [left, right] = [(i: number) => `127.94.9.${1 + i}`, (i: number) => `127.94.9.${100 + i}`];
await ends[0].setSessions(numbers.map((i) => ({ peer: right(i), local: left(i), ...pace })));
await ends[1].setSessions(numbers.map((i) => ({ peer: left(i), local: right(i), ...pace })));
await allUp;
console.log("up");
await once(process.stdin, "data");
console.log(JSON.stringify({ flaps, ordinary: ends[0].ordinaryPriority ?? null }));
process.stdin.unref();
for (const end of ends) end.removeAllListeners();
await Promise.all(ends.map(async (end) => await end.stop()));
