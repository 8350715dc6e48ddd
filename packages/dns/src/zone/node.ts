import type { Name } from "../wire/name.ts";

/** The records of one name and type (RFC 2181 §5). Immutable. */
export interface RRset {
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  /** Data in wire form, with names uncompressed; never empty. */
  readonly rdatas: readonly Uint8Array[];
}

/** A name of a zone. One without records is an empty non-terminal (RFC 4592 §2.2.2). Immutable. */
export interface ZoneNode {
  readonly name: Name;
  readonly rrsets: readonly RRset[];
  /** How many names are one label below. */
  readonly children: number;
}

export function findSet(node: ZoneNode | undefined, type: number): RRset | undefined {
  // Few types share a name, and this is on the path of every query.
  const sets = node?.rrsets ?? [];
  for (let i = 0; i < sets.length; i++) if (sets[i]?.type === type) return sets[i];
  return undefined;
}
