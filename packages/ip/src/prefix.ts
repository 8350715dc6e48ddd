import { Address, type Family, WIDTH, compareBytes } from "./address.ts";
import { AddressError } from "./error.ts";

/**
 * A network prefix: a value, immutable. All bits of `address` past `length` are zero.
 */
export class Prefix {
  readonly address: Address;
  readonly length: number;
  #text: string | undefined;

  private constructor(address: Address, length: number) {
    this.address = address;
    this.length = length;
  }

  /**
   * Reads `ADDRESS/LENGTH`. Set host bits are an error: `192.0.2.1/24` is an interface's address, see {@link parseInterface}.
   *
   * @throws AddressError
   */
  static parse(text: string): Prefix {
    const { address, prefix } = parseInterface(text);
    if (!address.equals(prefix.address))
      throw new AddressError(text, `has host bits set; the network is ${prefix.toString()}`);
    return prefix;
  }

  /** As {@link parse}, but `undefined` instead of an error. */
  static tryParse(text: string): Prefix | undefined {
    try {
      return Prefix.parse(text);
    } catch (error) {
      if (error instanceof AddressError) return undefined;
      throw error;
    }
  }

  /**
   * The prefix of `length` bits that holds `address`; host bits are cleared.
   *
   * @throws AddressError when the length does not fit the family
   */
  static of(address: Address, length: number): Prefix {
    if (!Number.isInteger(length) || length < 0 || length > WIDTH[address.family])
      throw new AddressError(`${address.toString()}/${length}`, `has a length outside 0 to ${WIDTH[address.family]}`);
    return new Prefix(masked(address, length), length);
  }

  /** The prefix that is just this address: /32 or /128. */
  static host(address: Address): Prefix {
    return new Prefix(address, WIDTH[address.family]);
  }

  /**
   * Reads one NLRI entry, `<length in bits, fewest octets>` (RFC 4271 §4.3, RFC 4760 §5), at `offset`.
   * Bits past the length are "irrelevant" there and are cleared.
   *
   * @returns the prefix and the offset after it; `undefined` when the entry is cut short or its length is too great
   */
  static readNlri(bytes: Uint8Array, offset: number, family: Family): { prefix: Prefix; end: number } | undefined {
    const length = bytes[offset];
    if (length === undefined || length > WIDTH[family]) return undefined;
    const end = offset + 1 + ((length + 7) >> 3);
    if (end > bytes.length) return undefined;
    const full = new Uint8Array(WIDTH[family] / 8);
    for (let i = offset + 1; i < end; i++) full[i - offset - 1] = bytes[i] ?? 0;
    if ((length & 7) !== 0) full[end - offset - 2] = (bytes[end - 1] ?? 0) & (0xff00 >> (length & 7));
    return { prefix: new Prefix(Address.fromBytes(full), length), end };
  }

  get family(): Family {
    return this.address.family;
  }

  /** The NLRI encoding: see {@link readNlri}. */
  toNlri(): Uint8Array {
    const octets = (this.length + 7) >> 3;
    const bytes = new Uint8Array(1 + octets);
    bytes[0] = this.length;
    bytes.set(this.address.bytes.subarray(0, octets), 1);
    return bytes;
  }

  /** True when this is a single address. */
  get isHost(): boolean {
    return this.length === WIDTH[this.family];
  }

  /** The last address in the prefix (for IPv4, its broadcast address). */
  get last(): Address {
    return this.address.plus(this.size - 1n);
  }

  /** The count of addresses. */
  get size(): bigint {
    return 1n << BigInt(WIDTH[this.family] - this.length);
  }

  /** True when the address, or every address of the prefix, lies in this one. */
  contains(other: Address | Prefix): boolean {
    const address = other instanceof Prefix ? other.address : other;
    const length = other instanceof Prefix ? other.length : WIDTH[other.family];
    return address.family === this.family && length >= this.length && samePrefix(address, this.address, this.length);
  }

  overlaps(other: Prefix): boolean {
    return this.contains(other) || other.contains(this);
  }

  /**
   * The address at `offset` in this prefix (0 is the network address).
   *
   * @throws AddressError when the prefix is too small
   */
  at(offset: bigint | number): Address {
    const index = BigInt(offset);
    if (index < 0n || index >= this.size)
      throw new AddressError(this.toString(), `has no address number ${index} (it holds ${this.size})`);
    return this.address.plus(index);
  }

  /**
   * The subnets of `length` bits, in order, lazily.
   *
   * @throws AddressError when `length` is shorter than this prefix or longer than an address
   */
  *subnets(length: number): Generator<Prefix> {
    if (length < this.length)
      throw new AddressError(this.toString(), `is smaller than a /${length} and cannot be split into such`);
    const step = 1n << BigInt(WIDTH[this.family] - length);
    const count = 1n << BigInt(length - this.length);
    for (let i = 0n; i < count; i++) yield Prefix.of(this.address.plus(i * step), length);
  }

  equals(other: Prefix): boolean {
    return this.length === other.length && this.address.equals(other.address);
  }

  /** Orders by family, then address, then the shorter prefix first. */
  compare(other: Prefix): number {
    return this.address.compare(other.address) || this.length - other.length;
  }

  /** Canonical text, usable as a map key. */
  toString(): string {
    this.#text ??= `${this.address.toString()}/${this.length}`;
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** An address as an interface carries it, with the prefix it is on: `192.0.2.1/24`. */
export interface InterfaceAddress {
  readonly address: Address;
  readonly prefix: Prefix;
}

/**
 * Reads `ADDRESS/LENGTH` where host bits may be set.
 *
 * @throws AddressError
 */
export function parseInterface(text: string): InterfaceAddress {
  const slash = text.indexOf("/");
  if (slash < 0) throw new AddressError(text, "has no prefix length; write it as ADDRESS/LENGTH");
  const address = Address.parse(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(length)) throw new AddressError(text, "has a prefix length that is no plain number");
  return { address, prefix: Prefix.of(address, Number(length)) };
}

function masked(address: Address, length: number): Address {
  const bytes = new Uint8Array(address.bytes);
  const whole = length >> 3;
  if (whole < bytes.length) {
    bytes[whole] = (bytes[whole] ?? 0) & (0xff00 >> (length & 7)) & 0xff;
    bytes.fill(0, whole + 1);
  }
  return compareBytes(bytes, address.bytes) === 0 ? address : Address.fromBytes(bytes);
}

function samePrefix(a: Address, b: Address, length: number): boolean {
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  const mask = (0xff00 >> (length & 7)) & 0xff;
  return mask === 0 || ((a.bytes[whole] ?? 0) & mask) === ((b.bytes[whole] ?? 0) & mask);
}
