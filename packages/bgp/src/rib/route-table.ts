import type { Family, Prefix } from "@trivet/ip";
import type { ExportPolicy } from "../options.ts";
import type { Route } from "../route.ts";
import type { AttributeSets } from "./attribute-sets.ts";
import { PrefixTable } from "./prefix-table.ts";

const DIRTY = 1;
/** Flipped with every `begin`, to tell the rows announced since from the others. */
const GENERATION = 2;

/** The rows of one family that changed since the last `settle`; `value` is what they are now, `previous` what they were. */
export interface Changes {
  readonly table: PrefixTable;
  readonly rows: readonly number[];
}

/**
 * The routes that one export policy lets through: per prefix the attribute set wanted (`value`) and the one that every peer in step
 * has been told (`previous`); 0 is no route. What is to be sent is the difference, so whatever happens between two `settle`s costs one
 * change a prefix, or none when it ends as it began.
 */
export class RouteTable {
  readonly families: Readonly<Record<Family, PrefixTable>> = { 4: new PrefixTable(4), 6: new PrefixTable(6) };
  /** Goes up with every `settle` that changed something. */
  version = 0;
  readonly #sets: AttributeSets;
  readonly #policy: ExportPolicy;
  readonly #dirty: Record<Family, number[]> = { 4: [], 6: [] };
  /** Settled rows of each attribute set. */
  readonly #uses = new Map<number, number>();
  #generation = 0;

  constructor(sets: AttributeSets, policy: ExportPolicy) {
    this.#sets = sets;
    this.#policy = policy;
  }

  /** Begins to take the whole wanted set: `announce` each route, then `end`. */
  begin(): void {
    this.#generation ^= GENERATION;
    for (const { flags, size } of Object.values(this.families))
      for (let row = 0; row < size; row++)
        flags[row] = ((flags[row] as number) & DIRTY) | (this.#generation ^ GENERATION);
  }

  /** Withdraws what was not announced since `begin`. */
  end(): void {
    for (const table of Object.values(this.families))
      for (let row = 0; row < table.size; row++)
        if (((table.flags[row] as number) & GENERATION) !== this.#generation) this.#set(table, row, 0);
  }

  /** @throws RouteError */
  announce(route: Route): void {
    const allowed = this.#policy(route);
    if (allowed === undefined) {
      this.withdraw(route.prefix);
      return;
    }
    const id = this.#sets.intern(allowed.prefix === route.prefix ? allowed : { ...allowed, prefix: route.prefix });
    const table = this.families[route.prefix.family];
    const row = table.add(route.prefix);
    this.#set(table, row, id);
    table.flags[row] = ((table.flags[row] as number) & DIRTY) | this.#generation;
  }

  withdraw(prefix: Prefix): void {
    const table = this.families[prefix.family];
    const row = table.find(prefix);
    if (row >= 0) this.#set(table, row, 0);
  }

  get isDirty(): boolean {
    return this.#dirty[4].length + this.#dirty[6].length > 0;
  }

  /** What differs between `value` and `previous`, by family. */
  changes(): Changes[] {
    return ([4, 6] as const).map((family) => {
      const table = this.families[family];
      return { table, rows: this.#dirty[family].filter((row) => table.value[row] !== table.previous[row]) };
    });
  }

  /** Takes the changes as told. Row numbers are others afterwards. */
  settle(): void {
    if (!this.isDirty) return;
    this.version++;
    for (const family of [4, 6] as const) {
      const table = this.families[family];
      const gone: number[] = [];
      for (const row of this.#dirty[family]) {
        const [value, previous] = [table.value[row] as number, table.previous[row] as number];
        table.flags[row] = (table.flags[row] as number) & ~DIRTY;
        if (value !== previous) {
          this.#count(value, 1);
          this.#count(previous, -1);
          table.previous[row] = value;
          this.#sets.retain(value);
          this.#sets.release(previous);
        }
        if (value === 0) gone.push(row);
      }
      // From the end, so that the row which takes a removed one's place is none that is still to be removed.
      gone.sort((a, b) => b - a);
      for (const row of gone) table.remove(row);
      this.#dirty[family] = [];
    }
  }

  /** The settled attribute sets with the count of routes of each. */
  get uses(): ReadonlyMap<number, number> {
    return this.#uses;
  }

  /** The wanted routes, as they were announced. */
  *routes(): Generator<Route> {
    for (const family of [4, 6] as const) {
      const table = this.families[family];
      for (let row = 0; row < table.size; row++) {
        const set = this.#sets.get(table.value[row] as number);
        if (set === undefined) continue;
        const { nextHop, attributes } = set;
        yield { prefix: table.prefixAt(row), attributes, ...(nextHop === undefined ? {} : { nextHop }) };
      }
    }
  }

  #set(table: PrefixTable, row: number, id: number): void {
    const old = table.value[row] as number;
    if (old === id) return;
    this.#sets.retain(id);
    this.#sets.release(old);
    table.value[row] = id;
    if (((table.flags[row] as number) & DIRTY) !== 0) return;
    table.flags[row] = (table.flags[row] as number) | DIRTY;
    this.#dirty[table.family].push(row);
  }

  #count(id: number, by: number): void {
    if (id === 0) return;
    const count = (this.#uses.get(id) ?? 0) + by;
    if (count === 0) this.#uses.delete(id);
    else this.#uses.set(id, count);
  }
}
