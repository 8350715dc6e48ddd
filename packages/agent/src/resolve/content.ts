import { type Name, type ResourceRecord, TYPE, rdataText, record } from "@trivet/dns";
import type { Address } from "@trivet/ip";

/** Where a record comes from, in words: "instance web/c1 (eth0, static)". */
export type Origin = string;

/** A value that could not be used; it counts as absent and harms nothing else. */
export interface ResolveProblem {
  /** "instance web/c1", "network default/ovn1", "zone example.net" */
  readonly where: string;
  /** The key, where it is a key's value that is wrong. */
  readonly key?: string;
  readonly why: string;
}

/** A record and why it is there. */
export interface ExplainedRecord extends ResourceRecord {
  readonly origin: Origin;
}

/** Collects the records of one zone, each name's owner known, so that contradictions are found and the first claim stands. */
export class ZoneContent {
  readonly origin: Name;
  readonly #records = new Map<string, ExplainedRecord>();
  readonly #types = new Map<string, { cname: Origin | undefined; other: Origin | undefined }>();
  readonly #owners = new Map<string, string>();

  constructor(origin: Name) {
    this.origin = origin;
  }

  get records(): Iterable<ExplainedRecord> {
    return this.#records.values();
  }

  /**
   * Claims a name for one instance (or network, server); later ones do not get it.
   *
   * @returns who has it, when that is someone else
   */
  claim(name: Name, claimant: string): string | undefined {
    const owner = this.#owners.get(name.key);
    if (owner === undefined) this.#owners.set(name.key, claimant);
    return owner === claimant ? undefined : owner;
  }

  /** @returns why the record cannot be in the zone beside those that are, or `undefined` when it is now */
  add(entry: ExplainedRecord): string | undefined {
    const { name, type } = entry;
    if (!name.isAtOrBelow(this.origin)) return `${name.toString()} is outside the zone ${this.origin.toString()}`;
    const here = this.#types.get(name.key) ?? { cname: undefined, other: undefined };
    // RFC 1034 §3.6.2: a CNAME stands alone; and the apex has SOA and NS records.
    if (type === TYPE.CNAME) {
      if (name.equals(this.origin)) return `${name.toString()} is the zone's apex, which cannot be a CNAME`;
      const beside = here.other ?? here.cname;
      if (beside !== undefined) return `${name.toString()} cannot be a CNAME: it has records already (${beside})`;
      here.cname = entry.origin;
    } else {
      if (here.cname !== undefined) return `${name.toString()} is a CNAME already (${here.cname})`;
      here.other = entry.origin;
    }
    this.#types.set(name.key, here);
    const key = `${name.key} ${type} ${rdataText(type, entry.rdata)}`;
    if (!this.#records.has(key)) this.#records.set(key, entry);
    return undefined;
  }
}

/** An A or AAAA record. */
export function addressRecord(name: Name, ttl: number, address: Address, origin: Origin): ExplainedRecord {
  return { ...record(name, ttl, address.family === 4 ? "A" : "AAAA", address.toString()), origin };
}
