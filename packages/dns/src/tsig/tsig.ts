import { createHmac, timingSafeEqual } from "node:crypto";
import { WireError } from "../error.ts";
import { CLASS, RCODE, rcodeText } from "../wire/codes.ts";
import type { Name } from "../wire/name.ts";
import { Writer } from "../wire/writer.ts";
import type { TsigKey } from "./key.ts";
import {
  type Signature,
  appendSignature,
  findSignature,
  readSignature,
  withoutSignature,
  writeTime,
} from "./signature.ts";

/** Seconds (RFC 8945 §10). */
const FUDGE = 300;
/** RFC 8945 §5.3.1: at most 99 messages of a stream may go unsigned between two signed ones. */
const MAX_UNSIGNED = 99;

/** Keys by {@link Name.key}. */
export type Keyring = ReadonlyMap<string, TsigKey>;

export function keyring(keys: readonly TsigKey[]): Keyring {
  return new Map(keys.map((key) => [key.name.key, key]));
}

/** A query whose signature is good. */
export interface Verified {
  readonly key: TsigKey;
  readonly mac: Uint8Array;
}

/** A query whose signature is not. `error` is what the answer's TSIG record says (RFC 8945 §5.2). */
export interface Rejected {
  readonly error: number;
  readonly signature: Signature;
  /** Known when the key was: a BADTIME or BADTRUNC answer is signed. */
  readonly verified: Verified | undefined;
}

/**
 * Checks the signature of a query.
 *
 * @param at where its TSIG record begins
 * @param now seconds since 1970
 * @throws WireError when the record is malformed
 */
export function verifyQuery(message: Uint8Array, at: number, keys: Keyring, now: number): Verified | Rejected {
  const signature = readSignature(message, at);
  const key = keys.get(signature.keyName.key);
  if (key === undefined || !key.algorithmName.equals(signature.algorithm))
    return { error: RCODE.BADKEY, signature, verified: undefined };
  const { size } = key.hash;
  if (signature.mac.length > size || signature.mac.length < Math.max(10, size / 2))
    throw new WireError("a TSIG record with a MAC of impossible length");
  const mac = hmac(key, [withoutSignature(message, at, signature.originalId), variables(signature)]);
  if (!timingSafeEqual(mac.subarray(0, signature.mac.length), signature.mac))
    return { error: RCODE.BADSIG, signature, verified: undefined };
  const verified = { key, mac: signature.mac };
  if (Math.abs(now - signature.time) > signature.fudge) return { error: RCODE.BADTIME, signature, verified };
  if (signature.mac.length < size) return { error: RCODE.BADTRUNC, signature, verified };
  return verified;
}

/** Signs a query; the MAC is needed to check the answer. */
export function signQuery(message: Uint8Array, key: TsigKey, now: number): { message: Uint8Array; mac: Uint8Array } {
  const unsigned = blank(key, message, now);
  const mac = hmac(key, [message, variables(unsigned)]);
  return { message: appendSignature(message, { ...unsigned, mac }), mac };
}

/** The answer to a query that was rejected (RFC 8945 §5.2): NOTAUTH must already be its RCODE. */
export function signRejection(message: Uint8Array, { error, signature, verified }: Rejected, now: number): Uint8Array {
  const id = ((message[0] ?? 0) << 8) | (message[1] ?? 0);
  if (verified === undefined)
    return appendSignature(message, {
      ...signature,
      mac: new Uint8Array(),
      originalId: id,
      error,
      other: new Uint8Array(),
    });
  const other = new Writer();
  if (error === RCODE.BADTIME) writeTime(other, Math.floor(now));
  // §5.2.3: the time is the client's, so that it can check the signature; ours is in "other data".
  const time = error === RCODE.BADTIME ? signature.time : Math.floor(now);
  const unsigned: Signature = {
    ...signature,
    time,
    mac: new Uint8Array(),
    originalId: id,
    error,
    other: other.written,
  };
  const mac = hmac(verified.key, [prefixed(verified.mac), message, variables(unsigned)]);
  return appendSignature(message, { ...unsigned, mac });
}

/** Signs the answer to one query: one message, or a stream of them (RFC 8945 §5.3.1). */
export class ResponseSigner {
  readonly #key: TsigKey;
  #mac: Uint8Array;
  #first = true;

  constructor({ key, mac }: Verified) {
    this.#key = key;
    this.#mac = mac;
  }

  sign(message: Uint8Array, now: number): Uint8Array {
    const unsigned = blank(this.#key, message, now);
    const tail = this.#first ? variables(unsigned) : timers(unsigned);
    this.#mac = hmac(this.#key, [prefixed(this.#mac), message, tail]);
    this.#first = false;
    return appendSignature(message, { ...unsigned, mac: this.#mac });
  }
}

/** Checks the answer to a signed query: one message, or a stream in which some may be unsigned (RFC 8945 §5.3.1). */
export class ResponseVerifier {
  readonly #key: TsigKey;
  #mac: Uint8Array;
  #pending: Uint8Array[] = [];
  #first = true;

  /** @param mac of the query */
  constructor(key: TsigKey, mac: Uint8Array) {
    this.#key = key;
    this.#mac = mac;
  }

  /**
   * @param now seconds since 1970
   * @throws WireError when the signature is missing or wrong; its text says which
   */
  verify(message: Uint8Array, now: number): void {
    const at = findSignature(message);
    if (at === undefined) {
      if (this.#first || this.#pending.length >= MAX_UNSIGNED) throw new WireError("the answer is not signed");
      this.#pending.push(message);
      return;
    }
    const signature = readSignature(message, at);
    if (!signature.keyName.equals(this.#key.name) || !signature.algorithm.equals(this.#key.algorithmName))
      throw new WireError("the answer is signed with another key");
    if (signature.error !== 0 && signature.mac.length === 0)
      throw new WireError(`the server rejected the signature: ${tsigError(signature.error)}`);
    const bare = withoutSignature(message, at, signature.originalId);
    const tail = this.#first ? variables(signature) : timers(signature);
    const mac = hmac(this.#key, [prefixed(this.#mac), ...this.#pending, bare, tail]);
    if (signature.mac.length !== mac.length || !timingSafeEqual(mac, signature.mac))
      throw new WireError("the answer's signature is wrong");
    if (signature.error !== 0) throw new WireError(`the server rejected the signature: ${tsigError(signature.error)}`);
    if (Math.abs(now - signature.time) > signature.fudge) throw new WireError("the answer's signature is too old");
    this.#mac = mac;
    this.#pending = [];
    this.#first = false;
  }

  /** @throws WireError when the stream ended with messages that no signature covers */
  finish(): void {
    if (this.#pending.length > 0) throw new WireError("the answer's last message is not signed");
  }
}

export function tsigError(error: number): string {
  return error === RCODE.BADSIG ? "BADSIG" : rcodeText(error);
}

function blank(key: TsigKey, message: Uint8Array, now: number): Signature {
  return {
    keyName: key.name,
    algorithm: key.algorithmName,
    time: Math.floor(now),
    fudge: FUDGE,
    mac: new Uint8Array(),
    originalId: ((message[0] ?? 0) << 8) | (message[1] ?? 0),
    error: 0,
    other: new Uint8Array(),
  };
}

function hmac(key: TsigKey, parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac(key.hash.hash, key.secret);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** RFC 8945 §4.3.1: an earlier MAC is digested with its length. */
function prefixed(mac: Uint8Array): Uint8Array {
  return Uint8Array.of(mac.length >> 8, mac.length & 0xff, ...mac);
}

/** RFC 8945 §4.3.3. */
function variables({ keyName, algorithm, time, fudge, error, other }: Signature): Uint8Array {
  const to = new Writer();
  to.bytes(lowered(keyName));
  to.u16(CLASS.ANY);
  to.u32(0);
  to.bytes(lowered(algorithm));
  writeTime(to, time);
  to.u16(fudge);
  to.u16(error);
  to.u16(other.length);
  to.bytes(other);
  return to.written;
}

function timers({ time, fudge }: Signature): Uint8Array {
  const to = new Writer();
  writeTime(to, time);
  to.u16(fudge);
  return to.written;
}

function lowered(name: Name): Uint8Array {
  return Buffer.from(name.key, "latin1");
}
