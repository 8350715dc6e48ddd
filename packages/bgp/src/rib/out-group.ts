import type { Family, Prefix } from "@trivet/ip";
import { packAnnouncements, packWithdrawals } from "../wire/index.ts";
import type { AttributeSets } from "./attribute-sets.ts";
import { NlriBytes } from "./nlri-bytes.ts";
import type { PrefixTable } from "./prefix-table.ts";
import { type Profile, type Rendered, render } from "./render.ts";
import type { Changes, RouteTable } from "./route-table.ts";

/** Encoded UPDATEs, withdrawals first: one entry a family and kind. Chunks are shared between peers and never written to. */
export type Outgoing = readonly { readonly family: Family; readonly chunks: readonly Uint8Array[] }[];

/**
 * Takes a prefix, or rows from `row` up to `to`: what the peers were told of them and what they are to be told; equal ones cost
 * nothing.
 */
type Tell = (
  table: PrefixTable,
  row: number,
  before: Rendered | undefined,
  after: Rendered | undefined,
  to?: number,
) => void;

/** The peers with one export policy and one profile: encoded once, sent to all. */
export class OutGroup {
  readonly table: RouteTable;
  readonly profile: Profile;
  readonly #sets: AttributeSets;
  readonly #rendered = new Map<number, Rendered | undefined>();
  readonly #dumps: Partial<Record<Family, { readonly version: number; readonly outgoing: Outgoing }>> = {};

  constructor(table: RouteTable, profile: Profile, sets: AttributeSets) {
    this.table = table;
    this.profile = profile;
    this.#sets = sets;
  }

  /** What a peer of this group is told of an attribute set; `undefined` for nothing. */
  rendered(id: number): Rendered | undefined {
    if (id === 0) return undefined;
    if (this.#rendered.has(id)) return this.#rendered.get(id);
    const set = this.#sets.get(id);
    const rendered = set && render(set, this.profile);
    this.#rendered.set(id, rendered);
    return rendered;
  }

  /** The attribute set is no longer in use. */
  forget(id: number): void {
    this.#rendered.delete(id);
  }

  /** What changed, for peers that are in step. */
  encodeChanges(changes: readonly Changes[]): Outgoing {
    return this.#encode((tell) => {
      for (const { table, rows } of changes)
        for (const row of rows)
          tell(table, row, this.rendered(table.previous[row] as number), this.rendered(table.value[row] as number));
    });
  }

  /**
   * What a peer missed.
   *
   * @param missed per prefix the number of the attribute set that it was last told of
   * @param told what those looked like
   */
  encodeMissed(missed: readonly PrefixTable[], told: ReadonlyMap<number, Rendered | undefined>): Outgoing {
    return this.#encode((tell) => {
      for (const table of missed)
        for (let row = 0; row < table.size; row++)
          tell(table, row, told.get(table.value[row] as number), this.rendered(this.#told(table, row)));
    });
  }

  /** All routes of a family. */
  encodeAll(family: Family): Outgoing {
    const { version } = this.table;
    const kept = this.#dumps[family];
    if (kept?.version === version) return kept.outgoing;
    const outgoing = this.#encode((tell) => {
      const table = this.table.families[family];
      const ids = table.previous;
      // Rows mostly come in runs of one attribute set.
      for (let row = 0, end = 0; row < table.size; row = end) {
        const id = ids[row] as number;
        while (end < table.size && ids[end] === id) end++;
        tell(table, row, undefined, this.rendered(id), end);
      }
    });
    this.#dumps[family] = { version, outgoing };
    return outgoing;
  }

  /** What a peer is to be told that was in step with another group. */
  encodeMove(from: OutGroup): Outgoing {
    return this.#encode((tell) => {
      for (const table of Object.values(from.table.families)) {
        for (let row = 0; row < table.size; row++) {
          const before = from.rendered(table.previous[row] as number);
          if (before !== undefined) tell(table, row, before, this.rendered(this.#told(table, row)));
        }
      }
      for (const table of Object.values(this.table.families)) {
        for (let row = 0; row < table.size; row++) {
          if (from.rendered(from.#told(table, row)) === undefined)
            tell(table, row, undefined, this.rendered(table.previous[row] as number));
        }
      }
    });
  }

  /** How many routes each peer of the group is told, and how many cannot be told to such peers. */
  count(): { readonly told: Record<Family, number>; readonly untold: Record<Family, number> } {
    const told = { 4: 0, 6: 0 };
    const untold = { 4: 0, 6: 0 };
    for (const [id, routes] of this.table.uses) {
      const family = this.#sets.get(id)?.family;
      if (family !== undefined) (this.rendered(id) === undefined ? untold : told)[family] += routes;
    }
    return { told, untold };
  }

  /** What each peer of the group is told. */
  *routes(): Generator<{ readonly prefix: Prefix; readonly rendered: Rendered }> {
    for (const table of Object.values(this.table.families)) {
      for (let row = 0; row < table.size; row++) {
        const rendered = this.rendered(table.previous[row] as number);
        if (rendered !== undefined) yield { prefix: table.prefixAt(row), rendered };
      }
    }
  }

  /** The attribute set that peers in step have been told of a prefix. */
  #told(table: PrefixTable, row: number): number {
    const mine = this.table.families[table.family];
    const found = mine === table ? row : mine.findRow(table, row);
    return found < 0 ? 0 : (mine.previous[found] as number);
  }

  #encode(feed: (tell: Tell) => void): Outgoing {
    const withdrawn: Record<Family, NlriBytes> = { 4: new NlriBytes(), 6: new NlriBytes() };
    const announced = new Map<string, { readonly rendered: Rendered; readonly nlri: NlriBytes }>();
    let last: { readonly rendered: Rendered; readonly nlri: NlriBytes } | undefined;
    feed((table, row, before, after, to = row + 1) => {
      if (after === undefined) {
        if (before !== undefined) withdrawn[table.family].add(table, row, to);
        return;
      }
      if (before !== undefined && before.key === after.key) return;
      if (last?.rendered !== after) {
        last = announced.get(after.key);
        if (last === undefined) announced.set(after.key, (last = { rendered: after, nlri: new NlriBytes() }));
      }
      last.nlri.add(table, row, to);
    });
    const { context } = this.profile;
    const outgoing: { family: Family; chunks: Uint8Array[] }[] = [];
    for (const family of [4, 6] as const) {
      const { bytes } = withdrawn[family];
      if (bytes.length > 0) outgoing.push({ family, chunks: [...packWithdrawals(family, bytes, context)] });
    }
    for (const { rendered, nlri } of announced.values()) {
      const { block } = rendered;
      outgoing.push({ family: block.family, chunks: [...packAnnouncements(block, nlri.bytes, context)] });
    }
    return outgoing;
  }
}
