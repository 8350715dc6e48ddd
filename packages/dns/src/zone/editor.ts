import { ZoneError } from "../error.ts";
import { TYPE } from "../wire/codes.ts";
import { typeText } from "../wire/mnemonic.ts";
import { type Name, parentKey } from "../wire/name.ts";
import { MAX_RDATA, rdataKey } from "../wire/rdata.ts";
import { type ResourceRecord, recordText } from "../wire/record.ts";
import type { RRset } from "./node.ts";
import { NodeMap } from "./node-map.ts";
import { Packer } from "./packed.ts";

interface MutableSet {
  readonly type: number;
  ttl: number;
  readonly rdatas: Uint8Array[];
}

interface MutableNode {
  readonly name: Name;
  rrsets: MutableSet[];
  children: number;
}

/** Types that may be beside a CNAME (RFC 4034 §3, §4). */
const BESIDE_CNAME = new Set<number>([TYPE.CNAME, 46, 47]);
/** Types of which a name has at most one record. */
const SINGLE = new Set<number>([TYPE.CNAME, TYPE.DNAME, TYPE.SOA]);
/** Names of a new zone that are packed together. */
const STEP = 32;
const META = new Set<number>([TYPE.OPT, TYPE.TKEY, TYPE.TSIG, TYPE.IXFR, TYPE.AXFR, 253, 254, TYPE.ANY]);

/** Builds a zone's nodes, or changes a copy of them; nodes that do not change are shared with the base. */
export class Editor {
  readonly nodes: NodeMap;
  readonly #origin: Name;
  #touched = new Map<string, MutableNode>();
  readonly #problems = new Set<string>();
  readonly #builds: boolean;

  /** @param base what is changed; without it a zone is built */
  constructor(origin: Name, base?: NodeMap) {
    this.#origin = origin;
    this.nodes = base?.fork() ?? new NodeMap(new Packer());
    this.#builds = base === undefined;
  }

  add(record: ResourceRecord): void {
    const { name, type, ttl, rdata } = record;
    if (!name.isAtOrBelow(this.#origin)) {
      this.#problem(`${name.toString()} is outside the zone`);
      return;
    }
    if (META.has(type)) this.#problem(`${name.toString()} has a ${typeText(type)} record, which is for messages only`);
    if (rdata.length > MAX_RDATA) this.#problem(`${name.toString()} has a record of more than ${MAX_RDATA} octets`);
    if (!(ttl >= 0 && ttl <= 0x7fffffff)) this.#problem(`${name.toString()} has a TTL outside 0 to 2147483647`);
    const node = this.#edit(name);
    const set = node.rrsets.find((other) => other.type === type);
    // `push` would make room for seventeen, at every name of the zone.
    if (set === undefined) node.rrsets = [...node.rrsets, { type, ttl, rdatas: [rdata] }];
    else {
      // RFC 2181 §5.2: the records of a set have one TTL; the lowest is safe for all.
      set.ttl = Math.min(set.ttl, ttl);
      set.rdatas.push(rdata);
    }
    if (this.#builds && this.#touched.size >= STEP) this.#absorb();
  }

  remove(record: ResourceRecord): void {
    const node = this.nodes.has(record.name.key) ? this.#edit(record.name) : undefined;
    const set = node?.rrsets.find(({ type }) => type === record.type);
    const wanted = rdataKey(record.type, record.rdata);
    const index = set?.rdatas.findIndex((rdata) => rdataKey(record.type, rdata) === wanted) ?? -1;
    if (node === undefined || set === undefined || index < 0) {
      this.#problem(`there is no record \`${recordText(record)}\` to remove`);
      return;
    }
    set.rdatas.splice(index, 1);
    if (set.rdatas.length === 0) node.rrsets.splice(node.rrsets.indexOf(set), 1);
  }

  /**
   * Checks what was touched and drops names that have become empty.
   *
   * @returns the keys of the names that were touched
   * @throws ZoneError
   */
  finish(): Iterable<string> {
    for (const node of this.#touched.values()) this.#check(node);
    const apex = this.nodes.get(this.#origin.key);
    if (!apex?.rrsets.some(({ type }) => type === TYPE.SOA)) this.#problem("it has no SOA record");
    if (!apex?.rrsets.some(({ type }) => type === TYPE.NS)) this.#problem("it has no NS record at its top");
    if (this.#problems.size > 0) throw new ZoneError(this.#origin.toString(), [...this.#problems]);
    // Pruning touches the parents as well; they come later in the same loop.
    for (const key of this.#touched.keys()) this.#prune(key);
    return this.#touched.keys();
  }

  /** Octets take a tenth of the memory of objects, and short-lived objects take no time. */
  #absorb(): void {
    for (const node of this.#touched.values()) this.#check(node);
    // Not cleared: the old table would lead the collector to the new one, and so on to every node there ever was.
    this.#touched = new Map();
    this.nodes.absorb();
  }

  #edit(name: Name): MutableNode {
    const { key } = name;
    const touched = this.#touched.get(key);
    if (touched !== undefined) return touched;
    const existing = this.nodes.get(key);
    const node: MutableNode = {
      name: existing?.name ?? name,
      rrsets: existing?.rrsets.map(copySet) ?? [],
      children: existing?.children ?? 0,
    };
    this.nodes.set(key, node);
    this.#touched.set(key, node);
    if (existing === undefined && key !== this.#origin.key && !this.nodes.adopt(parentKey(key)))
      this.#edit(name.parent).children++;
    return node;
  }

  #prune(key: string): void {
    const node = this.nodes.get(key);
    if (node === undefined || node.rrsets.length > 0 || node.children > 0 || key === this.#origin.key) return;
    this.nodes.delete(key);
    this.#edit(node.name.parent).children--;
    this.#prune(parentKey(key));
  }

  #check(node: MutableNode): void {
    const { name, rrsets } = node;
    for (const set of rrsets) if (set.rdatas.length > 1) dropRepeated(set);
    for (const { type, rdatas } of rrsets)
      if (rdatas.length > 1 && SINGLE.has(type))
        this.#problem(`${name.toString()} has ${rdatas.length} ${typeText(type)} records, where one is allowed`);
    if (rrsets.some(({ type }) => type === TYPE.CNAME) && rrsets.some(({ type }) => !BESIDE_CNAME.has(type)))
      this.#problem(`${name.toString()} has a CNAME and other records`);
    if (rrsets.some(({ type }) => type === TYPE.SOA) && !name.equals(this.#origin))
      this.#problem(`${name.toString()} has a SOA record, which belongs at the top only`);
  }

  #problem(text: string): void {
    this.#problems.add(text);
  }
}

function copySet({ type, ttl, rdatas }: RRset): MutableSet {
  return { type, ttl, rdatas: [...rdatas] };
}

function dropRepeated(set: MutableSet): void {
  const seen = new Set<string>();
  const kept = set.rdatas.filter((rdata) => {
    const key = rdataKey(set.type, rdata);
    return !seen.has(key) && seen.add(key);
  });
  if (kept.length < set.rdatas.length) set.rdatas.splice(0, set.rdatas.length, ...kept);
}
