import { ZoneError } from "../error.ts";
import { TYPE } from "../wire/codes.ts";
import { type Name, parentKey } from "../wire/name.ts";
import { type Soa, readSoa } from "../wire/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { Difference } from "./difference.ts";
import { Editor } from "./editor.ts";
import { type ZoneNode, findSet } from "./node.ts";
import { NodeMap } from "./node-map.ts";
import { PackedNodes, type SharedNodes } from "./packed.ts";

/** Types whose owners hide what is below them. */
const OCCLUDING = new Set<number>([TYPE.NS, TYPE.DNAME]);

/** A zone at one serial. Immutable: a change makes another zone, which shares what did not change. */
export class Zone {
  readonly origin: Name;
  /** Every name of the zone, empty non-terminals included, by {@link Name.key}. */
  readonly nodes: NodeMap;
  readonly apex: ZoneNode;
  readonly soa: Soa;
  readonly soaRecord: ResourceRecord;
  /** Keys of the names that hide what is below them: delegations, and owners of DNAME records. */
  readonly occluders: ReadonlySet<string>;

  private constructor(origin: Name, nodes: NodeMap, occluders: ReadonlySet<string>) {
    const apex = nodes.get(origin.key);
    const set = findSet(apex, TYPE.SOA);
    // It outlives the zone, in the journal, and must not hold on to all of it.
    const rdata = set?.rdatas[0]?.slice();
    if (apex === undefined || set === undefined || rdata === undefined)
      throw new ZoneError(origin.toString(), ["it has no SOA record"]);
    this.origin = origin;
    this.nodes = nodes;
    this.apex = apex;
    this.soa = readSoa(rdata);
    this.soaRecord = { name: origin, type: TYPE.SOA, ttl: set.ttl, rdata };
    this.occluders = occluders;
  }

  /**
   * Makes a zone of records, in any order; repeated ones count once, and records of one name and type get the lowest TTL among
   * them.
   *
   * @throws ZoneError when records are outside the zone or contradict each other, or SOA or NS are missing
   */
  static build(origin: Name, records: Iterable<ResourceRecord>): Zone {
    const editor = new Editor(origin);
    for (const record of records) editor.add(record);
    editor.finish();
    return Zone.#ofPacked(origin, editor.nodes.pack());
  }

  /** The zone that {@link shared} was taken of, in another thread. */
  static fromShared(origin: Name, shared: SharedNodes): Zone {
    return Zone.#ofPacked(origin, new PackedNodes(shared));
  }

  static #ofPacked(origin: Name, packed: PackedNodes): Zone {
    const occluders = new Set<string>();
    for (const { key } of packed.namesWith(OCCLUDING)) occluders.add(key);
    const nodes = new NodeMap(packed);
    // The zone's own NS records hide nothing; a DNAME beside them does.
    if (!isOccluder(origin, nodes.get(origin.key))) occluders.delete(origin.key);
    return new Zone(origin, nodes, occluders);
  }

  /** All its records, in memory that other threads can read; see {@link fromShared}. */
  get shared(): SharedNodes {
    return this.nodes.pack().shared;
  }

  /**
   * The zone after a change: first `removed` goes, then `added` comes, and the SOA record is replaced.
   *
   * @throws ZoneError when the difference does not fit this zone
   */
  apply({ oldSoa, newSoa, removed, added }: Difference): Zone {
    const { origin } = this;
    const editor = new Editor(origin, this.nodes);
    editor.remove(oldSoa);
    for (const record of removed) editor.remove(record);
    for (const record of added) editor.add(record);
    editor.add(newSoa);
    let { occluders } = this;
    for (const key of editor.finish()) {
      const hides = isOccluder(origin, editor.nodes.get(key));
      if (hides === occluders.has(key)) continue;
      const changed = new Set(occluders);
      if (hides) changed.add(key);
      else changed.delete(key);
      occluders = changed;
    }
    editor.nodes.settle();
    return new Zone(origin, editor.nodes, occluders);
  }

  get serial(): number {
    return this.soa.serial;
  }

  /** The SOA record as negative answers carry it: with the TTL of RFC 2308 §3. */
  get negativeSoa(): ResourceRecord {
    return { ...this.soaRecord, ttl: Math.min(this.soaRecord.ttl, this.soa.minimum) };
  }

  /** All records but the SOA. */
  *records(): Generator<ResourceRecord> {
    for (const { name, rrsets } of this.nodes.values())
      for (const { type, ttl, rdatas } of rrsets)
        if (type !== TYPE.SOA) for (const rdata of rdatas) yield { name, type, ttl, rdata };
  }

  /**
   * The topmost delegation or DNAME owner that hides a name: one above it, or a delegation at the name itself.
   *
   * @param key of a name in the zone
   */
  occluderOf(key: string, type: number): ZoneNode | undefined {
    if (this.occluders.size === 0) return undefined;
    let found: ZoneNode | undefined;
    const top = this.origin.key.length;
    for (let at = key; at.length >= top; at = parentKey(at)) {
      const node = this.occluders.has(at) ? this.nodes.get(at) : undefined;
      if (node === undefined) continue;
      // RFC 6672 §2.3: a DNAME hides what is below its owner, not the owner. RFC 4035 §3.1.4.1: DS is of the parent's side.
      const atItself = at === key && (type === TYPE.DS || !isDelegation(this, node));
      if (!atItself) found = node;
    }
    return found;
  }
}

export function isDelegation(zone: Zone, node: ZoneNode): boolean {
  return node.name.key !== zone.origin.key && findSet(node, TYPE.NS) !== undefined;
}

function isOccluder(origin: Name, node: ZoneNode | undefined): boolean {
  if (node === undefined) return false;
  return node.rrsets.some(({ type }) => type === TYPE.DNAME || (type === TYPE.NS && node.name.key !== origin.key));
}
