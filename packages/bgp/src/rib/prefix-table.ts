import { Address, type Family, Prefix, WIDTH } from "@trivet/ip";

const INITIAL_ROWS = 64;
/** Unknown to peers, so that none can choose prefixes that collide. */
const SEED = Math.trunc(Math.random() * 0x1_0000_0000);

/**
 * Prefixes of one family with two numbers each, in flat arrays: 26 octets an IPv4 row and 38 an IPv6 one at worst, where a Map of
 * objects takes hundreds. Rows are numbered from 0 without gaps, so that a table is walked in the order of memory; removing a row
 * moves the last one into its place. A key is the NLRI encoding, zero-padded: what is sent is copied from it as it stands.
 */
export class PrefixTable {
  readonly family: Family;
  size = 0;
  /** For the owner of the table; 0 in a new row. */
  value: Uint32Array = new Uint32Array(INITIAL_ROWS);
  /** For the owner of the table; 0 in a new row. */
  previous: Uint32Array = new Uint32Array(INITIAL_ROWS);
  /** For the owner of the table; 0 in a new row. */
  flags: Uint8Array = new Uint8Array(INITIAL_ROWS);
  /** Octets of a key. */
  readonly #stride: number;
  #keys: Uint8Array;
  /** Open addressing with linear probing; row + 1, or 0. At most half full. */
  #slots = new Int32Array(INITIAL_ROWS * 2);
  readonly #probe: Uint8Array;

  constructor(family: Family) {
    this.family = family;
    this.#stride = 1 + WIDTH[family] / 8;
    this.#keys = new Uint8Array(INITIAL_ROWS * this.#stride);
    this.#probe = new Uint8Array(this.#stride);
  }

  /** The row of a prefix, or -1. */
  find(prefix: Prefix): number {
    this.#load(prefix);
    return (this.#slots[this.#slotOf(this.#probe, 0)] as number) - 1;
  }

  /** The row of a prefix, which is added if need be. */
  add(prefix: Prefix): number {
    this.#load(prefix);
    return this.#add(this.#probe, 0);
  }

  /** As `find`, for the prefix of another table's row. */
  findRow(other: PrefixTable, row: number): number {
    return (this.#slots[this.#slotOf(other.#keys, row * this.#stride)] as number) - 1;
  }

  /** As `add`, for the prefix of another table's row. */
  addRow(other: PrefixTable, row: number): number {
    return this.#add(other.#keys, row * this.#stride);
  }

  /** Removes a row; the last row takes its number. */
  remove(row: number): void {
    this.#vacate(this.#slotOf(this.#keys, row * this.#stride));
    const last = --this.size;
    if (row !== last) {
      this.#slots[this.#slotOf(this.#keys, last * this.#stride)] = row + 1;
      this.#keys.copyWithin(row * this.#stride, last * this.#stride, (last + 1) * this.#stride);
      this.value[row] = this.value[last] as number;
      this.previous[row] = this.previous[last] as number;
      this.flags[row] = this.flags[last] as number;
    }
    this.value[last] = 0;
    this.previous[last] = 0;
    this.flags[last] = 0;
  }

  prefixAt(row: number): Prefix {
    const start = row * this.#stride;
    const address = Address.fromBytes(this.#keys.subarray(start + 1, start + this.#stride));
    return Prefix.of(address, this.#keys[start] as number);
  }

  /** Writes the NLRI encoding of the rows up to `to`. @returns the offset after it; room for 17 octets a row must be there */
  writeNlri(from: number, to: number, target: Uint8Array, offset: number): number {
    const keys = this.#keys;
    const stride = this.#stride;
    let at = offset;
    for (let start = from * stride; start < to * stride; start += stride) {
      const octets = 1 + (((keys[start] as number) + 7) >> 3);
      for (let i = 0; i < octets; i++) target[at++] = keys[start + i] as number;
    }
    return at;
  }

  #load(prefix: Prefix): void {
    this.#probe[0] = prefix.length;
    this.#probe.set(prefix.address.bytes, 1);
  }

  #add(bytes: Uint8Array, offset: number): number {
    if (this.size === this.value.length) this.#grow();
    const slot = this.#slotOf(bytes, offset);
    const present = this.#slots[slot] as number;
    if (present > 0) return present - 1;
    const row = this.size++;
    const start = row * this.#stride;
    for (let i = 0; i < this.#stride; i++) this.#keys[start + i] = bytes[offset + i] as number;
    this.#slots[slot] = row + 1;
    return row;
  }

  /** The slot where the key is, or where it would go. */
  #slotOf(bytes: Uint8Array, offset: number): number {
    const stride = this.#stride;
    const keys = this.#keys;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = this.#hash(bytes, offset) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot] as number;
      if (found === 0) return slot;
      const start = (found - 1) * stride;
      let i = 0;
      while (i < stride && keys[start + i] === bytes[offset + i]) i++;
      if (i === stride) return slot;
    }
  }

  /** Murmur3's mixing, over one word of address at a time. */
  #hash(bytes: Uint8Array, offset: number): number {
    let hash = SEED ^ (bytes[offset] as number);
    for (let i = offset + 1; i < offset + this.#stride; i += 4) {
      const word =
        ((bytes[i] as number) << 24) |
        ((bytes[i + 1] as number) << 16) |
        ((bytes[i + 2] as number) << 8) |
        (bytes[i + 3] as number);
      hash = Math.imul(hash ^ Math.imul(word, 0xcc9e2d51), 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    hash = Math.imul(hash, 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }

  /** Empties a slot, moving later ones of the same run up so that every key is still found. */
  #vacate(slot: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      const home = this.#hash(this.#keys, ((slots[next] as number) - 1) * this.#stride) & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[hole] = slots[next] as number;
        hole = next;
      }
    }
    slots[hole] = 0;
  }

  #grow(): void {
    const rows = this.value.length * 2;
    const grown = <T extends Uint8Array | Uint32Array>(old: T, larger: T): T => {
      larger.set(old);
      return larger;
    };
    this.#keys = grown(this.#keys, new Uint8Array(rows * this.#stride));
    this.value = grown(this.value, new Uint32Array(rows));
    this.previous = grown(this.previous, new Uint32Array(rows));
    this.flags = grown(this.flags, new Uint8Array(rows));
    this.#slots = new Int32Array(rows * 2);
    for (let row = 0; row < this.size; row++) this.#slots[this.#slotOf(this.#keys, row * this.#stride)] = row + 1;
  }
}
