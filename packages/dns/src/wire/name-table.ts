import { foldOctet } from "./name.ts";

/** Pointers have 14 bits (RFC 1035 §4.1.4). */
const MAX_POINTER = 0x3fff;
const SLOTS = 4096;
const MASK = SLOTS - 1;

/**
 * Where the names of a message, and all their suffixes, were first written: an open hash table over the octets. Strings as keys
 * would take longer than everything else an answer needs.
 */
export class NameTable {
  readonly #offsets = new Uint16Array(SLOTS);
  readonly #hashes = new Uint32Array(SLOTS);
  /** Slots in the order they were taken. */
  readonly #used = new Uint16Array(SLOTS / 2);
  #count = 0;
  /** Octets of the name at hand without the root's. */
  #length = 0;
  readonly #starts = new Uint8Array(128);
  readonly #suffixes = new Uint32Array(128);

  /**
   * Finds the longest suffix of a name that is in the message, and notes the longer ones, which are about to be written.
   *
   * @param wire holds the name from `start` on, without compression
   * @param message so far, and `at` where the name will begin
   * @returns how many octets to write before the pointer, and the pointer; no pointer (0) when the root ends the name
   */
  place(wire: Uint8Array, start: number, message: Uint8Array, at: number): { literal: number; pointer: number } {
    const count = this.#hashSuffixes(wire, start);
    for (let i = 0; i < count; i++) {
      const hash = this.#suffixes[i] ?? 0;
      const from = start + (this.#starts[i] ?? 0);
      let slot = hash & MASK;
      for (; this.#offsets[slot] !== 0; slot = (slot + 1) & MASK) {
        const offset = this.#offsets[slot] ?? 0;
        if (this.#hashes[slot] === hash && sameName(wire, from, message, offset))
          return { literal: from - start, pointer: offset };
      }
      const offset = at + from - start;
      if (offset <= MAX_POINTER && this.#count < this.#used.length) {
        this.#offsets[slot] = offset;
        this.#hashes[slot] = hash;
        this.#used[this.#count++] = slot;
      }
    }
    return { literal: this.#length, pointer: 0 };
  }

  /** Forgets names from `offset` on. The youngest go first, so that no chain of slots breaks. */
  rewind(offset: number): void {
    while (this.#count > 0) {
      const slot = this.#used[this.#count - 1] ?? 0;
      if ((this.#offsets[slot] ?? 0) < offset) return;
      this.#offsets[slot] = 0;
      this.#count--;
    }
  }

  /** Splits the name into labels and hashes every suffix, the shortest first. @returns the count of labels */
  #hashSuffixes(wire: Uint8Array, start: number): number {
    let count = 0;
    let at = start;
    for (let length = wire[at] ?? 0; length !== 0; length = wire[at] ?? 0) {
      this.#starts[count++] = at - start;
      at += length + 1;
    }
    this.#length = at - start;
    let hash = 0x811c9dc5;
    for (let i = count - 1; i >= 0; i--) {
      const from = start + (this.#starts[i] ?? 0);
      for (let j = from + (wire[from] ?? 0); j >= from; j--)
        hash = Math.imul(hash ^ foldOctet(wire[j] ?? 0), 0x01000193) >>> 0;
      this.#suffixes[i] = (hash ^ (hash >>> 15)) >>> 0;
    }
    return count;
  }
}

function sameName(wire: Uint8Array, start: number, message: Uint8Array, offset: number): boolean {
  let i = start;
  let at = offset;
  for (;;) {
    const length = message[at] ?? 0;
    if (length >= 0xc0) {
      at = ((length & 0x3f) << 8) | (message[at + 1] ?? 0);
      continue;
    }
    if (wire[i] !== length) return false;
    if (length === 0) return true;
    for (let j = 1; j <= length; j++) if (foldOctet(wire[i + j] ?? 0) !== foldOctet(message[at + j] ?? 0)) return false;
    i += length + 1;
    at += length + 1;
  }
}
