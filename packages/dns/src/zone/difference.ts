import { TYPE } from "../wire/codes.ts";
import { Name } from "../wire/name.ts";
import { rdataKey } from "../wire/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { RRset, ZoneNode } from "./node.ts";
import type { Zone } from "./zone.ts";

/** What leads from one version of a zone to another (RFC 1995 §4). The SOA records are in neither list. */
export interface Difference {
  readonly oldSoa: ResourceRecord;
  readonly newSoa: ResourceRecord;
  readonly removed: readonly ResourceRecord[];
  readonly added: readonly ResourceRecord[];
}

/** What turns `before` into `after`: `before.apply(difference(before, after))` holds the records of `after`. */
export function difference(before: Zone, after: Zone): Difference {
  const removed: ResourceRecord[] = [];
  const added: ResourceRecord[] = [];
  for (const [old, fresh] of before.nodes.unlike(after.nodes)) compareNodes(old, fresh, removed, added);
  return { oldSoa: before.soaRecord, newSoa: after.soaRecord, removed, added };
}

/** True when nothing changes but, perhaps, the SOA record's serial. */
export function isEmpty({ removed, added }: Difference): boolean {
  return removed.length === 0 && added.length === 0;
}

function compareNodes(
  before: ZoneNode | undefined,
  after: ZoneNode | undefined,
  removed: ResourceRecord[],
  added: ResourceRecord[],
): void {
  const types = new Set([...(before?.rrsets ?? []), ...(after?.rrsets ?? [])].map(({ type }) => type));
  types.delete(TYPE.SOA);
  for (const type of types) {
    const old = before?.rrsets.find((set) => set.type === type);
    const fresh = after?.rrsets.find((set) => set.type === type);
    // A new TTL changes every record of the set.
    const keep = old?.ttl === fresh?.ttl;
    removed.push(...without(before, old, keep ? fresh : undefined));
    added.push(...without(after, fresh, keep ? old : undefined));
  }
}

function without(node: ZoneNode | undefined, set: RRset | undefined, other: RRset | undefined): ResourceRecord[] {
  if (node === undefined || set === undefined) return [];
  const { type, ttl, rdatas } = set;
  const known = new Set(other?.rdatas.map((rdata) => rdataKey(type, rdata)));
  // A journal keeps them, and must not keep the whole zone that they are of.
  const name = Name.fromWire(node.name.wire.slice());
  return rdatas
    .filter((rdata) => !known.has(rdataKey(type, rdata)))
    .map((rdata) => ({ name, type, ttl, rdata: rdata.slice() }));
}
