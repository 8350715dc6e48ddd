import { ZoneError } from "../error.ts";
import { TYPE } from "../wire/codes.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { decodeRecords, encodeRecords } from "./blob.ts";
import type { Difference } from "./difference.ts";
import { Zone } from "./zone.ts";

/** A zone and the changes that led to it, oldest first. */
export interface Archive {
  readonly zone: Zone;
  readonly changes: readonly Difference[];
}

/** A zone and its journal as one block of octets, to outlive the process; see {@link ZoneStore.restore}. */
export function packZone({ zone, changes }: Archive): Uint8Array<ArrayBuffer> {
  function* records(): Generator<ResourceRecord> {
    yield zone.soaRecord;
    yield* zone.records();
    // As an incremental transfer has them (RFC 1995 §4): each list begins with a SOA record.
    for (const { oldSoa, newSoa, removed, added } of changes) {
      yield oldSoa;
      yield* removed;
      yield newSoa;
      yield* added;
    }
  }
  return encodeRecords(records());
}

/**
 * Undoes {@link packZone}. Octets that something else changed give any zone or error: whoever stores them sees to that.
 *
 * @throws ZoneError when there is no zone in them
 */
export function unpackZone(bytes: Uint8Array): Archive {
  const parts: ResourceRecord[][] = [];
  for (const record of decodeRecords(bytes))
    if (record.type === TYPE.SOA) parts.push([record]);
    else parts.at(-1)?.push(record);
  const [whole, ...rest] = parts;
  const origin = whole?.[0]?.name;
  if (whole === undefined || origin === undefined) throw new ZoneError("archive", ["it has no SOA record"]);
  const changes: Difference[] = [];
  for (let i = 0; i + 1 < rest.length; i += 2) {
    const [[oldSoa, ...removed] = [], [newSoa, ...added] = []] = [rest[i], rest[i + 1]];
    if (oldSoa !== undefined && newSoa !== undefined) changes.push({ oldSoa, newSoa, removed, added });
  }
  return { zone: Zone.build(origin, whole), changes };
}
