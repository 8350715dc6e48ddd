import type { Address, Family, Prefix } from "@trivet/ip";
import type { PathAttributes, UpdateMessage } from "../wire/index.ts";
import { Counted } from "./counted.ts";
import { PrefixTable } from "./prefix-table.ts";

/** A route as a peer sent it, or is sent it. */
export interface PeerRoute {
  readonly prefix: Prefix;
  readonly nextHop: Address;
  readonly attributes: PathAttributes;
}

/** What a peer announces: to be seen and counted, never to be used. */
export class AdjRibIn {
  readonly #tables: Readonly<Record<Family, PrefixTable>> = { 4: new PrefixTable(4), 6: new PrefixTable(6) };
  /** What the peer has not announced again since it began to answer a route refresh. */
  readonly #stale: Partial<Record<Family, PrefixTable>> = {};
  readonly #paths = new Counted<{ readonly nextHop: Address; readonly attributes: PathAttributes }>();

  apply({ withdrawn, announced, attributes }: UpdateMessage): void {
    for (const prefix of withdrawn) this.#withdraw(prefix);
    if (attributes === undefined) return;
    for (const { nextHop, prefixes } of announced) {
      if (prefixes.length === 0) continue;
      const path = this.#paths.add({ nextHop: nextHop.address, attributes });
      for (const prefix of prefixes) {
        const table = this.#tables[prefix.family];
        const row = table.add(prefix);
        this.#renew(prefix);
        this.#paths.retain(path);
        this.#paths.release(table.value[row] as number);
        table.value[row] = path;
      }
    }
  }

  /** The peer announces all of a family again (RFC 7313 §4). */
  beginRefresh(family: Family): void {
    const stale = new PrefixTable(family);
    const table = this.#tables[family];
    for (let row = 0; row < table.size; row++) stale.addRow(table, row);
    this.#stale[family] = stale;
  }

  /** It has: what it has not announced again is gone. */
  endRefresh(family: Family): void {
    const stale = this.#stale[family];
    delete this.#stale[family];
    for (let row = 0; row < (stale?.size ?? 0); row++) this.#withdraw((stale as PrefixTable).prefixAt(row));
  }

  count(): Record<Family, number> {
    return { 4: this.#tables[4].size, 6: this.#tables[6].size };
  }

  *routes(): Generator<PeerRoute> {
    for (const table of Object.values(this.#tables)) {
      for (let row = 0; row < table.size; row++) {
        const path = this.#paths.get(table.value[row] as number);
        if (path !== undefined) yield { prefix: table.prefixAt(row), ...path };
      }
    }
  }

  #renew(prefix: Prefix): void {
    const stale = this.#stale[prefix.family];
    const row = stale?.find(prefix) ?? -1;
    if (row >= 0) stale?.remove(row);
  }

  #withdraw(prefix: Prefix): void {
    const table = this.#tables[prefix.family];
    const row = table.find(prefix);
    if (row < 0) return;
    this.#paths.release(table.value[row] as number);
    table.remove(row);
  }
}
