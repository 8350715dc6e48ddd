import type { Instance, Project } from "@trivet/lxd";
import type { Membership } from "./read.ts";
import { same } from "./same.ts";
import {
  type DnsZone,
  type KnownInstance,
  type Learnt,
  type Network,
  PARTS,
  type Part,
  type PartState,
  type Snapshot,
  isHollow,
  isLocal,
  isWhole,
  keyOf,
} from "./snapshot.ts";

/**
 * What was read so far, and the Snapshot made of it. What did not change keeps its identity.
 *
 * A whole part is read while single things of it are read too, because of events. Whichever *began* later is right: every read takes a
 * {@link ticket} before it begins, and a part's listing does not touch what was read on a later ticket.
 */
export class Store {
  #ticket = 0;
  #membership: Membership | undefined;
  #projects: ReadonlyMap<string, Project> | undefined;
  #zones: ReadonlyMap<string, DnsZone> = new Map();
  readonly #tables = { instances: new Table<Instance>(), networks: new Table<Network>() };
  readonly #parts = new Map<Part, PartState>();
  readonly #known = new KnownInstances();
  #learning = false;
  #snapshot: Snapshot | undefined;

  /** Taken before a read begins. */
  ticket(): number {
    return ++this.#ticket;
  }

  /** The newest; absent until each part was read once. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  get parts(): ReadonlyMap<Part, PartState> {
    return this.#parts;
  }

  get server(): Membership | undefined {
    return this.#membership;
  }

  /** What was read by itself; absent until each part was read once. */
  get world(): Pick<Snapshot, "instances" | "networks" | "projects"> | undefined {
    const projects = this.#projects;
    if (projects === undefined || !this.#allRead()) return undefined;
    return { projects, networks: this.#tables.networks.entries, instances: this.#tables.instances.entries };
  }

  /** What instances were learnt to have, by key; and whether more is coming at once. */
  setLearnt(learnt: ReadonlyMap<string, Learnt>, learning: boolean): void {
    this.#known.learnt = learnt;
    this.#learning = learning;
  }

  get networks(): ReadonlyMap<string, Network> {
    return this.#tables.networks.entries;
  }

  setMembership(membership: Membership, now: number): void {
    if (!same(membership, this.#membership)) this.#membership = membership;
    this.#done("members", now);
  }

  setProjects(projects: readonly Project[], now: number): void {
    const next = new Map(projects.map((project) => [project.name, project]));
    const before = this.#projects;
    if (before === undefined || !same([...next], [...before])) this.#projects = next;
    this.#done("projects", now);
  }

  setInstances(all: readonly Instance[], ticket: number, now: number): void {
    this.#tables.instances.replace(
      all.map((instance) => this.#believable(instance)),
      ticket,
    );
    this.#done("instances", now);
  }

  setZones(all: readonly DnsZone[], now: number): void {
    const next = new Map(all.map((zone) => [keyOf(zone), zone]));
    const before = this.#zones;
    if (!same([...next], [...before])) this.#zones = next;
    this.#done("zones", now);
  }

  setNetworks(all: readonly Network[], ticket: number, now: number): void {
    this.#tables.networks.replace(all, ticket);
    this.#done("networks", now);
  }

  setInstance(key: string, instance: Instance | undefined, ticket: number): void {
    this.#tables.instances.set(key, instance && this.#believable(instance), ticket);
  }

  setNetwork(key: string, network: Network | undefined, ticket: number): void {
    this.#tables.networks.set(key, network, ticket);
  }

  setError(part: Part, error: string): void {
    this.#parts.set(part, { readAt: this.#parts.get(part)?.readAt ?? 0, error });
  }

  clearError(part: Part): void {
    const state = this.#parts.get(part);
    if (state?.error !== undefined) this.#parts.set(part, { readAt: state.readAt });
  }

  /**
   * Makes the Snapshot of what there is now.
   *
   * @returns it, whether anything but its times differs from the one before, and whether {@link isWhole} does; nothing before each part
   *   was read once
   */
  commit(
    now: number,
  ): { readonly snapshot: Snapshot; readonly changed: boolean; readonly turned: boolean } | undefined {
    const [membership, projects] = [this.#membership, this.#projects];
    if (membership === undefined || projects === undefined || !this.#allRead()) return undefined;
    const before = this.#snapshot;
    const next: Snapshot = {
      ...membership,
      takenAt: now,
      parts: Object.fromEntries(this.#parts) as Snapshot["parts"],
      projects,
      networks: this.#tables.networks.entries,
      zones: this.#zones,
      instances: this.#known.join(this.#tables.instances.entries),
      learning: this.#learning,
    };
    const changed =
      before === undefined ||
      before.members !== next.members ||
      before.trusted !== next.trusted ||
      before.server !== next.server ||
      before.clustered !== next.clustered ||
      before.projects !== next.projects ||
      before.networks !== next.networks ||
      before.zones !== next.zones ||
      before.instances !== next.instances;
    this.#snapshot = next;
    return { snapshot: next, changed, turned: isWhole(before) !== isWhole(next) };
  }

  #allRead(): boolean {
    return PARTS.every((part) => (this.#parts.get(part)?.readAt ?? 0) > 0);
  }

  #done(part: Part, now: number): void {
    this.#parts.set(part, { readAt: now });
  }

  /**
   * LXD says `Error` of an instance whose state it could not find out. That is no news of the instance: one that lives here keeps the
   * status it had; and of one on a server that LXD cannot reach, of which it tells only the place, what was known of it stays known.
   */
  #believable(instance: Instance): Instance {
    const before = this.#tables.instances.entries.get(keyOf(instance));
    if (instance.status !== "Error" || before === undefined) return instance;
    const { location, status, status_code } = instance;
    const told = isHollow(instance) ? { ...before, location, status, status_code } : instance;
    const { server = "", clustered = false } = this.#membership ?? {};
    if (!isLocal({ server, clustered }, instance)) return told;
    return { ...told, status: before.status, status_code: before.status_code };
  }
}

/** Instances with what was learnt of them. What did not change keeps its identity. */
class KnownInstances {
  learnt: ReadonlyMap<string, Learnt> = new Map();
  readonly #joined = new WeakMap<Instance, KnownInstance>();
  #last: ReadonlyMap<string, KnownInstance> = new Map();

  join(instances: ReadonlyMap<string, Instance>): ReadonlyMap<string, KnownInstance> {
    if (this.learnt.size === 0) return (this.#last = instances);
    const next = new Map<string, KnownInstance>();
    for (const [key, instance] of instances) next.set(key, this.#join(instance, this.learnt.get(key)));
    if (next.size !== this.#last.size || [...next].some(([key, instance]) => this.#last.get(key) !== instance))
      this.#last = next;
    return this.#last;
  }

  #join(instance: Instance, learnt: Learnt | undefined): KnownInstance {
    if (learnt === undefined) return instance;
    let joined = this.#joined.get(instance);
    if (joined === undefined || !same(joined.learnt, learnt))
      this.#joined.set(instance, (joined = { ...instance, learnt }));
    return joined;
  }
}

/** Things by key; replaced or changed one by one, on tickets. */
class Table<T extends { readonly project: string; readonly name: string }> {
  #entries: ReadonlyMap<string, T> = new Map();
  /** Keys that were read alone, by the ticket of that read. */
  readonly #single = new Map<string, number>();

  get entries(): ReadonlyMap<string, T> {
    return this.#entries;
  }

  replace(all: readonly T[], ticket: number): void {
    const next = new Map<string, T>();
    for (const item of all) {
      const key = keyOf(item);
      if (!this.#newer(key, ticket)) next.set(key, this.#shared(key, item));
    }
    for (const [key, at] of this.#single) {
      const kept = at > ticket ? this.#entries.get(key) : undefined;
      if (kept !== undefined) next.set(key, kept);
      if (at <= ticket) this.#single.delete(key);
    }
    if (next.size !== this.#entries.size || [...next].some(([key, item]) => this.#entries.get(key) !== item))
      this.#entries = next;
  }

  set(key: string, item: T | undefined, ticket: number): void {
    if (this.#newer(key, ticket)) return;
    this.#single.set(key, ticket);
    const before = this.#entries.get(key);
    const shared = item && this.#shared(key, item);
    if (shared === before) return;
    const next = new Map(this.#entries);
    if (shared === undefined) next.delete(key);
    else next.set(key, shared);
    this.#entries = next;
  }

  #newer(key: string, ticket: number): boolean {
    return (this.#single.get(key) ?? 0) > ticket;
  }

  #shared(key: string, item: T): T {
    const before = this.#entries.get(key);
    return before !== undefined && same(before, item) ? before : item;
  }
}
