import { ZoneError } from "../error.ts";
import { type Name, parentKey } from "../wire/name.ts";
import { isNewer, readSoa } from "../wire/rdata.ts";
import { type Difference, difference } from "./difference.ts";
import { Journal } from "./journal.ts";
import type { Zone } from "./zone.ts";

/** What happened to a store. `difference` is absent when the zone is new; it then comes with what is known of its `history`. */
export type ZoneChange =
  | {
      readonly kind: "zone";
      readonly zone: Zone;
      readonly difference: Difference | undefined;
      readonly history?: readonly Difference[];
    }
  | { readonly kind: "removed"; readonly origin: Name };

/**
 * The zones a server answers for. A zone is replaced as a whole: a query sees it before or after the change. Which serial a new
 * version has is up to the caller; see {@link replace}.
 */
export class ZoneStore {
  readonly #entries = new Map<string, { zone: Zone; readonly journal: Journal }>();
  readonly #listeners = new Set<(change: ZoneChange) => void>();
  readonly #journalLimit: number;

  /** @param journalRecords how many changed records are kept for incremental transfers of a zone */
  constructor({ journalRecords = 100_000 }: { readonly journalRecords?: number } = {}) {
    this.#journalLimit = journalRecords;
  }

  get zones(): readonly Zone[] {
    return [...this.#entries.values()].map(({ zone }) => zone);
  }

  get(origin: Name): Zone | undefined {
    return this.#entries.get(origin.key)?.zone;
  }

  journal(origin: Name): Journal | undefined {
    return this.#entries.get(origin.key)?.journal;
  }

  /** The zone with the longest origin that the name is at or below. */
  find(key: string): Zone | undefined {
    for (let at = key; at !== ""; at = parentKey(at)) {
      const entry = this.#entries.get(at);
      if (entry !== undefined) return entry.zone;
    }
    return undefined;
  }

  /**
   * Puts in a zone, or a new version of one. With a newer serial (RFC 1982) the change goes into the journal; otherwise
   * secondaries cannot follow step by step, and the journal starts anew.
   */
  replace(zone: Zone): void {
    const entry = this.#entries.get(zone.origin.key);
    if (entry === undefined || !isNewer(zone.serial, entry.zone.serial)) {
      this.#entries.set(zone.origin.key, { zone, journal: new Journal(this.#journalLimit) });
      this.#tell({ kind: "zone", zone, difference: undefined });
    } else this.#advance(entry, zone, difference(entry.zone, zone));
  }

  /**
   * Puts in a zone with the changes that led to it, oldest first, as it was before the process ended. Changes that do not lead to it
   * one after the other are left out.
   */
  restore(zone: Zone, changes: readonly Difference[]): void {
    const journal = new Journal(this.#journalLimit);
    const history = leadingTo(zone, changes);
    for (const change of history) journal.add(change);
    this.#entries.set(zone.origin.key, { zone, journal });
    this.#tell({ kind: "zone", zone, difference: undefined, history });
  }

  /**
   * Changes a zone by a difference.
   *
   * @throws ZoneError when there is no such zone, the difference does not fit it, or its serial is not newer
   */
  apply(origin: Name, change: Difference): void {
    const entry = this.#entries.get(origin.key);
    if (entry === undefined) throw new ZoneError(origin.toString(), ["it is not served here"]);
    const zone = entry.zone.apply(change);
    if (!isNewer(zone.serial, entry.zone.serial))
      throw new ZoneError(origin.toString(), [`serial ${zone.serial} is not newer than ${entry.zone.serial}`]);
    this.#advance(entry, zone, change);
  }

  remove(origin: Name): void {
    if (this.#entries.delete(origin.key)) this.#tell({ kind: "removed", origin });
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: (change: ZoneChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #advance(entry: { zone: Zone; readonly journal: Journal }, zone: Zone, change: Difference): void {
    entry.zone = zone;
    entry.journal.add(change);
    this.#tell({ kind: "zone", zone, difference: change });
  }

  #tell(change: ZoneChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** The last of the changes of which each begins where the one before ended, and the last ends at the zone. */
function leadingTo(zone: Zone, changes: readonly Difference[]): readonly Difference[] {
  let { serial } = zone;
  let first = changes.length;
  while (first > 0) {
    const change = changes[first - 1];
    if (change === undefined || readSoa(change.newSoa.rdata).serial !== serial) break;
    ({ serial } = readSoa(change.oldSoa.rdata));
    first--;
  }
  return changes.slice(first);
}
