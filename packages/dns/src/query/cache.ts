import { foldOctet } from "../wire/name.ts";
import type { Prepared } from "./prepared.ts";
import type { Query } from "./query.ts";

/** Octets of a message before the question's name. */
const NAME_AT = 12;
const LEAST = 65_536;
const LEAST_SLOTS = 1024;

// An entry, in words of 16 bits: hash (two), type, bits, three counts, the needed additionals, the lengths of the name, of the body
// and of its needed part. The name, in lower case, and the body follow.
const HEADER = 22;

/**
 * Answers that were given before, by name and type, as one block of octets with a hash table of offsets: objects would take ten
 * times the memory. Only names that exist are kept, so strangers cannot fill it with others; when it is full it starts anew.
 */
export class AnswerCache {
  readonly #limit: number;
  #bytes = new Uint8Array(0);
  #words = new DataView(this.#bytes.buffer);
  #end = 0;
  /** Offsets, counted from 1; 0 is a free slot. */
  #slots = new Uint32Array(0);
  #count = 0;
  /** What {@link get} returns, every time. */
  readonly #found: { -readonly [K in keyof Prepared]: Prepared[K] } = {
    bits: 0,
    answers: 0,
    authorities: 0,
    additionals: 0,
    body: this.#bytes,
    start: 0,
    length: 0,
    neededLength: 0,
    neededAdditionals: 0,
    exists: true,
  };

  /** @param limit octets */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns an answer that is valid until the next call */
  get(message: Uint8Array, query: Query): Prepared | undefined {
    if (this.#count === 0) return undefined;
    const mask = this.#slots.length - 1;
    for (let slot = query.hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] ?? 0;
      if (entry === 0) return undefined;
      if (this.#matches(entry - 1, message, query)) return this.#read(entry - 1);
    }
  }

  set(message: Uint8Array, query: Query, prepared: Prepared): void {
    const nameLength = query.nameEnd - NAME_AT;
    // Entries begin at even offsets.
    const size = (HEADER + nameLength + prepared.length + 1) & ~1;
    if (this.#end + size > this.#limit) this.clear();
    if (size > this.#limit) return;
    this.#room(size);
    const [at, words] = [this.#end, this.#words];
    words.setUint32(at, query.hash);
    words.setUint16(at + 4, query.type);
    words.setUint16(at + 6, prepared.bits);
    words.setUint16(at + 8, prepared.answers);
    words.setUint16(at + 10, prepared.authorities);
    words.setUint16(at + 12, prepared.additionals);
    words.setUint16(at + 14, prepared.neededAdditionals);
    words.setUint16(at + 16, nameLength);
    words.setUint16(at + 18, prepared.length);
    words.setUint16(at + 20, prepared.neededLength);
    const name = at + HEADER;
    for (let i = 0; i < nameLength; i++) this.#bytes[name + i] = foldOctet(message[NAME_AT + i] ?? 0);
    this.#bytes.set(prepared.body.subarray(prepared.start, prepared.start + prepared.length), name + nameLength);
    this.#end += size;
    this.#count++;
    this.#enter(at, query.hash);
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    if (this.#count === 0) return;
    this.#bytes = new Uint8Array(0);
    this.#words = new DataView(this.#bytes.buffer);
    this.#slots = new Uint32Array(0);
    this.#end = 0;
    this.#count = 0;
  }

  #matches(at: number, message: Uint8Array, query: Query): boolean {
    const [bytes, words] = [this.#bytes, this.#words];
    if (words.getUint32(at) !== query.hash || words.getUint16(at + 4) !== query.type) return false;
    const length = query.nameEnd - NAME_AT;
    if (words.getUint16(at + 16) !== length) return false;
    const name = at + HEADER;
    for (let i = 0; i < length; i++) if (bytes[name + i] !== foldOctet(message[NAME_AT + i] ?? 0)) return false;
    return true;
  }

  #read(at: number): Prepared {
    const [found, words] = [this.#found, this.#words];
    found.bits = words.getUint16(at + 6);
    found.answers = words.getUint16(at + 8);
    found.authorities = words.getUint16(at + 10);
    found.additionals = words.getUint16(at + 12);
    found.neededAdditionals = words.getUint16(at + 14);
    found.body = this.#bytes;
    found.start = at + HEADER + words.getUint16(at + 16);
    found.length = words.getUint16(at + 18);
    found.neededLength = words.getUint16(at + 20);
    return found;
  }

  #room(size: number): void {
    const need = this.#end + size;
    if (need > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#limit, Math.max(LEAST, need, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#end));
      this.#bytes = grown;
      this.#words = new DataView(grown.buffer);
    }
    // At most half of the slots are taken, so that a search is short.
    if (this.#count * 2 < this.#slots.length) return;
    const before = this.#slots;
    this.#slots = new Uint32Array(Math.max(LEAST_SLOTS, before.length * 2));
    for (const entry of before) if (entry !== 0) this.#enter(entry - 1, this.#words.getUint32(entry - 1));
  }

  #enter(at: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = at + 1;
  }
}
