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

/** Nodes one after the other in a block of octets, with a hash table of offsets beside it. Nodes are made when they are asked for. */
abstract class NodeBlock {
  protected bytes: Uint8Array;
  protected view: DataView;
  protected end: number;
  /** Offsets, counted from 1; 0 is a free slot. At most half are taken, so that a search is short. */
  protected index: Uint32Array;
  protected readonly seed: number;

  protected constructor(bytes: Uint8Array, end: number, index: Uint32Array, seed: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.end = end;
    this.index = index;
    this.seed = seed;
  }

  abstract get size(): number;

  /** @returns where the node is, for {@link nodeAt}; a negative number when there is none */
  find(key: string): number {
    return (this.index[this.slotOf(key)] ?? 0) - 1;
  }

  /** The name's slot, or the free one where it belongs. */
  protected slotOf(key: string): number {
    const mask = this.index.length - 1;
    let hash = this.seed;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.index[slot] ?? 0;
      if (entry === 0 || this.#isAt(entry - 1 + NAME, key)) return slot;
    }
  }

  nodeAt(at: number): ZoneNode {
    const view = this.view;
    let end = at + NAME;
    while (this.bytes[end] !== 0) end += (this.bytes[end] ?? 0) + 1;
    const name = Name.fromWire(this.bytes.subarray(at + NAME, ++end));
    const rrsets: RRset[] = [];
    for (let i = view.getUint16(at + SETS); i > 0; i--) {
      const rdatas: Uint8Array[] = [];
      let record = end + RECORDS;
      for (let left = view.getUint16(end + COUNT_AT); left > 0; left--) {
        const length = view.getUint16(record);
        rdatas.push(this.bytes.subarray(record + 2, record + 2 + length));
        record += 2 + length;
      }
      rrsets.push({ type: view.getUint16(end + TYPE_AT), ttl: view.getUint32(end + TTL_AT), rdatas });
      end += view.getUint32(end);
    }
    return { name, rrsets, children: view.getUint32(at + CHILDREN) };
  }

  *offsets(): Generator<number> {
    for (let at = 0; at < this.end; at += this.view.getUint32(at)) yield at;
  }

  #isAt(at: number, key: string): boolean {
    for (let i = 0; i < key.length; i++) if (foldOctet(this.bytes[at + i] ?? 0) !== key.charCodeAt(i)) return false;
    return true;
  }
}

/** The names of a zone with their records, in memory that threads share. It is little more than the records' own octets. Immutable. */
export class PackedNodes extends NodeBlock {
  readonly shared: SharedNodes;

  constructor(shared: SharedNodes) {
    super(new Uint8Array(shared.bytes), shared.bytes.byteLength, new Uint32Array(shared.index), shared.seed);
    this.shared = shared;
  }

  override get size(): number {
    return this.shared.size;
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
      if (!replaced.has(at)) to.copy(this.bytes.subarray(at, at + this.view.getUint32(at)));
    for (const node of added) to.add(node);
    return to.finish();
  }

  /** The names that have records of one of these types. */
  *namesWith(types: ReadonlySet<number>): Generator<Name> {
    for (const at of this.offsets()) {
      let set = at + NAME;
      while (this.bytes[set] !== 0) set += (this.bytes[set] ?? 0) + 1;
      set++;
      for (let i = this.view.getUint16(at + SETS); i > 0; i--, set += this.view.getUint32(set)) {
        if (!types.has(this.view.getUint16(set + TYPE_AT))) continue;
        yield this.nodeAt(at).name;
        break;
      }
    }
  }

  /** Whether both have the same node, to the octet, at these offsets. */
  isSame(at: number, other: PackedNodes, there: number): boolean {
    const length = this.view.getUint32(at);
    for (let i = 0; i < length; i++) if (this.bytes[at + i] !== other.bytes[there + i]) return false;
    return true;
  }
}

/** A block that grows. */
export class Packer extends NodeBlock {
  #size = 0;
  /** Offsets of nodes that were added again. */
  readonly #replaced = new Set<number>();

  constructor() {
    // Whoever may name instances must not be able to choose names that collide.
    super(new Uint8Array(4096), 0, new Uint32Array(64), randomInt(2 ** 32));
  }

  override get size(): number {
    return this.#size;
  }

  /** A node, in the place of the one that had its name. */
  add({ name, rrsets, children }: ZoneNode): void {
    const start = this.end;
    this.#room(NAME + name.wire.length);
    this.view.setUint32(start + CHILDREN, children);
    this.view.setUint16(start + SETS, rrsets.length);
    this.bytes.set(name.wire, start + NAME);
    this.end += NAME + name.wire.length;
    for (const set of rrsets) this.#addSet(set);
    this.view.setUint32(start, this.end - start);
    this.#enter(start, this.slotOf(name.key));
  }

  /** The node has one child more. */
  adopt(at: number): void {
    this.view.setUint32(at + CHILDREN, this.view.getUint32(at + CHILDREN) + 1);
  }

  /** A node that is packed already, of a name that is not here yet. */
  copy(node: Uint8Array): void {
    const start = this.end;
    this.#room(node.length);
    this.bytes.set(node, start);
    this.end += node.length;
    this.#enter(start, this.#freeSlot(start));
  }

  #addSet({ type, ttl, rdatas }: RRset): void {
    const start = this.end;
    this.#room(RECORDS);
    this.view.setUint16(start + TYPE_AT, type);
    this.view.setUint32(start + TTL_AT, ttl);
    this.view.setUint16(start + COUNT_AT, rdatas.length);
    this.end += RECORDS;
    for (const rdata of rdatas) {
      this.#room(2 + rdata.length);
      this.view.setUint16(this.end, rdata.length);
      this.bytes.set(rdata, this.end + 2);
      this.end += 2 + rdata.length;
    }
    this.view.setUint32(start, this.end - start);
  }

  finish(): PackedNodes {
    if (this.#replaced.size > 0) return this.#compacted().finish();
    const bytes = new SharedArrayBuffer(this.end);
    new Uint8Array(bytes).set(this.bytes.subarray(0, this.end));
    const index = new SharedArrayBuffer(this.index.byteLength);
    new Uint32Array(index).set(this.index);
    return new PackedNodes({ bytes, index, size: this.#size, seed: this.seed });
  }

  #compacted(): Packer {
    const to = new Packer();
    for (const at of this.offsets())
      if (!this.#replaced.has(at)) to.copy(this.bytes.subarray(at, at + this.view.getUint32(at)));
    return to;
  }

  #enter(at: number, slot: number): void {
    const before = this.index[slot] ?? 0;
    this.index[slot] = at + 1;
    if (before > 0) this.#replaced.add(before - 1);
    else if (++this.#size * 2 > this.index.length) this.#grow();
  }

  #grow(): void {
    const before = this.index;
    this.index = new Uint32Array(before.length * 2);
    for (const entry of before) if (entry > 0) this.index[this.#freeSlot(entry - 1)] = entry;
  }

  /** Where a node belongs whose name is not in the index. */
  #freeSlot(at: number): number {
    let hash = this.seed;
    let i = at + NAME;
    for (let label = 1; label !== 0;) {
      label = this.bytes[i++] ?? 0;
      hash = Math.imul(hash ^ label, 0x01000193);
      for (const end = i + label; i < end; i++) hash = Math.imul(hash ^ foldOctet(this.bytes[i] ?? 0), 0x01000193);
    }
    const mask = this.index.length - 1;
    let slot = spread(hash) & mask;
    while (this.index[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  #room(length: number): void {
    const need = this.end + length;
    if (need <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(need, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}
