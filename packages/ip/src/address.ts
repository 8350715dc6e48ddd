import { Address6 } from "ip-address";
import { AddressError } from "./error.ts";

/** The IP version. */
export type Family = 4 | 6;

/** Width of an address in bits. */
export const WIDTH = { 4: 32, 6: 128 } as const satisfies Record<Family, number>;

const DECIMAL_OCTETS = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/**
 * One IPv4 or IPv6 address: a value, immutable, without zone or prefix length.
 *
 * `bytes` is in network order, 4 or 16 octets, and must not be written to.
 */
export class Address {
  readonly family: Family;
  readonly bytes: Uint8Array;
  #text: string | undefined;

  private constructor(family: Family, bytes: Uint8Array) {
    this.family = family;
    this.bytes = bytes;
  }

  /**
   * Reads dotted-decimal IPv4 (no leading zeros: `010.0.0.1` is octal to some readers and decimal to others, so it is refused)
   * or any RFC 4291 §2.2 form of IPv6.
   *
   * @throws AddressError
   */
  static parse(text: string): Address {
    return text.includes(":") ? new Address(6, parseIPv6(text)) : new Address(4, parseIPv4(text));
  }

  /** As {@link parse}, but `undefined` instead of an error. */
  static tryParse(text: string): Address | undefined {
    try {
      return Address.parse(text);
    } catch (error) {
      if (error instanceof AddressError) return undefined;
      throw error;
    }
  }

  /**
   * Takes 4 or 16 octets in network order; they are copied.
   *
   * @throws AddressError on any other count
   */
  static fromBytes(bytes: Uint8Array): Address {
    if (bytes.length !== 4 && bytes.length !== 16)
      throw new AddressError(`${bytes.length} octets`, "are no address: IPv4 has 4, IPv6 has 16");
    return new Address(bytes.length === 4 ? 4 : 6, new Uint8Array(bytes));
  }

  /**
   * The address whose value is `value`.
   *
   * @throws AddressError when it does not fit the family
   */
  static fromBigInt(family: Family, value: bigint): Address {
    if (value < 0n || value >> BigInt(WIDTH[family]) !== 0n)
      throw new AddressError(value.toString(), `is outside the IPv${family} address space`);
    const bytes = new Uint8Array(WIDTH[family] / 8);
    let rest = value;
    for (let i = bytes.length - 1; i >= 0; i--) {
      bytes[i] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    return new Address(family, bytes);
  }

  toBigInt(): bigint {
    let value = 0n;
    for (const byte of this.bytes) value = (value << 8n) | BigInt(byte);
    return value;
  }

  /**
   * The address `offset` after (or, if negative, before) this one.
   *
   * @throws AddressError when that leaves the address space
   */
  plus(offset: bigint | number): Address {
    return Address.fromBigInt(this.family, this.toBigInt() + BigInt(offset));
  }

  equals(other: Address): boolean {
    return this.family === other.family && compareBytes(this.bytes, other.bytes) === 0;
  }

  /** Orders IPv4 before IPv6, then by value: negative, zero or positive as in `Array.sort`. */
  compare(other: Address): number {
    return this.family - other.family || compareBytes(this.bytes, other.bytes);
  }

  /** 127.0.0.0/8 or ::1 (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
  get isLoopback(): boolean {
    return this.family === 4 ? this.bytes[0] === 127 : this.toBigInt() === 1n;
  }

  /** 169.254.0.0/16 or fe80::/10 (RFC 3927, RFC 4291 §2.5.6). */
  get isLinkLocal(): boolean {
    const [a = 0, b = 0] = this.bytes;
    return this.family === 4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80;
  }

  /** 224.0.0.0/4 or ff00::/8. */
  get isMulticast(): boolean {
    const first = this.bytes[0] ?? 0;
    return this.family === 4 ? first >> 4 === 0xe : first === 0xff;
  }

  /** 0.0.0.0 or ::. */
  get isUnspecified(): boolean {
    return this.bytes.every((byte) => byte === 0);
  }

  /** Canonical text: dotted decimal, or RFC 5952. */
  toString(): string {
    this.#text ??= this.family === 4 ? this.bytes.join(".") : formatIPv6(this.bytes);
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** An address with the interface that a link-local address needs (`fe80::1%br-mesh`, RFC 4007 §11). */
export interface ScopedAddress {
  readonly address: Address;
  readonly zone: string | undefined;
}

/**
 * Reads an address that may carry a zone; only IPv6 link-local addresses may.
 *
 * @throws AddressError
 */
export function parseScoped(text: string): ScopedAddress {
  const percent = text.indexOf("%");
  if (percent < 0) return { address: Address.parse(text), zone: undefined };
  const address = Address.parse(text.slice(0, percent));
  const zone = text.slice(percent + 1);
  if (address.family !== 6 || !address.isLinkLocal)
    throw new AddressError(text, "has a zone, which only an IPv6 link-local address may have");
  if (!/^[^\s/%]{1,15}$/.test(zone)) throw new AddressError(text, "has a zone that is no interface name");
  return { address, zone };
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function parseIPv4(text: string): Uint8Array {
  const octets = DECIMAL_OCTETS.exec(text)?.slice(1);
  if (octets === undefined) throw new AddressError(text, "is no IP address");
  if (octets.some((octet) => octet.length > 1 && octet.startsWith("0")))
    throw new AddressError(text, "has an octet with a leading zero, which some read as octal; write it without");
  if (octets.some((octet) => Number(octet) > 255)) throw new AddressError(text, "has an octet over 255");
  return Uint8Array.from(octets, Number);
}

function parseIPv6(text: string): Uint8Array {
  // The library also takes zones, prefix lengths and embedded IPv4 with leading zeros; those are not addresses here.
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) throw new AddressError(text, "is no IP address");
  const embedded = text.includes(".") ? text.slice(text.lastIndexOf(":") + 1) : undefined;
  if (embedded !== undefined) parseIPv4(embedded);
  if (!Address6.isValid(text)) throw new AddressError(text, "is no IP address");
  const bytes = Uint8Array.from(new Address6(text).toUnsignedByteArray());
  const full = new Uint8Array(16);
  full.set(bytes, 16 - bytes.length);
  return full;
}

function formatIPv6(bytes: Uint8Array): string {
  const text = Address6.fromUnsignedByteArray([...bytes]).correctForm();
  // RFC 5952 §5: the IPv4-mapped prefix is well known, so its last 32 bits are written in dotted decimal.
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? `::ffff:${bytes.subarray(12).join(".")}` : text;
}
