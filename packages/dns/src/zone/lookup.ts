import { RCODE, TYPE } from "../wire/codes.ts";
import { type Name, parentKey } from "../wire/name.ts";
import { targetOf } from "../wire/rdata.ts";
import { type RRset, type ZoneNode, findSet } from "./node.ts";
import { type Zone, isDelegation } from "./zone.ts";

/** Records of one name and type, under the name the answer gives them (a wildcard's records get the name that was asked). */
export interface OwnedSet {
  readonly name: Name;
  readonly set: RRset;
}

/** What a zone knows of a name and type. */
export interface LookupResult {
  rcode: number;
  /** False for a referral only. */
  authoritative: boolean;
  readonly answers: OwnedSet[];
  /** The NS records of the delegation the answer refers to. */
  referral: OwnedSet | undefined;
  /** There is no (further) data: the zone's SOA record says for how long (RFC 2308 §2). */
  negative: boolean;
  /** The name is one of the zone's, not one that a wildcard or nothing stands for: such answers are worth keeping. */
  exists: boolean;
}

/** CNAME and DNAME records that one answer follows. */
const MAX_CHAIN = 16;

/**
 * The algorithm of RFC 1034 §4.3.2, with wildcards (RFC 4592), DNAME (RFC 6672) and minimal answers to ANY (RFC 8482).
 * CNAME chains are followed within the zone.
 *
 * @param name a name in the zone
 */
export function lookup(zone: Zone, name: Name, type: number): LookupResult {
  const result: LookupResult = {
    rcode: RCODE.NOERROR,
    authoritative: true,
    answers: [],
    referral: undefined,
    negative: false,
    exists: true,
  };
  const seen = new Set<string>();
  let at = name;
  while (seen.size < MAX_CHAIN && !seen.has(at.key)) {
    seen.add(at.key);
    const next = step(zone, at, type, result);
    if (next === undefined || !next.isAtOrBelow(zone.origin)) break;
    at = next;
  }
  return result;
}

/** Adds what the zone has at one name; returns where an alias there leads. */
function step(zone: Zone, name: Name, type: number, result: LookupResult): Name | undefined {
  const occluder = zone.occluderOf(name.key, type);
  if (occluder !== undefined) {
    if (!zone.nodes.has(name.key)) result.exists = false;
    return isDelegation(zone, occluder) ? refer(occluder, result) : redirect(occluder, name, type, result);
  }
  const node = zone.nodes.get(name.key) ?? wildcardFor(zone, name, result);
  if (node === undefined) {
    result.rcode = RCODE.NXDOMAIN;
    result.negative = true;
    return undefined;
  }
  const set = type === TYPE.ANY ? node.rrsets[0] : findSet(node, type);
  if (set !== undefined) {
    result.answers.push({ name, set });
    return undefined;
  }
  const alias = findSet(node, TYPE.CNAME);
  const target = alias?.rdatas[0];
  if (alias === undefined || target === undefined) {
    result.negative = true;
    return undefined;
  }
  result.answers.push({ name, set: alias });
  return targetOf(TYPE.CNAME, target);
}

function refer(delegation: ZoneNode, result: LookupResult): undefined {
  const set = findSet(delegation, TYPE.NS);
  if (set === undefined) return;
  result.referral = { name: delegation.name, set };
  // RFC 1034 §4.3.1: AA is about the name that was asked; after an alias of this zone it stays.
  if (result.answers.length === 0) result.authoritative = false;
}

/** RFC 6672 §3.2: the DNAME, and a CNAME made from it for those who do not know DNAME. */
function redirect(owner: ZoneNode, name: Name, type: number, result: LookupResult): Name | undefined {
  const set = findSet(owner, TYPE.DNAME);
  const rdata = set?.rdatas[0];
  if (set === undefined || rdata === undefined) return undefined;
  result.answers.push({ name: owner.name, set });
  const target = name.substitute(owner.name, targetOf(TYPE.DNAME, rdata));
  if (target === undefined) {
    result.rcode = RCODE.YXDOMAIN;
    return undefined;
  }
  result.answers.push({ name, set: { type: TYPE.CNAME, ttl: set.ttl, rdatas: [target.wire] } });
  return type === TYPE.CNAME ? undefined : target;
}

/** RFC 4592 §3.3.1: the wildcard right below the closest encloser, if any. */
function wildcardFor(zone: Zone, name: Name, result: LookupResult): ZoneNode | undefined {
  result.exists = false;
  let encloser = parentKey(name.key);
  while (!zone.nodes.has(encloser)) encloser = parentKey(encloser);
  return zone.nodes.get(`\u0001*${encloser}`);
}
