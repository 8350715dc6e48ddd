import { type Family, Prefix } from "@trivet/ip";

/** Every prefix of an NLRI field (RFC 4271 §4.3); `undefined` when an entry is too long or cut short. */
export function readPrefixes(field: Uint8Array, family: Family): Prefix[] | undefined {
  const prefixes: Prefix[] = [];
  for (let offset = 0; offset < field.length;) {
    const entry = Prefix.readNlri(field, offset, family);
    if (entry === undefined) return undefined;
    prefixes.push(entry.prefix);
    offset = entry.end;
  }
  return prefixes;
}

/** Encoded prefixes, one after the other, in a buffer that grows. */
export class NlriBuffer {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** Adds a prefix in its NLRI encoding (RFC 4271 §4.3). */
  add(prefix: Prefix): void {
    const octets = (prefix.length + 7) >> 3;
    if (this.#length + 1 + octets > this.#bytes.length) this.#grow();
    this.#bytes[this.#length++] = prefix.length;
    const { bytes } = prefix.address;
    for (let i = 0; i < octets; i++) this.#bytes[this.#length++] = bytes[i] ?? 0;
  }

  /** What was added so far: a view, valid until the next `add`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(): void {
    const grown = new Uint8Array(2 * this.#bytes.length);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
