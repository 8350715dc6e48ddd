import { RecordError, WireError } from "../error.ts";
import { RCODE, TYPE } from "./codes.ts";
import { type Token, Tokens, decode, encode, parseInteger } from "./field.ts";
import { Name } from "./name.ts";
import { Reader } from "./reader.ts";
import { RECORD_TYPES, type RecordType } from "./types.ts";
import { Writer } from "./writer.ts";
import { copyOf } from "./copy.ts";

const LAYOUTS = new Map<number, RecordType>(RECORD_TYPES.map((layout) => [layout.type, layout]));
const WITH_NAMES = new Map([...LAYOUTS].filter(([, layout]) => layout.fields.some((field) => field.isName)));

/** Data is made here, one record at a time, before its length is known. */
const SCRATCH = new Writer();

/** The most data a record of a zone may have: a message must hold it with a question and a signature around it. */
export const MAX_RDATA = 64_000;

/**
 * Reads the data of a record out of a message: checks its layout and undoes compression. Data of unknown types is taken as it
 * is (RFC 3597 §3). The result shares no memory with the message.
 *
 * @throws WireError
 */
export function readRdata(type: number, message: Uint8Array, start: number, length: number): Uint8Array {
  const end = start + length;
  if (end > message.length) throw new WireError("a record runs over the end of the message");
  const layout = LAYOUTS.get(type);
  if (layout === undefined) return copyOf(message, start, end);
  const from = new Reader(message, start, end);
  const to = SCRATCH;
  to.reset();
  for (const field of layout.fields) field.copy(from, to);
  if (from.left > 0) throw new WireError("a record's data is longer than its type allows", RCODE.FORMERR);
  return to.written.slice();
}

/** Writes stored data, with names compressed where that is allowed. */
export function writeRdata(type: number, rdata: Uint8Array, to: Writer): void {
  const layout = WITH_NAMES.get(type);
  if (layout === undefined || !layout.compresses) {
    to.bytes(rdata);
    return;
  }
  // The types that compress are names, with 16-bit or 32-bit numbers before or after: their octets are copied as they are.
  let at = layout.fields[0]?.isName ? 0 : 2;
  if (at > 0) to.bytes(rdata.subarray(0, at));
  for (const field of layout.fields) {
    if (!field.isName) continue;
    to.nameAt(rdata, at);
    while ((rdata[at] ?? 0) !== 0) at += (rdata[at] ?? 0) + 1;
    at++;
  }
  if (at < rdata.length) to.bytes(rdata.subarray(at));
}

/** The text form of stored data. */
export function rdataText(type: number, rdata: Uint8Array): string {
  const layout = LAYOUTS.get(type);
  if (layout === undefined) return `\\# ${rdata.length}${rdata.length === 0 ? "" : ` ${encode(rdata, "hex")}`}`;
  const from = new Reader(rdata);
  return layout.fields
    .map((field) => field.print(from))
    .filter((text) => text !== "")
    .join(" ");
}

/**
 * Reads the text form of a record's data: that of its type, or `\# LENGTH HEX` (RFC 3597 §5), which any type may have.
 *
 * @param origin completes relative names
 * @throws RecordError
 */
export function parseRdata(type: number, words: readonly Token[], origin: Name): Uint8Array {
  const layout = LAYOUTS.get(type);
  const tokens = new Tokens(words, origin);
  if (words[0]?.text === "\\#" && !words[0].quoted) {
    tokens.next("\\#");
    const length = parseInteger(tokens.next("the length of the data").text, 0xffff);
    const rdata = decode(tokens.rest(), "hex");
    if (rdata.length !== length) throw new RecordError(tokens.toString(), `has ${rdata.length} octets, not ${length}`);
    return checked(type, rdata, tokens);
  }
  if (layout === undefined)
    throw new RecordError(tokens.toString(), "needs the form `\\# LENGTH HEX`, as its type is unknown");
  const to = SCRATCH;
  to.reset();
  for (const field of layout.fields) field.parse(tokens, to);
  if (tokens.left > 0) throw new RecordError(tokens.toString(), "has more than its type takes");
  return checked(type, to.written.slice(), tokens);
}

function checked(type: number, rdata: Uint8Array, tokens: Tokens): Uint8Array {
  if (rdata.length > MAX_RDATA)
    throw new RecordError(tokens.toString().slice(0, 40), `has more than ${MAX_RDATA} octets`);
  try {
    return readRdata(type, rdata, 0, rdata.length);
  } catch (error) {
    if (error instanceof WireError) throw new RecordError(tokens.toString(), `is malformed: ${error.message}`);
    throw error;
  }
}

/** Equal for equal data: names in it compare without case (RFC 4034 §6.2). */
export function rdataKey(type: number, rdata: Uint8Array): string {
  const layout = WITH_NAMES.get(type);
  if (layout === undefined) return Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length).toString("latin1");
  const from = new Reader(rdata);
  let key = "";
  const scratch = new Writer();
  for (const field of layout.fields) {
    if (field.isName) key += from.name().key;
    else {
      scratch.reset();
      field.copy(from, scratch);
      key += Buffer.from(scratch.written).toString("latin1");
    }
  }
  return key;
}

/** The name in the data of an NS, CNAME, PTR, DNAME, MX or SRV record: what an answer may need the address of, or leads on to. */
export function targetOf(type: number, rdata: Uint8Array): Name {
  const skip = type === TYPE.SRV ? 6 : type === TYPE.MX ? 2 : 0;
  return Name.fromWire(rdata.subarray(skip));
}

/** The data of a SOA record (RFC 1035 §3.3.13); times are in seconds. */
export interface Soa {
  readonly mname: Name;
  readonly rname: Name;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

export function readSoa(rdata: Uint8Array): Soa {
  const from = new Reader(rdata);
  return {
    mname: from.name(),
    rname: from.name(),
    serial: from.u32(),
    refresh: from.u32(),
    retry: from.u32(),
    expire: from.u32(),
    minimum: from.u32(),
  };
}

export function soaRdata(soa: Soa): Uint8Array {
  const to = new Writer();
  to.bytes(soa.mname.wire);
  to.bytes(soa.rname.wire);
  for (const value of [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum]) to.u32(value);
  return to.written.slice();
}

/** The data of a TXT record: each text becomes strings of up to 255 octets. */
export function txtRdata(...texts: readonly string[]): Uint8Array {
  const to = new Writer();
  for (const text of texts) {
    const octets = Buffer.from(text, "utf8");
    for (let at = 0; at === 0 || at < octets.length; at += 255) {
      const part = octets.subarray(at, at + 255);
      to.u8(part.length);
      to.bytes(part);
    }
  }
  return to.written.slice();
}

/** Serial number arithmetic (RFC 1982): whether `a` is newer than `b`. */
export function isNewer(a: number, b: number): boolean {
  return a !== b && (a - b) >>> 0 < 0x80000000;
}
