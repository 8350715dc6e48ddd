import { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";

/** Octets of a record besides its name and data: type, TTL, length. */
const FIXED = 8;

/** Records as one block of octets, for handing them to another thread or writing them down. */
export function encodeRecords(records: Iterable<ResourceRecord>): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(65_536);
  let view = new DataView(bytes.buffer);
  let at = 0;
  for (const { name, type, ttl, rdata } of records) {
    const need = at + name.wire.length + FIXED + rdata.length;
    if (need > bytes.length) {
      const grown = new Uint8Array(Math.max(need, bytes.length * 2));
      grown.set(bytes);
      bytes = grown;
      view = new DataView(bytes.buffer);
    }
    bytes.set(name.wire, at);
    at += name.wire.length;
    view.setUint16(at, type);
    view.setUint32(at + 2, ttl);
    view.setUint16(at + 6, rdata.length);
    bytes.set(rdata, at + FIXED);
    at += FIXED + rdata.length;
  }
  return bytes.slice(0, at);
}

/** Undoes {@link encodeRecords}. The records share the block's memory. */
export function* decodeRecords(bytes: Uint8Array): Generator<ResourceRecord> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < bytes.length) {
    let end = at;
    while (bytes[end] !== 0) end += (bytes[end] ?? 0) + 1;
    const name = Name.fromWire(bytes.subarray(at, end + 1));
    at = end + 1;
    const length = view.getUint16(at + 6);
    const rdata = bytes.subarray(at + FIXED, at + FIXED + length);
    yield { name, type: view.getUint16(at), ttl: view.getUint32(at + 2), rdata };
    at += FIXED + length;
  }
}
