import type { ZoneNode } from "./node.ts";

/** Names a shard has when the map is spread anew. */
const SPREAD = 64;
/** Names a shard may have before. */
const CROWDED = 256;

/**
 * The names of a zone, by key. It is split into many small maps, and a {@link fork} shares all of them until it changes one: the
 * versions of a zone of a hundred thousand names cost little more than what is different between them.
 */
export class NodeMap {
  #shards: Map<string, ZoneNode>[] = [new Map()];
  #owned: Uint8Array = Uint8Array.of(1);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): ZoneNode | undefined {
    return this.#shards[this.#shardOf(key)]?.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *values(): Generator<ZoneNode> {
    for (const shard of this.#shards) yield* shard.values();
  }

  /** A copy that can be changed without changing this one. */
  fork(): NodeMap {
    const copy = new NodeMap();
    copy.#size = this.#size;
    copy.#shards = [...this.#shards];
    copy.#owned = new Uint8Array(this.#shards.length);
    if (copy.#size > copy.#shards.length * CROWDED) copy.#spread();
    return copy;
  }

  /** For the one that has forked it, until it hands it on. */
  set(key: string, node: ZoneNode): void {
    const shard = this.#own(key);
    if (!shard.has(key)) this.#size++;
    shard.set(key, node);
  }

  delete(key: string): void {
    if (this.#own(key).delete(key)) this.#size--;
  }

  #own(key: string): Map<string, ZoneNode> {
    const index = this.#shardOf(key);
    const shard = this.#shards[index];
    if (shard !== undefined && this.#owned[index] === 1) return shard;
    const copy = new Map(shard);
    this.#shards[index] = copy;
    this.#owned[index] = 1;
    return copy;
  }

  #spread(): void {
    const nodes = [...this.values()];
    const count = 2 ** Math.ceil(Math.log2(this.#size / SPREAD));
    this.#shards = Array.from({ length: count }, () => new Map<string, ZoneNode>());
    this.#owned = new Uint8Array(count).fill(1);
    for (const node of nodes) this.#own(node.name.key).set(node.name.key, node);
  }

  /** The first label is what differs between most names of a zone. */
  #shardOf(key: string): number {
    if (this.#shards.length === 1) return 0;
    let hash = 0;
    const end = Math.min(key.length, 24);
    for (let i = 0; i < end; i++) hash = Math.imul(hash, 31) + key.charCodeAt(i);
    return (hash ^ (hash >>> 15)) & (this.#shards.length - 1);
  }
}
