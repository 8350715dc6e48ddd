import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { Family } from "@trivet/ip";
import { nlri } from "./routes.ts";

const TABLE_DUMP_V2 = 13;
const PEER_INDEX_TABLE = 1;
const RIB = { 4: 2, 6: 4 } as const;

/** `gobgp mrt inject` exits before the server has taken all; what is lost is the last prefix, again and again. */
const PADDING = 5000;

/** A routing table as an MRT file (RFC 6396 §4.3), which is how GoBGP takes many routes. */
export async function writeMrt(path: string, family: Family, count: number, nextHop: Uint8Array): Promise<void> {
  const out = createWriteStream(path, { highWaterMark: 1 << 20 });
  const record = (subtype: number, body: Buffer): Buffer => {
    const header = Buffer.alloc(12);
    header.writeUInt16BE(TABLE_DUMP_V2, 4);
    header.writeUInt16BE(subtype, 6);
    header.writeUInt32BE(body.length, 8);
    return Buffer.concat([header, body]);
  };
  // Collector 192.0.2.1, no view name, one peer: type 2 (four-octet AS), id and address 192.0.2.1, AS 64500.
  out.write(record(PEER_INDEX_TABLE, Buffer.from("c00002010000000102c0000201c00002010000fbf4", "hex")));
  // IPv6: MP_REACH_NLRI whole, not in the short form of RFC 6396 §4.3.4, which GoBGP 3.10 does not read.
  const hop =
    family === 4
      ? Buffer.concat([Buffer.from("400304", "hex"), nextHop])
      : Buffer.concat([Buffer.from("800e1500020110", "hex"), nextHop, Buffer.alloc(1)]);
  const attributes = Buffer.concat([Buffer.from("40010100400200", "hex"), hop]);
  const bytes = nlri(family, count);
  const size = bytes.length / count;
  for (let n = 0; n < count + PADDING; n++) {
    const i = Math.min(n, count - 1);
    const entry = Buffer.alloc(4 + size + 2 + 8);
    entry.writeUInt32BE(n, 0);
    entry.set(bytes.subarray(i * size, (i + 1) * size), 4);
    entry.writeUInt16BE(1, 4 + size);
    entry.writeUInt16BE(attributes.length, entry.length - 2);
    if (!out.write(record(RIB[family], Buffer.concat([entry, attributes])))) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}
