import { WireError } from "../error.ts";
import { CLASS, TYPE } from "../wire/codes.ts";
import type { Name } from "../wire/name.ts";
import { Reader } from "../wire/reader.ts";
import { Writer } from "../wire/writer.ts";
import { copyOf } from "../wire/copy.ts";

/** The content of a TSIG record (RFC 8945 §4.2). */
export interface Signature {
  readonly keyName: Name;
  readonly algorithm: Name;
  /** Seconds since 1970. */
  readonly time: number;
  /** Seconds of clock difference that are allowed. */
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly other: Uint8Array;
}

/**
 * Reads the TSIG record at `at`, which must be the last of the message.
 *
 * @throws WireError
 */
export function readSignature(message: Uint8Array, at: number): Signature {
  const from = new Reader(message, at);
  const keyName = from.name();
  const type = from.u16();
  const klass = from.u16();
  const ttl = from.u32();
  if (type !== TYPE.TSIG || klass !== CLASS.ANY || ttl !== 0) throw new WireError("a malformed TSIG record");
  const length = from.u16();
  if (length !== from.left) throw new WireError("a TSIG record that is not the last");
  const algorithm = from.name();
  const signature = {
    keyName,
    algorithm,
    time: from.u16() * 0x1_0000_0000 + from.u32(),
    fudge: from.u16(),
    mac: from.take(from.u16()),
    originalId: from.u16(),
    error: from.u16(),
    other: from.take(from.u16()),
  };
  if (from.left > 0) throw new WireError("a TSIG record with octets left over");
  return signature;
}

/** The message with the signature as its last record. */
export function appendSignature(message: Uint8Array, signature: Signature): Uint8Array {
  const to = new Writer(0xffff, new Uint8Array(message.length + 160));
  to.bytes(message);
  to.bytes(signature.keyName.wire);
  to.u16(TYPE.TSIG);
  to.u16(CLASS.ANY);
  to.u32(0);
  const lengthAt = to.at;
  to.u16(0);
  to.bytes(signature.algorithm.wire);
  writeTime(to, signature.time);
  to.u16(signature.fudge);
  to.u16(signature.mac.length);
  to.bytes(signature.mac);
  to.u16(signature.originalId);
  to.u16(signature.error);
  to.u16(signature.other.length);
  to.bytes(signature.other);
  to.patch16(lengthAt, to.at - lengthAt - 2);
  to.patch16(10, ((message[10] ?? 0) << 8) + (message[11] ?? 0) + 1);
  return to.written;
}

/** The message as it was when it was signed: without the record, and with its first id (RFC 8945 §4.3.2). */
export function withoutSignature(message: Uint8Array, at: number, originalId: number): Uint8Array {
  const bare = new Writer(0xffff, copyOf(message, 0, at));
  bare.at = at;
  bare.patch16(0, originalId);
  bare.patch16(10, ((message[10] ?? 0) << 8) + (message[11] ?? 0) - 1);
  return bare.written;
}

export function writeTime(to: Writer, seconds: number): void {
  to.u16(Math.floor(seconds / 0x1_0000_0000));
  to.u32(seconds >>> 0);
}

/** Where the last record of a message begins when it is a TSIG record. */
export function findSignature(message: Uint8Array): number | undefined {
  const from = new Reader(message);
  from.take(4);
  const [questions, ...others] = [from.u16(), from.u16(), from.u16(), from.u16()];
  for (let i = 0; i < questions; i++) {
    from.name();
    from.u32();
  }
  const records = others.reduce((sum, count) => sum + count, 0);
  for (let i = 0; i < records; i++) {
    const start = from.at;
    from.name();
    const type = from.u16();
    from.take(6);
    from.take(from.u16());
    if (type === TYPE.TSIG) {
      if (i < records - 1) throw new WireError("a TSIG record that is not the last");
      return start;
    }
  }
  return undefined;
}
