import { CLASS } from "./codes.ts";
import type { Token } from "./field.ts";
import { parseType, typeText } from "./mnemonic.ts";
import { Name } from "./name.ts";
import { parseRdata, rdataText, readRdata, writeRdata } from "./rdata.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A resource record of class IN. `rdata` is in wire form, with names uncompressed; it must not be written to. */
export interface ResourceRecord {
  readonly name: Name;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  readonly rdata: Uint8Array;
}

/**
 * A record from its text form: `record("www.example.org.", 300, "AAAA", "2001:db8::1")`.
 *
 * @param data as in a zone file; names in it need their final dot, quoted strings their quotes
 * @throws RecordError
 */
export function record(name: Name | string, ttl: number, mnemonic: string, data: string): ResourceRecord {
  const type = parseType(mnemonic);
  const words: Token[] = [...data.matchAll(/"((?:\\.|[^"\\])*)"|(?:="(?:\\.|[^"\\])*"|\S)+/g)].map(
    ([text, quoted]) => ({
      text: quoted ?? text,
      quoted: quoted !== undefined,
    }),
  );
  return {
    name: typeof name === "string" ? Name.parse(name) : name,
    type,
    ttl,
    rdata: parseRdata(type, words, Name.root),
  };
}

/** One line of a zone file. */
export function recordText({ name, type, ttl, rdata }: ResourceRecord): string {
  return `${name.toString()} ${ttl} IN ${typeText(type)} ${rdataText(type, rdata)}`.trimEnd();
}

/** A record as messages carry it: of any class. */
export interface MessageRecord extends ResourceRecord {
  readonly class: number;
}

/** @throws WireError */
export function readRecord(from: Reader): MessageRecord {
  const name = from.name();
  const type = from.u16();
  const klass = from.u16();
  const ttl = from.u32();
  const length = from.u16();
  const start = from.at;
  from.take(length);
  // Without data, as in the prerequisites of an UPDATE, there is no layout to check.
  const rdata = length === 0 ? new Uint8Array() : readRdata(type, from.bytes, start, length);
  return { name, type, class: klass, ttl, rdata };
}

export function writeRecord(to: Writer, { name, type, ttl, rdata }: ResourceRecord, klass: number = CLASS.IN): void {
  to.name(name);
  to.u16(type);
  to.u16(klass);
  to.u32(ttl);
  const lengthAt = to.at;
  to.u16(0);
  writeRdata(type, rdata, to);
  to.patch16(lengthAt, to.at - lengthAt - 2);
}
