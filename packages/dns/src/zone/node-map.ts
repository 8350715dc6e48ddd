import type { ZoneNode } from "./node.ts";
import { type PackedNodes, Packer } from "./packed.ts";
import { ShardedMap } from "./sharded-map.ts";

/** Changes a map may have, and their share of all its names, before they are packed with the rest. */
const FEW = 1024;
const SHARE = 8;

/**
 * The names of a zone, by key: a packed block, and what has changed since it was made (`null` for a name that is gone). A
 * {@link fork} shares both until it changes a name: the versions of a zone of a hundred thousand names cost little more than what
 * is different between them.
 */
export class NodeMap {
  #base: PackedNodes | Packer;
  #changes: ShardedMap<ZoneNode | null>;
  #size: number;

  /** @param base a packer for a map that is filled for the first time */
  constructor(base: PackedNodes | Packer) {
    this.#base = base;
    this.#changes = new ShardedMap();
    this.#size = base.size;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): ZoneNode | undefined {
    const changed = this.#changes.get(key);
    if (changed !== undefined) return changed ?? undefined;
    const at = this.#base.find(key);
    return at < 0 ? undefined : this.#base.nodeAt(at);
  }

  has(key: string): boolean {
    const changed = this.#changes.get(key);
    return changed === undefined ? this.#base.find(key) >= 0 : changed !== null;
  }

  *values(): Generator<ZoneNode> {
    const replaced = new Set([...this.#changes.keys()].map((key) => this.#base.find(key)));
    for (const at of this.#base.offsets()) if (!replaced.has(at)) yield this.#base.nodeAt(at);
    for (const [, node] of this.#changes.entries()) if (node !== null) yield node;
  }

  /** A copy that can be changed without changing this one. */
  fork(): NodeMap {
    const copy = new NodeMap(this.#base);
    copy.#changes = this.#changes.fork();
    copy.#size = this.#size;
    return copy;
  }

  /** For the one that has forked it, until it hands it on. */
  set(key: string, node: ZoneNode): void {
    if (!this.has(key)) this.#size++;
    this.#changes.set(key, node);
  }

  delete(key: string): void {
    if (!this.has(key)) return;
    this.#size--;
    this.#changes.set(key, null);
  }

  /** Packs the changes if they have become many. */
  settle(): void {
    if (this.#changes.size > Math.max(FEW, this.#base.size / SHARE)) this.pack();
  }

  /** While it is filled: packs what was added so far, which can still be changed. */
  absorb(): void {
    if (!(this.#base instanceof Packer)) return;
    for (const [, node] of this.#changes.entries()) if (node !== null) this.#base.add(node);
    this.#changes = new ShardedMap();
  }

  /** While it is filled: a packed node has one child more. @returns false when the name is not packed */
  adopt(key: string): boolean {
    if (!(this.#base instanceof Packer) || this.#changes.get(key) !== undefined) return false;
    const at = this.#base.find(key);
    if (at >= 0) this.#base.adopt(at);
    return at >= 0;
  }

  /** All of it as one block. The map holds the same as before. */
  pack(): PackedNodes {
    this.absorb();
    const packed = this.#base instanceof Packer ? this.#base.finish() : this.#base;
    this.#base = this.#changes.size === 0 ? packed : packed.with(this.#changes.entries());
    this.#changes = new ShardedMap();
    return this.#base;
  }

  /** The nodes of both that may be different, side by side; `undefined` where one has none. */
  *unlike(other: NodeMap): Generator<readonly [ZoneNode | undefined, ZoneNode | undefined]> {
    if (this.#base === other.#base) {
      const keys = new Set([...this.#changes.keys(), ...other.#changes.keys()]);
      for (const key of keys) yield [this.get(key), other.get(key)];
      return;
    }
    const [mine, theirs] = [this.pack(), other.pack()];
    for (const at of mine.offsets()) {
      const node = mine.nodeAt(at);
      const there = theirs.find(node.name.key);
      if (there < 0) yield [node, undefined];
      else if (!mine.isSame(at, theirs, there)) yield [node, theirs.nodeAt(there)];
    }
    for (const at of theirs.offsets()) {
      const node = theirs.nodeAt(at);
      if (mine.find(node.name.key) < 0) yield [undefined, node];
    }
  }
}
