import { Writer } from "../wire/writer.ts";
import { writeRecord } from "../wire/record.ts";
import type { Zone } from "../zone/zone.ts";

/** Where a message's question begins, and what follows its name. */
const QUESTION = 12;
const TYPE_AND_CLASS = 4;
/** Octets of a record between its name and its data. */
const FIXED = 10;

interface Template {
  /** The SOA record behind a question for the zone's own name. */
  readonly body: Uint8Array;
  /** Where compression pointers are. */
  readonly pointers: readonly number[];
}

const TEMPLATES = new WeakMap<Zone, Template>();

/**
 * The body of a negative answer (RFC 2308 §3), which is the zone's SOA record. Floods of random names get nothing else, so it is
 * made once: its pointers lead to the zone's name in the question or into the record itself, and both are as much further back as
 * the question's name is longer than the zone's.
 */
export function negativeBody(zone: Zone, nameLength: number): Uint8Array {
  let template = TEMPLATES.get(zone);
  if (template === undefined) {
    template = make(zone);
    TEMPLATES.set(zone, template);
  }
  const body = template.body.slice();
  const shift = nameLength - zone.origin.wire.length;
  if (shift === 0) return body;
  for (const at of template.pointers) {
    const pointer = ((body[at] ?? 0) << 8) + (body[at + 1] ?? 0) + shift;
    body[at] = pointer >>> 8;
    body[at + 1] = pointer;
  }
  return body;
}

function make(zone: Zone): Template {
  const to = new Writer();
  to.at = QUESTION;
  to.name(zone.origin);
  to.at += TYPE_AND_CLASS;
  const start = to.at;
  writeRecord(to, zone.negativeSoa);
  const body = to.written.slice(start);
  const pointers: number[] = [];
  const afterOwner = skipName(body, 0, pointers);
  const afterMname = skipName(body, afterOwner + FIXED, pointers);
  skipName(body, afterMname, pointers);
  return { body, pointers };
}

function skipName(body: Uint8Array, start: number, pointers: number[]): number {
  let at = start;
  for (let length = body[at] ?? 0; length !== 0; length = body[at] ?? 0) {
    if (length >= 0xc0) {
      pointers.push(at);
      return at + 2;
    }
    at += length + 1;
  }
  return at + 1;
}
