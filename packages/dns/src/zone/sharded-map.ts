/** Keys a shard has when the map is spread anew. */
const SPREAD = 64;
/** Keys a shard may have before. */
const CROWDED = 256;

/** A map that is split into many small ones; a {@link fork} shares all of them until it changes one. */
export class ShardedMap<V> {
  #shards: Map<string, V>[] = [new Map()];
  #owned: Uint8Array = Uint8Array.of(1);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#size === 0 ? undefined : this.#shards[this.#shardOf(key)]?.get(key);
  }

  *keys(): Generator<string> {
    for (const shard of this.#shards) yield* shard.keys();
  }

  *entries(): Generator<[string, V]> {
    for (const shard of this.#shards) yield* shard.entries();
  }

  /** A copy that can be changed without changing this one. */
  fork(): ShardedMap<V> {
    const copy = new ShardedMap<V>();
    copy.#size = this.#size;
    copy.#shards = [...this.#shards];
    copy.#owned = new Uint8Array(this.#shards.length);
    if (copy.#size > copy.#shards.length * CROWDED) copy.#spread();
    return copy;
  }

  set(key: string, value: V): void {
    const shard = this.#own(key);
    if (!shard.has(key)) this.#size++;
    shard.set(key, value);
  }

  #own(key: string): Map<string, V> {
    const index = this.#shardOf(key);
    const shard = this.#shards[index];
    if (shard !== undefined && this.#owned[index] === 1) return shard;
    const copy = new Map(shard);
    this.#shards[index] = copy;
    this.#owned[index] = 1;
    return copy;
  }

  #spread(): void {
    const entries = this.#shards.flatMap((shard) => [...shard]);
    const count = 2 ** Math.ceil(Math.log2(this.#size / SPREAD));
    this.#shards = Array.from({ length: count }, () => new Map<string, V>());
    this.#owned = new Uint8Array(count).fill(1);
    for (const [key, value] of entries) this.#own(key).set(key, value);
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
