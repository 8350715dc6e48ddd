// A peer that only counts: `sink.ts LOCAL REMOTE FAMILY COUNT` connects to a speaker, agrees on one family, and prints as JSON how
// long after the session is Established it has COUNT prefixes. It finds messages by their length and prefixes by theirs, keeps
// nothing, and reads into one buffer, so that the speaker is what is measured.
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { SINK_AS } from "./session.ts";

const [local = "", remote = "", family = "4", count = "0"] = process.argv.slice(2);
const wanted = Number(count);
const HEADER = 19;
const MP_REACH = 14;

const keepalive = Buffer.from(`${"ff".repeat(16)}001304`, "hex");
/** AS, hold time 180, id 192.0.2.99; multiprotocol, route refresh, four-octet AS. */
const open = (() => {
  const asn = SINK_AS.toString(16).padStart(4, "0");
  const capabilities = `0104000${family === "4" ? 1 : 2}0001020041040000${asn}`;
  const octets = capabilities.length / 2;
  const body = `04${asn}00b4c0000263${(octets + 2).toString(16).padStart(2, "0")}02${octets.toString(16).padStart(2, "0")}${capabilities}`;
  return Buffer.from(`${"ff".repeat(16)}${(HEADER + body.length / 2).toString(16).padStart(4, "0")}01${body}`, "hex");
})();

interface Result {
  readonly milliseconds: number;
  readonly octets: number;
  readonly updates: number;
}

/** @returns undefined when the speaker does not take the session yet */
async function attempt(): Promise<Result | undefined> {
  return await new Promise((resolve, reject) => {
    // What is left of a message that has not come whole; chunks are read behind it.
    const buffer = Buffer.allocUnsafeSlow(1 << 20);
    let pending = Buffer.alloc(0);
    let [established, keepaliveCame, opened] = [0, false, false];
    let [prefixes, octets, updates] = [0, 0, 0];

    const message = (bytes: Uint8Array, start: number, end: number): void => {
      const type = bytes[start + 18];
      if (type === 1) {
        socket.write(keepalive);
        opened = true;
        established = performance.now();
      } else if (type === 4) {
        if (!keepaliveCame) established = Math.max(established, performance.now());
        keepaliveCame = true;
      } else if (type === 2) {
        updates++;
        prefixes += countUpdate(bytes, start + HEADER, end);
        if (prefixes >= wanted) {
          resolve({ milliseconds: performance.now() - established, octets, updates });
          socket.destroy();
        }
      } else if (type === 3 && opened) {
        reject(
          new Error(
            `the speaker ended the session: ${Buffer.from(bytes.subarray(start + HEADER, end)).toString("hex")}`,
          ),
        );
        socket.destroy();
      }
    };
    const read = (bytes: Uint8Array): number => {
      let at = 0;
      while (at + HEADER <= bytes.length) {
        const length = ((bytes[at + 16] ?? 0) << 8) | (bytes[at + 17] ?? 0);
        if (at + length > bytes.length) break;
        message(bytes, at, at + length);
        at += length;
      }
      return at;
    };
    const socket = connect({
      host: remote,
      port: 179,
      localAddress: local,
      onread: {
        buffer,
        callback: (length) => {
          octets += length;
          const chunk =
            pending.length === 0 ? buffer.subarray(0, length) : Buffer.concat([pending, buffer.subarray(0, length)]);
          pending = Buffer.from(chunk.subarray(read(chunk)));
          return true;
        },
      },
    });
    socket.setNoDelay(true);
    socket.on("connect", () => socket.write(open));
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => resolve(undefined));
  });
}

function countUpdate(bytes: Uint8Array, start: number, end: number): number {
  const withdrawn = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
  let at = start + 2 + withdrawn;
  const attributesEnd = at + 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  let found = countPrefixes(bytes, attributesEnd, end);
  for (at += 2; at < attributesEnd;) {
    const extended = ((bytes[at] ?? 0) & 0x10) !== 0;
    const type = bytes[at + 1];
    const length = extended ? ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0) : (bytes[at + 2] ?? 0);
    const value = at + (extended ? 4 : 3);
    at = value + length;
    if (type === MP_REACH) found += countPrefixes(bytes, value + 4 + (bytes[value + 3] ?? 0) + 1, at);
  }
  return found;
}

function countPrefixes(bytes: Uint8Array, start: number, end: number): number {
  let found = 0;
  for (let at = start; at < end; at += 1 + (((bytes[at] ?? 0) + 7) >> 3)) found++;
  return found;
}

/** The counting is compiled before it counts. */
function warmUp(): void {
  const classic = new Uint8Array(4096);
  const multiprotocol = Uint8Array.from(
    Buffer.from(`0000 0fec 900e 0fe8 000201 10 ${"00".repeat(17)}`.replaceAll(" ", ""), "hex"),
  );
  const update = new Uint8Array(4096);
  update.set(multiprotocol);
  for (let i = 0; i < 300; i++) if (countUpdate(classic, 0, 4096) + countUpdate(update, 0, 4080) === 0) return;
}

warmUp();
let result: Result | undefined;
while (result === undefined) {
  result = await attempt();
  if (result === undefined) await pause(200);
}
console.log(JSON.stringify(result));
