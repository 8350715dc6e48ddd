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
    yield* changeRecords(changes);
  }
  return encodeRecords(records());
}

/**
 * Undoes {@link packZone}. Octets that something else changed give any zone or error: whoever stores them sees to that.
 *
 * @throws ZoneError when there is no zone in them
 */
export function unpackZone(bytes: Uint8Array): Archive {
  const [whole, ...rest] = parts(bytes);
  const origin = whole?.[0]?.name;
  if (whole === undefined || origin === undefined) throw new ZoneError("archive", ["it has no SOA record"]);
  return { zone: Zone.build(origin, whole), changes: changesOf(rest) };
}

/** A journal alone. */
export function packChanges(changes: readonly Difference[]): Uint8Array<ArrayBuffer> {
  return encodeRecords(changeRecords(changes));
}

/** Undoes {@link packChanges}. */
export function unpackChanges(bytes: Uint8Array): readonly Difference[] {
  return changesOf(parts(bytes));
}

/** As an incremental transfer has them (RFC 1995 §4): each list begins with a SOA record. */
function* changeRecords(changes: readonly Difference[]): Generator<ResourceRecord> {
  for (const { oldSoa, newSoa, removed, added } of changes) {
    yield oldSoa;
    yield* removed;
    yield newSoa;
    yield* added;
  }
}

function parts(bytes: Uint8Array): ResourceRecord[][] {
  const found: ResourceRecord[][] = [];
  for (const record of decodeRecords(bytes))
    if (record.type === TYPE.SOA) found.push([record]);
    else found.at(-1)?.push(record);
  return found;
}

function changesOf(lists: readonly ResourceRecord[][]): Difference[] {
  const changes: Difference[] = [];
  for (let i = 0; i + 1 < lists.length; i += 2) {
    const [[oldSoa, ...removed] = [], [newSoa, ...added] = []] = [lists[i], lists[i + 1]];
    if (oldSoa !== undefined && newSoa !== undefined) changes.push({ oldSoa, newSoa, removed, added });
  }
  return changes;
}
