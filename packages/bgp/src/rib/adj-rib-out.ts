import type { ExportPolicy } from "../options.ts";
import type { Route, RouteChange } from "../route.ts";
import { AttributeSets } from "./attribute-sets.ts";
import { OutGroup } from "./out-group.ts";
import { type Profile, profileKey } from "./render.ts";
import { RouteTable } from "./route-table.ts";
import type { Sender } from "./sender.ts";

const everything: ExportPolicy = (route) => route;

interface GroupEntry {
  readonly group: OutGroup;
  readonly members: Set<Sender>;
}

interface PolicyTable {
  readonly table: RouteTable;
  readonly groups: Map<string, GroupEntry>;
}

/**
 * What is announced, and to whom.
 *
 * The wanted routes stand in one table an export policy, and peers that are to be told the same octets form a group: a change is
 * found once a table, encoded once a group, and the same buffers go to every peer that keeps up. A peer that does not keeps its own
 * list of what it missed (`Sender`), so that a slow one costs neither the others nor unbounded memory.
 *
 * The first change is sent in the same turn of the event loop, and what follows in that turn together at its end.
 */
export class AdjRibOut {
  readonly #soon: (callback: () => void) => void;
  readonly #tables = new Map<ExportPolicy, PolicyTable>();
  readonly #sets = new AttributeSets((id) => {
    for (const { group } of this.#groups()) group.forget(id);
  });
  #scheduled = false;
  #justFlushed = false;

  /** @param soon calls back after the current event, before the next */
  constructor(soon: (callback: () => void) => void) {
    this.#soon = soon;
    this.#tables.set(everything, { table: new RouteTable(this.#sets, everything), groups: new Map() });
  }

  /** @throws RouteError; the routes before the faulty one are taken, none is withdrawn */
  replace(routes: Iterable<Route>): void {
    const tables = [...this.#tables.values()].map(({ table }) => table);
    try {
      for (const table of tables) table.begin();
      for (const route of routes) for (const table of tables) table.announce(route);
      for (const table of tables) table.end();
    } finally {
      this.#schedule();
    }
  }

  /** @throws RouteError; the withdrawals and the routes before the faulty one are taken */
  change({ announce = [], withdraw = [] }: RouteChange): void {
    const tables = [...this.#tables.values()].map(({ table }) => table);
    try {
      for (const prefix of withdraw) for (const table of tables) table.withdraw(prefix);
      for (const route of announce) for (const table of tables) table.announce(route);
    } finally {
      this.#schedule();
    }
  }

  /** Makes a sender a member of the group of its policy and profile; it leaves its former group when it is in step with the new. */
  join(sender: Sender, policy: ExportPolicy | undefined, profile: Profile): void {
    this.flush();
    const { group, members } = this.#entryOf(policy, profile);
    members.add(sender);
    if (sender.group !== group) sender.follow(group, () => this.leave(sender, sender.group));
  }

  /** Encodes what a peer is about to need, while its session waits for the other end. */
  prepare(policy: ExportPolicy | undefined, profile: Profile): void {
    this.flush();
    const { group } = this.#entryOf(policy, profile);
    for (const family of profile.context.families) group.encodeAll(family);
  }

  /** @param but the group to stay in */
  leave(sender: Sender, but?: OutGroup): void {
    for (const [policy, { groups }] of this.#tables) {
      for (const [key, { group, members }] of groups) {
        if (group !== but) members.delete(sender);
        if (members.size === 0) groups.delete(key);
      }
      if (groups.size === 0 && policy !== everything) this.#tables.delete(policy);
    }
  }

  /** Tells the peers all that changed, now. */
  flush(): void {
    for (const { table, groups } of this.#tables.values()) {
      if (!table.isDirty) continue;
      const changes = table.changes();
      if (changes.some(({ rows }) => rows.length > 0))
        for (const { group, members } of groups.values()) {
          const inStep = [...members].filter((member) => !member.missed(group, changes));
          if (inStep.length === 0) continue;
          const outgoing = group.encodeChanges(changes);
          for (const member of inStep) member.send(outgoing);
        }
      table.settle();
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const flush = (): void => {
      this.#scheduled = false;
      this.flush();
    };
    if (this.#justFlushed) return this.#soon(flush);
    queueMicrotask(() => {
      this.#justFlushed = true;
      this.#soon(() => (this.#justFlushed = false));
      flush();
    });
  }

  #entryOf(policy: ExportPolicy | undefined, profile: Profile): GroupEntry {
    const { table, groups } = this.#tableOf(policy ?? everything);
    const key = profileKey(profile);
    let entry = groups.get(key);
    if (entry === undefined)
      groups.set(key, (entry = { group: new OutGroup(table, profile, this.#sets), members: new Set() }));
    return entry;
  }

  #tableOf(policy: ExportPolicy): PolicyTable {
    let entry = this.#tables.get(policy);
    if (entry === undefined) {
      const table = new RouteTable(this.#sets, policy);
      for (const route of this.#tables.get(everything)?.table.routes() ?? []) table.announce(route);
      table.settle();
      this.#tables.set(policy, (entry = { table, groups: new Map() }));
    }
    return entry;
  }

  *#groups(): Generator<GroupEntry> {
    for (const { groups } of this.#tables.values()) yield* groups.values();
  }
}
