import { EncodeError } from "../error.ts";

/** The 16-bit number at `offset`; octets past the end read as 0, so callers check lengths first. */
export function readU16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

/** The 32-bit number at `offset`, unsigned. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return ((readU16(bytes, offset) << 16) | readU16(bytes, offset + 2)) >>> 0;
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >> 8;
  bytes[offset + 1] = value & 0xff;
}

/** Octets in network order, in a buffer that grows. Every number is checked against its field. */
export class OctetWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  u8(value: number): this {
    return this.#number(value, 1);
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u32(value: number): this {
    return this.#number(value, 4);
  }

  u64(value: bigint): this {
    if (value < 0n || value >> 64n !== 0n) throw new EncodeError(`${value} does not fit 64 bits`);
    return this.u32(Number(value >> 32n)).u32(Number(value & 0xffff_ffffn));
  }

  bytes(octets: Uint8Array): this {
    this.#reserve(octets.length);
    this.#bytes.set(octets, this.#length);
    this.#length += octets.length;
    return this;
  }

  #number(value: number, octets: 1 | 2 | 4): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * octets))
      throw new EncodeError(`${value} does not fit ${8 * octets} bits`);
    this.#reserve(octets);
    for (let i = octets - 1; i >= 0; i--) this.#bytes[this.#length++] = (value >>> (8 * i)) & 0xff;
    return this;
  }

  #reserve(octets: number): void {
    if (this.#length + octets <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#length + octets));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
