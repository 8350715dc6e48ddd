/** The last octets of a stream, of which there may be any number. */
export class Tail {
  /** Octets that came before and were not kept. */
  cut = 0;
  readonly #most: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  /** @param most octets to keep */
  constructor(most: number) {
    this.#most = most;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    for (let first = this.#chunks[0]; first !== undefined && this.#length > this.#most; first = this.#chunks[0]) {
      const over = Math.min(first.length, this.#length - this.#most);
      this.cut += over;
      this.#length -= over;
      if (over === first.length) this.#chunks.shift();
      // A copy, so that what is cut off is not kept in memory.
      else this.#chunks[0] = Buffer.from(first.subarray(over));
    }
  }

  toString(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
