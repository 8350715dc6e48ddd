import type { PrefixTable } from "./prefix-table.ts";

const LONGEST = 17;

/** Encoded prefixes, one after the other. */
export class NlriBytes {
  #buffer = new Uint8Array(64);
  #length = 0;

  add(table: PrefixTable, row: number): void {
    if (this.#length + LONGEST > this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#length = table.writeNlri(row, this.#buffer, this.#length);
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
