import { ZoneError } from "../error.ts";
import { TYPE } from "../wire/codes.ts";
import { type Name, parentKey } from "../wire/name.ts";
import { type Soa, readSoa } from "../wire/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { Difference } from "./difference.ts";
import { Editor } from "./editor.ts";
import { type ZoneNode, findSet } from "./node.ts";
import type { NodeMap } from "./node-map.ts";

/** A zone at one serial. Immutable: a change makes another zone, which shares what did not change. */
export class Zone {
  readonly origin: Name;
  /** Every name of the zone, empty non-terminals included, by {@link Name.key}. */
  readonly nodes: NodeMap;
  readonly apex: ZoneNode;
  readonly soa: Soa;
  readonly soaRecord: ResourceRecord;
  /** Names that hide what is below them: delegations, and owners of DNAME records. */
  readonly occluders: ReadonlyMap<string, ZoneNode>;

  private constructor(origin: Name, nodes: NodeMap, occluders: ReadonlyMap<string, ZoneNode>) {
    const apex = nodes.get(origin.key);
    const set = findSet(apex, TYPE.SOA);
    const rdata = set?.rdatas[0];
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
    return Zone.#finish(origin, editor, new Map());
  }

  /**
   * The zone after a change: first `removed` goes, then `added` comes, and the SOA record is replaced.
   *
   * @throws ZoneError when the difference does not fit this zone
   */
  apply({ oldSoa, newSoa, removed, added }: Difference): Zone {
    const editor = new Editor(this.origin, this.nodes);
    editor.remove(oldSoa);
    for (const record of removed) editor.remove(record);
    for (const record of added) editor.add(record);
    editor.add(newSoa);
    return Zone.#finish(this.origin, editor, this.occluders);
  }

  static #finish(origin: Name, editor: Editor, before: ReadonlyMap<string, ZoneNode>): Zone {
    let occluders = before;
    for (const key of editor.finish()) {
      const node = editor.nodes.get(key);
      const hides = node !== undefined && isOccluder(origin, node);
      if (!hides && !occluders.has(key)) continue;
      const changed = new Map(occluders);
      if (hides) changed.set(key, node);
      else changed.delete(key);
      occluders = changed;
    }
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
      const node = this.occluders.get(at);
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

function isOccluder(origin: Name, node: ZoneNode): boolean {
  return node.rrsets.some(({ type }) => type === TYPE.DNAME || (type === TYPE.NS && node.name.key !== origin.key));
}
