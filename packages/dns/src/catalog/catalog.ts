import { createHash } from "node:crypto";
import { TYPE } from "../wire/codes.ts";
import { Name } from "../wire/name.ts";
import { soaRdata, txtRdata } from "../wire/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";

/** A zone that a catalog lists. */
export interface CatalogMember {
  readonly zone: Name;
  /** Tells secondaries which configuration it gets (RFC 9432 §4.4.2). */
  readonly group?: string;
}

export interface CatalogOptions {
  readonly origin: Name;
  readonly serial: number;
  readonly members: readonly CatalogMember[];
  /** Seconds between a secondary's checks; 3,600 unless told. */
  readonly refresh?: number;
}

/**
 * The records of a catalog zone (RFC 9432): secondaries that have it learn by transfer which zones to have. A member's label is
 * made from its name, so that a zone which goes and comes again keeps it and no secondary sees it as another.
 */
export function catalogRecords({ origin, serial, members, refresh = 3600 }: CatalogOptions): ResourceRecord[] {
  // RFC 9432 §4.1: nobody resolves names here, so SOA and NS name servers that cannot be.
  const invalid = Name.parse("invalid.");
  const soa = { mname: invalid, rname: invalid, serial, refresh, retry: 60, expire: 2_419_200, minimum: 0 };
  const records: ResourceRecord[] = [
    { name: origin, type: TYPE.SOA, ttl: 0, rdata: soaRdata(soa) },
    { name: origin, type: TYPE.NS, ttl: 0, rdata: invalid.wire },
    { name: origin.child("version"), type: TYPE.TXT, ttl: 0, rdata: txtRdata("2") },
  ];
  const zones = origin.child("zones");
  for (const { zone, group } of members) {
    const label = createHash("sha256").update(zone.key, "latin1").digest("hex").slice(0, 32);
    const name = zones.child(label);
    records.push({ name, type: TYPE.PTR, ttl: 0, rdata: zone.wire });
    if (group !== undefined)
      records.push({ name: name.child("group"), type: TYPE.TXT, ttl: 0, rdata: txtRdata(group) });
  }
  return records;
}
