import { randomInt } from "node:crypto";
import { Name, foldOctet } from "../wire/name.ts";
import type { RRset, ZoneNode } from "./node.ts";

// A node: its length, the count of its children and of its sets, its name, its sets.
const CHILDREN = 4;
const SETS = 8;
const NAME = 10;
// A set: its length, type, TTL and count of records; then each record's length and data.
const TYPE_AT = 4;
const TTL_AT = 6;
const COUNT_AT = 10;
const RECORDS = 12;

/** The memory of {@link PackedNodes}, which threads can share. */
export interface SharedNodes {
  readonly bytes: SharedArrayBuffer;
  readonly index: SharedArrayBuffer;
  readonly size: number;
  readonly seed: number;
}

/**
 * Names with their records as one block of octets, with a hash table of offsets beside it. It takes little more memory than the
 * records themselves, and all threads can have the same. Nodes are made when they are asked for. Immutable.
 */
export class PackedNodes {
  readonly shared: SharedNodes;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Offsets, counted from 1; 0 is a free slot. */
  readonly #index: Uint32Array;

  constructor(shared: SharedNodes) {
    this.shared = shared;
    this.#bytes = new Uint8Array(shared.bytes);
    this.#view = new DataView(shared.bytes);
    this.#index = new Uint32Array(shared.index);
  }

  static empty(): PackedNodes {
    return new Packer().finish();
  }

  /** These nodes with others in the place of some; `null` for a name that is gone. */
  with(changes: Iterable<readonly [key: string, ZoneNode | null]>): PackedNodes {
    const replaced = new Set<number>();
    const added: ZoneNode[] = [];
    for (const [key, node] of changes) {
      replaced.add(this.find(key));
      if (node !== null) added.push(node);
    }
    const to = new Packer();
    for (const at of this.offsets())
      if (!replaced.has(at)) to.copy(this.#bytes.subarray(at, at + this.#view.getUint32(at)));
    for (const node of added) to.add(node);
    return to.finish();
  }

  get size(): number {
    return this.shared.size;
  }

  /** @returns where the node is, for {@link nodeAt}; a negative number when there is none */
  find(key: string): number {
    const mask = this.#index.length - 1;
    let hash = this.shared.seed;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#index[slot] ?? 0;
      if (entry === 0) return -1;
      if (this.#isAt(entry - 1 + NAME, key)) return entry - 1;
    }
  }

  nodeAt(at: number): ZoneNode {
    const view = this.#view;
    let end = at + NAME;
    while (this.#bytes[end] !== 0) end += (this.#bytes[end] ?? 0) + 1;
    const name = Name.fromWire(this.#bytes.subarray(at + NAME, ++end));
    const rrsets: RRset[] = [];
    for (let i = view.getUint16(at + SETS); i > 0; i--) {
      const rdatas: Uint8Array[] = [];
      let record = end + RECORDS;
      for (let left = view.getUint16(end + COUNT_AT); left > 0; left--) {
        const length = view.getUint16(record);
        rdatas.push(this.#bytes.subarray(record + 2, record + 2 + length));
        record += 2 + length;
      }
      rrsets.push({ type: view.getUint16(end + TYPE_AT), ttl: view.getUint32(end + TTL_AT), rdatas });
      end += view.getUint32(end);
    }
    return { name, rrsets, children: view.getUint32(at + CHILDREN) };
  }

  *offsets(): Generator<number> {
    for (let at = 0; at < this.#bytes.length; at += this.#view.getUint32(at)) yield at;
  }

  /** The names that have records of one of these types. */
  *namesWith(types: ReadonlySet<number>): Generator<Name> {
    for (const at of this.offsets()) {
      let set = at + NAME;
      while (this.#bytes[set] !== 0) set += (this.#bytes[set] ?? 0) + 1;
      set++;
      for (let i = this.#view.getUint16(at + SETS); i > 0; i--, set += this.#view.getUint32(set)) {
        if (!types.has(this.#view.getUint16(set + TYPE_AT))) continue;
        yield this.nodeAt(at).name;
        break;
      }
    }
  }

  /** Whether both have the same node, to the octet, at these offsets. */
  isSame(at: number, other: PackedNodes, there: number): boolean {
    const length = this.#view.getUint32(at);
    for (let i = 0; i < length; i++) if (this.#bytes[at + i] !== other.#bytes[there + i]) return false;
    return true;
  }

  #isAt(at: number, key: string): boolean {
    for (let i = 0; i < key.length; i++) if (foldOctet(this.#bytes[at + i] ?? 0) !== key.charCodeAt(i)) return false;
    return true;
  }
}

/** Writes nodes one after the other. */
class Packer {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #size = 0;

  add({ name, rrsets, children }: ZoneNode): void {
    const start = this.#at;
    this.#room(NAME + name.wire.length);
    this.#view.setUint32(start + CHILDREN, children);
    this.#view.setUint16(start + SETS, rrsets.length);
    this.#bytes.set(name.wire, start + NAME);
    this.#at += NAME + name.wire.length;
    for (const set of rrsets) this.#addSet(set);
    this.#view.setUint32(start, this.#at - start);
    this.#size++;
  }

  /** A node that is packed already. */
  copy(node: Uint8Array): void {
    this.#room(node.length);
    this.#bytes.set(node, this.#at);
    this.#at += node.length;
    this.#size++;
  }

  #addSet({ type, ttl, rdatas }: RRset): void {
    const start = this.#at;
    this.#room(RECORDS);
    this.#view.setUint16(start + TYPE_AT, type);
    this.#view.setUint32(start + TTL_AT, ttl);
    this.#view.setUint16(start + COUNT_AT, rdatas.length);
    this.#at += RECORDS;
    for (const rdata of rdatas) {
      this.#room(2 + rdata.length);
      this.#view.setUint16(this.#at, rdata.length);
      this.#bytes.set(rdata, this.#at + 2);
      this.#at += 2 + rdata.length;
    }
    this.#view.setUint32(start, this.#at - start);
  }

  finish(): PackedNodes {
    const bytes = new SharedArrayBuffer(this.#at);
    new Uint8Array(bytes).set(this.#bytes.subarray(0, this.#at));
    // At most half full, so that a search is short.
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, this.#size * 2)));
    const index = new SharedArrayBuffer(slots * 4);
    // Whoever may name instances must not be able to choose names that collide.
    const seed = randomInt(2 ** 32);
    this.#fill(new Uint32Array(index), seed);
    return new PackedNodes({ bytes, index, size: this.#size, seed });
  }

  #fill(index: Uint32Array, seed: number): void {
    const mask = index.length - 1;
    for (let at = 0; at < this.#at; at += this.#view.getUint32(at)) {
      let hash = seed;
      for (let i = at + NAME, left = 0, end = false; !end; i++) {
        const octet = this.#bytes[i] ?? 0;
        hash = Math.imul(hash ^ foldOctet(octet), 0x01000193);
        if (left > 0) left--;
        else if (octet === 0) end = true;
        else left = octet;
      }
      let slot = spread(hash) & mask;
      while (index[slot] !== 0) slot = (slot + 1) & mask;
      index[slot] = at + 1;
    }
  }

  #room(length: number): void {
    const need = this.#at + length;
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}
