import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import { type Name, type ResourceRecord, TYPE, Zone, ZoneError, ZoneStore, recordText, soaRdata } from "@trivet/dns";
import { LxdError } from "@trivet/lxd";
import type { StateFile } from "../daemon/state-file.ts";
import { type Snapshot, isWhole } from "../inventory/snapshot.ts";
import { type Hashes, compare, nextAgreement } from "./agreement.ts";
import type { ResolveConfig } from "./config.ts";
import type { ExplainedRecord, ResolveProblem, ZoneContent } from "./content.ts";
import type { Agreement, Ledger } from "./ledger.ts";
import { resolve } from "./resolve.ts";
import { readZones, writeZones } from "./saved.ts";

/** Milliseconds that each server further down the list leaves to those before it, to propose a serial first. */
const TURN = 400;
/** Milliseconds that the first in line bears an agreement that is not what it sees. */
const PATIENCE = 10_000;
/** One server proposes so often in so many milliseconds: a burst of changes needs no serial each. The first go out at once. */
const PACE = { proposals: 3, milliseconds: 1_500 };
/** Milliseconds before the next try after another server was first. */
const LOST = 50;
/** Milliseconds before LXD is asked again after it failed. */
const RETRY = 2_000;
/** Seconds: how often secondaries ask, ask again after a failure, and give up; and how long "there is no such name" is kept. */
const SOA_TIMES = { refresh: 3_600, retry: 600, expire: 1_209_600, minimum: 60 } as const;

/** A zone as it stands on this server. */
export interface ZoneStatus {
  readonly origin: string;
  /** What is answered; absent before the first agreement. */
  readonly serial: number | undefined;
  readonly records: number;
  /** There is newer content whose serial is not agreed yet. */
  readonly behind: boolean;
  /** Milliseconds that what is answered waited from its last change to be answered; absent before the first. */
  readonly waited?: number;
  /** Changes that are kept for incremental transfers, and their records. */
  readonly journal: { readonly changes: number; readonly records: number };
}

/** The newest content of a zone. */
interface Derived {
  readonly content: ZoneContent;
  readonly hash: string;
  /** When it was first seen, on the monotonic clock. */
  readonly since: number;
}

export interface ResolverOptions {
  readonly config: ResolveConfig;
  readonly ledger: Pick<Ledger, "read" | "propose" | "tidy">;
  /** Where zones and their journals outlive the agent. */
  readonly saved?: StateFile | undefined;
}

export interface ResolverEvents {
  /** Zones were put in, changed or taken out. */
  zones: [];
  /** LXD could not be asked for serials; what was last agreed is answered. */
  failure: [error: LxdError];
}

/**
 * Turns Snapshots into zones that all servers answer alike: content is derived on each server, its serial agreed through LXD's
 * database ({@link Ledger}). Until a new content has a serial, the last one that had stays.
 */
export class Resolver extends EventEmitter<ResolverEvents> {
  readonly store = new ZoneStore();
  readonly #config: ResolveConfig;
  readonly #ledger: Pick<Ledger, "read" | "propose" | "tidy">;
  readonly #saved: StateFile | undefined;
  /** The hash of each zone in the store. */
  readonly #answered = new Map<string, string>();
  readonly #waited = new Map<string, number>();
  #contents: ReadonlyMap<string, Derived> = new Map();
  #problems: readonly ResolveProblem[] = [];
  #snapshot: Snapshot | undefined;
  #agreed: Agreement | undefined;
  #settling: Promise<void> | undefined;
  #again = false;
  /** Nothing told of another agreement since the last was read. */
  #current = false;
  /** On the monotonic clock: when the content last changed, when another server agreed on something new, and when this one proposed. */
  #changedAt = 0;
  #overtakenAt = -Infinity;
  #proposedAt: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** Answers at once what an earlier agent answered last. */
  constructor({ config, ledger, saved }: ResolverOptions) {
    super();
    this.#config = config;
    this.#ledger = ledger;
    this.#saved = saved;
    for (const { zone, changes, hash } of readZones(saved?.read(), Date.now(), SOA_TIMES.expire * 1000)) {
      this.store.restore(zone, changes);
      this.#answered.set(originText(zone.origin), hash);
    }
  }

  /** What could not be used, from the newest Snapshot. */
  get problems(): readonly ResolveProblem[] {
    return this.#problems;
  }

  get zones(): ZoneStatus[] {
    const { open } = compare(this.#hashes(), this.#agreed);
    const derived = [...this.#contents].map(([origin, { content }]) => ({
      origin,
      serial: this.store.get(content.origin)?.serial,
      records: [...content.records].length,
      behind: open.includes(origin),
      ...waited(this.#waited.get(origin)),
      journal: this.#journalSize(content.origin),
    }));
    // Before LXD was read there are only saved ones.
    const saved = this.store.zones.filter(({ origin }) => !this.#contents.has(originText(origin)));
    return [...derived, ...saved.map((zone) => this.#savedStatus(zone))];
  }

  /** Every zone is answered, of whatever age: clients may be sent here. */
  get answersAll(): boolean {
    return [...this.#contents.values()].every(({ content }) => this.store.get(content.origin) !== undefined);
  }

  /** The newest content, of one zone or of all. */
  records(origin?: Name): ExplainedRecord[] {
    const contents = [...this.#contents.values()].map(({ content }) => content);
    return contents
      .filter((zone) => origin === undefined || zone.origin.equals(origin))
      .flatMap(({ records }) => Array.from(records));
  }

  /** The records of the newest content at a name, and why they are there. */
  explain(name: Name): ExplainedRecord[] {
    return this.records().filter((entry) => entry.name.equals(name));
  }

  /** Takes a new Snapshot. */
  take(snapshot: Snapshot): void {
    const wasWhole = isWhole(this.#snapshot);
    this.#snapshot = snapshot;
    const before = this.#contents;
    const now = performance.now();
    const { zones, problems } = resolve(snapshot, this.#config);
    this.#problems = problems;
    this.#contents = new Map(
      [...zones.values()].map((content) => {
        const [origin, hash] = [originText(content.origin), this.#hashOf(content)];
        const known = before.get(origin);
        return [origin, { content, hash, since: known?.hash === hash ? known.since : now }];
      }),
    );
    const after = this.#contents;
    const same =
      after.size === before.size && [...after].every(([origin, { hash }]) => before.get(origin)?.hash === hash);
    if (!same) this.#changedAt = now;
    if (!same || wasWhole !== isWhole(snapshot)) this.#settleSoon();
  }

  /** The agreement may have changed (a profile of the ledger came): reads it, and answers or proposes accordingly. */
  settle(): void {
    this.#current = false;
    this.#settleSoon();
  }

  #settleSoon(): void {
    this.#again = true;
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#settling;
    this.#saved?.flush();
  }

  async #settle(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        // What was agreed is most often what this content needs: a server that restarts, or another that proposed first.
        if (!this.#current) {
          this.#current = true;
          this.#learn(await this.#ledger.read());
        }
        this.#publish();
        if (compare(this.#hashes(), this.#agreed).open.length > 0) await this.#propose();
      }
    } catch (error) {
      if (!(error instanceof LxdError)) throw error;
      this.#current = false;
      this.emit("failure", error);
      this.#later(RETRY);
    }
  }

  /** Proposes serials for what has none, when it is this server's turn. */
  async #propose(): Promise<void> {
    const wait = this.#turn();
    if (wait === undefined) return;
    if (wait > 0) return this.#later(wait);
    // Newer than what was answered, even if LXD has lost what was agreed.
    const newest = Math.max(...this.store.zones.map(({ serial }) => serial + 1), Math.floor(Date.now() / 1000));
    const next = nextAgreement(this.#hashes(), this.#agreed, newest);
    this.#proposedAt = [...this.#proposedAt, performance.now()].slice(-PACE.proposals);
    if (!(await this.#ledger.propose(next))) {
      this.#current = false;
      return this.#later(LOST);
    }
    this.#agreed = next;
    this.#publish();
    if (!this.#again) await this.#ledger.tidy(next.epoch);
  }

  #learn(agreed: Agreement | undefined): void {
    if (this.#agreed !== undefined && agreed?.epoch !== this.#agreed.epoch) this.#overtakenAt = performance.now();
    this.#agreed = agreed;
  }

  /**
   * How long to leave it to other servers, in milliseconds; `undefined` when this one's view is not fit to be proposed, because part
   * of it could not be read. Who was overtaken by an agreement that does not fit its own content lags behind, and waits to
   * catch up; if that does not happen, the first in line decides for all.
   */
  #turn(): number | undefined {
    const snapshot = this.#snapshot;
    if (!isWhole(snapshot)) return undefined;
    const online = snapshot.members.filter(({ status }) => status === "Online").map(({ server_name }) => server_name);
    const place = Math.max(0, online.sort().indexOf(snapshot.server));
    const lags = this.#overtakenAt > this.#changedAt;
    if (lags && place > 0) return undefined;
    const since = lags ? this.#overtakenAt + PATIENCE : this.#changedAt + place * TURN;
    const [oldest = -Infinity] = this.#proposedAt.length < PACE.proposals ? [] : this.#proposedAt;
    return Math.max(since, oldest + PACE.milliseconds) - performance.now();
  }

  /** Puts every zone whose serial is agreed in place, and takes out those that are no more. */
  #publish(): void {
    const { settled } = compare(this.#hashes(), this.#agreed);
    let changed = false;
    for (const [origin, serial] of settled) {
      const derived = this.#contents.get(origin);
      if (derived === undefined) continue;
      const { content, hash, since } = derived;
      // A serial says which content only within one agreement: LXD may have been made anew since the zone was saved.
      if (this.store.get(content.origin)?.serial === serial && this.#answered.get(origin) === hash) continue;
      try {
        this.store.replace(Zone.build(content.origin, [this.#soa(content.origin, serial), ...content.records]));
        this.#answered.set(origin, hash);
        this.#waited.set(origin, performance.now() - since);
        changed = true;
      } catch (error) {
        if (!(error instanceof ZoneError)) throw error;
        this.#problems = [...this.#problems, { where: `zone ${origin}`, why: error.message }];
      }
    }
    for (const { origin } of this.store.zones)
      if (this.#snapshot !== undefined && !this.#contents.has(originText(origin))) {
        this.store.remove(origin);
        this.#answered.delete(originText(origin));
        this.#waited.delete(originText(origin));
        changed = true;
      }
    if (!changed) return;
    this.#saved?.changed(() => this.#save());
    this.emit("zones");
  }

  #save(): string {
    const zones = this.store.zones.map((zone) => ({
      zone,
      changes: this.store.journal(zone.origin)?.differences ?? [],
      hash: this.#answered.get(originText(zone.origin)) ?? "",
    }));
    return writeZones(zones, Date.now());
  }

  #savedStatus(zone: Zone): ZoneStatus {
    const { origin, serial } = zone;
    const records = [...zone.records()].length;
    return { origin: originText(origin), serial, records, behind: false, journal: this.#journalSize(origin) };
  }

  #journalSize(origin: Name): ZoneStatus["journal"] {
    const journal = this.store.journal(origin);
    return { changes: journal?.differences.length ?? 0, records: journal?.size ?? 0 };
  }

  #soa(origin: Name, serial: number): ResourceRecord {
    const mname = this.#config.nameservers[0] ?? origin;
    const rdata = soaRdata({ mname, rname: this.#config.hostmaster, serial, ...SOA_TIMES });
    return { name: origin, type: TYPE.SOA, ttl: this.#config.ttl, rdata };
  }

  /** Equal for equal content, in whatever order it was derived. */
  #hashOf(content: ZoneContent): string {
    const lines = [...content.records, this.#soa(content.origin, 0)].map(recordText).sort();
    return createHash("sha256").update(lines.join("\n")).digest("base64url").slice(0, 22);
  }

  #hashes(): Hashes {
    return new Map([...this.#contents].map(([origin, { hash }]) => [origin, hash]));
  }

  #later(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.#settleSoon(), milliseconds);
  }
}

function waited(milliseconds: number | undefined): Pick<ZoneStatus, "waited"> {
  return milliseconds === undefined ? {} : { waited: milliseconds };
}

/** An origin as the ledger has it. */
function originText(origin: Name): string {
  return origin.toString().toLowerCase();
}
