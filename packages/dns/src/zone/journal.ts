import { readSoa } from "../wire/rdata.ts";
import type { Difference } from "./difference.ts";

/** The last changes of a zone, for incremental transfers. Old ones go when there are too many records. */
export class Journal {
  readonly #limit: number;
  #entries: { readonly from: number; readonly difference: Difference }[] = [];
  #records = 0;

  /** @param limit count of records that are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get differences(): readonly Difference[] {
    return this.#entries.map(({ difference }) => difference);
  }

  /** Records in it, SOA records included. */
  get size(): number {
    return this.#records;
  }

  add(difference: Difference): void {
    this.#entries.push({ from: readSoa(difference.oldSoa.rdata).serial, difference });
    this.#records += sizeOf(difference);
    while (this.#records > this.#limit) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) break;
      this.#records -= sizeOf(oldest.difference);
    }
  }

  clear(): void {
    this.#entries = [];
    this.#records = 0;
  }

  /** The changes that lead from `serial` to now, oldest first; `undefined` when that is too long ago, or no serial of the zone. */
  since(serial: number): readonly Difference[] | undefined {
    const first = this.#entries.findIndex(({ from }) => from === serial);
    return first < 0 ? undefined : this.#entries.slice(first).map(({ difference }) => difference);
  }
}

function sizeOf({ removed, added }: Difference): number {
  return removed.length + added.length + 2;
}
