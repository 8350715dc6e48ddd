import type { PrefixTable } from "./prefix-table.ts";

const LONGEST = 17;

/** Encoded prefixes, one after the other. */
export class NlriBytes {
  #buffer = new Uint8Array(64);
  #length = 0;

  /** Adds the rows from `from` up to `to`. */
  add(table: PrefixTable, from: number, to: number): void {
    const needed = this.#length + LONGEST * (to - from);
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.#buffer.length, needed));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#length = table.writeNlri(from, to, this.#buffer, this.#length);
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
