import { EventEmitter } from "node:events";
import { type LxdClient, LxdError, eventSubject } from "@trivet/lxd";
import type { StateFile } from "../daemon/state-file.ts";
import { type Work, affected, workKey } from "./affected.ts";
import { Learner } from "./learn.ts";
import { Reader } from "./read.ts";
import { parseLearnt, writeLearnt } from "./saved.ts";
import { PARTS, type Part, type Snapshot, keyOf } from "./snapshot.ts";
import { Store } from "./store.ts";

export interface InventoryOptions {
  /** Milliseconds between two readings of everything; 60 s unless told. Each is randomly shortened by up to a fifth. */
  readonly resync?: number;
  /** Milliseconds that one call may take; 15 s unless told. */
  readonly timeout?: number;
  /** Ask running guests for the addresses of NICs to which LXD gives none; unless told they are not asked. */
  readonly guests?: boolean;
  /** Where what was learnt of instances' addresses outlives the agent. */
  readonly saved?: StateFile;
}

/** How the inventory stands with LXD. */
export interface InventoryHealth {
  /** Events arrive. */
  readonly connected: boolean;
  /** Why not, or why the last reading failed; for people. */
  readonly error?: string;
  /** Since when anything is wrong: milliseconds since 1970. */
  readonly since?: number;
}

export interface InventoryEvents {
  /** Something but the time of reading changed. */
  snapshot: [snapshot: Snapshot];
  /** Nothing changed but that the Snapshot now is whole, or is no more; see `isWhole`. */
  turned: [snapshot: Snapshot];
  /** The health changed. */
  health: [health: InventoryHealth];
  /** A profile was made, changed or removed; no name after a gap, in which any may have been. */
  profile: [name: string | undefined];
  /** A read was done, with its duration in milliseconds. */
  read: [what: string, milliseconds: number, failed: boolean];
}

const RESYNC = 60_000;
const TIMEOUT = 15_000;
/** Reads at once. */
const LANES = 16;
/** Within a burst, Snapshots (and all that is made of them) take at most this part of the time; the first comes at once. */
const BURST_SHARE = 0.25;
const RETRY = { first: 1_000, last: 30_000 };

/**
 * Keeps the {@link Snapshot}: reads everything, then follows LXD's events, where one changed thing costs one read, and reads
 * everything again now and then, because LXD does not replay events that were missed.
 *
 * What cannot be read stays as it was last known, and is tried again.
 */
export class Inventory extends EventEmitter<InventoryEvents> {
  readonly #lxd: LxdClient;
  readonly #reader: Reader;
  readonly #resync: number;
  readonly #store = new Store();
  readonly #learner: Learner;
  readonly #saved: StateFile | undefined;
  readonly #abort = new AbortController();
  /** What is being read (`again`: it changed meanwhile) and what waits for a lane. */
  readonly #reading = new Map<string, { again: boolean }>();
  readonly #waiting = new Map<string, Work>();
  readonly #failed = new Map<string, Work>();
  #retryIn = RETRY.first;
  #retryTimer: NodeJS.Timeout | undefined;
  #resyncTimer: NodeJS.Timeout | undefined;
  #burstTimer: NodeJS.Timeout | undefined;
  #stale = false;
  #nextCommit = 0;
  #stream: InventoryHealth = { connected: false };
  #health: InventoryHealth = { connected: false };
  #following: Promise<void> = Promise.resolve();

  constructor(lxd: LxdClient, options: InventoryOptions = {}) {
    super();
    this.#lxd = lxd;
    this.#reader = new Reader(lxd, { timeout: options.timeout ?? TIMEOUT, signal: this.#abort.signal });
    this.#resync = options.resync ?? RESYNC;
    const { guests = false, saved } = options;
    this.#saved = saved;
    this.#learner = new Learner(parseLearnt(saved?.read()), {
      guests,
      leases: async (network, project) => await this.#reader.leases(network, project),
      interfaces: async (project, name) => await this.#reader.interfaces(project, name),
      onLearnt: () => {
        saved?.changed(() => writeLearnt(this.#learner.learnt));
        this.#commitSoon();
      },
      onRead: (...read) => this.emit("read", ...read),
    });
  }

  /** The newest; absent before the first full reading. */
  get snapshot(): Snapshot | undefined {
    return this.#store.snapshot;
  }

  get health(): InventoryHealth {
    return this.#health;
  }

  /** Begins to follow LXD, for ever; the first Snapshot comes as the event `snapshot`. */
  start(): void {
    this.#following = this.#follow();
  }

  /** Reads a part now, beside the rest: for what changes without an event. */
  reread(part: Part): void {
    this.#want({ kind: "part", part });
  }

  async stop(): Promise<void> {
    this.#learner.stop();
    this.#abort.abort();
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#resyncTimer);
    clearTimeout(this.#burstTimer);
    await this.#following;
    this.#saved?.flush();
  }

  async #follow(): Promise<void> {
    const stream = this.#lxd.events({ types: ["lifecycle"], allProjects: true, signal: this.#abort.signal });
    for await (const item of stream) {
      if (item.type === "resync") {
        this.#stream = { connected: true };
        this.emit("profile", undefined);
        this.#readAll();
      } else if (item.type === "down") {
        this.#stream = { connected: false, error: item.error.message };
        // A daemon that gives no events may still answer.
        if (this.snapshot === undefined) this.#readAll();
      } else if (item.type === "lifecycle") {
        const { kind, name } = eventSubject(item);
        if (kind === "profiles") this.emit("profile", name);
        for (const work of affected(item)) this.#want(work);
      }
      this.#judge();
    }
  }

  #readAll(): void {
    for (const part of PARTS) this.#want({ kind: "part", part });
    clearTimeout(this.#resyncTimer);
    this.#resyncTimer = setTimeout(() => this.#readAll(), this.#resync * (1 - Math.random() / 5));
  }

  #want(work: Work): void {
    const key = workKey(work);
    const reading = this.#reading.get(key);
    if (reading !== undefined) reading.again = true;
    else this.#waiting.set(key, work);
    this.#fill();
  }

  #fill(): void {
    for (const [key, work] of this.#waiting) {
      if (this.#reading.size >= LANES || this.#abort.signal.aborted) return;
      this.#waiting.delete(key);
      void this.#run(key, work);
    }
  }

  async #run(key: string, work: Work): Promise<void> {
    const state = { again: false };
    this.#reading.set(key, state);
    const began = performance.now();
    let failed = false;
    try {
      await this.#read(work);
      this.#failed.delete(key);
      if (![...this.#failed.values()].some((other) => partOf(other) === partOf(work)))
        this.#store.clearError(partOf(work));
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (!(error instanceof LxdError)) throw error;
      failed = true;
      this.#store.setError(partOf(work), error.message);
      this.#retry(key, work);
    } finally {
      this.#reading.delete(key);
    }
    this.emit("read", work.kind === "part" ? work.part : work.kind, performance.now() - began, failed);
    this.#judge();
    this.#commitSoon();
    if (state.again) this.#want(work);
    this.#fill();
  }

  async #read(work: Work): Promise<void> {
    const ticket = this.#store.ticket();
    if (work.kind === "part") return await this.#readPart(work.part, ticket);
    const { project, name } = work;
    const key = keyOf(work);
    if (work.kind === "instance") this.#store.setInstance(key, await this.#reader.instance(project, name), ticket);
    else {
      const before = this.#store.networks.get(key);
      this.#store.setNetwork(key, await this.#reader.network(project, name, await this.#server(), before), ticket);
    }
  }

  async #readPart(part: Part, ticket: number): Promise<void> {
    switch (part) {
      case "members":
        return this.#store.setMembership(await this.#reader.membership(this.#store.server), Date.now());
      case "projects":
        return this.#store.setProjects(await this.#reader.projects(), Date.now());
      case "instances":
        return this.#store.setInstances(await this.#reader.instances(), ticket, Date.now());
      case "zones":
        return this.#store.setZones(await this.#reader.zones(), Date.now());
      case "networks": {
        const all = await this.#reader.networks(await this.#server(), this.#store.networks);
        return this.#store.setNetworks(all, ticket, Date.now());
      }
    }
  }

  async #server() {
    const { server, clustered } = this.#store.server ?? (await this.#reader.membership());
    return { name: server, clustered };
  }

  /** What failed is read again after a pause, which grows as long as nothing succeeds. */
  #retry(key: string, work: Work): void {
    this.#failed.set(key, work);
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#retryIn = Math.min(this.#retryIn * 2, RETRY.last);
      for (const work of this.#failed.values()) this.#want(work);
    }, this.#retryIn);
  }

  #judge(): void {
    if (this.#failed.size === 0) this.#retryIn = RETRY.first;
    const error = this.#stream.error ?? [...this.#store.parts.values()].find((part) => part.error !== undefined)?.error;
    const { connected } = this.#stream;
    const before = this.#health;
    if (connected === before.connected && error === before.error) return;
    const well = connected && error === undefined;
    const since = well ? undefined : (before.since ?? Date.now());
    this.#health = {
      connected,
      ...(error === undefined ? {} : { error }),
      ...(since === undefined ? {} : { since }),
    };
    this.emit("health", this.#health);
  }

  /** Commits at once, or within a burst after a moment. */
  #commitSoon(): void {
    this.#stale = true;
    if (this.#burstTimer !== undefined) return;
    const wait = this.#nextCommit - performance.now();
    if (wait <= 0) this.#commit();
    else
      this.#burstTimer = setTimeout(() => {
        this.#burstTimer = undefined;
        if (this.#stale) this.#commit();
      }, wait);
  }

  #commit(): void {
    this.#stale = false;
    const began = performance.now();
    const { world } = this.#store;
    if (world !== undefined) this.#learner.look(world);
    this.#store.setLearnt(this.#learner.learnt, this.#learner.learning);
    const result = this.#store.commit(Date.now());
    if (result?.changed === true) this.emit("snapshot", result.snapshot);
    else if (result?.turned === true) this.emit("turned", result.snapshot);
    const ended = performance.now();
    this.#nextCommit = ended + (ended - began) * (1 / BURST_SHARE - 1);
  }
}

function partOf(work: Work): Part {
  if (work.kind === "part") return work.part;
  return work.kind === "instance" ? "instances" : "networks";
}
