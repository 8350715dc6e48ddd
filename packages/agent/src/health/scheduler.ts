import { same } from "../inventory/same.ts";
import { Lanes } from "./lanes.ts";
import type { Check } from "./plan.ts";
import { printable } from "./printable.ts";
import type { Probe } from "./probes/probe.ts";
import { type CheckState, type Occasion, type Outcome, afresh, firstState, pause, settle, step } from "./state.ts";

/** Checks at once, of all and of one instance. Each in an instance costs LXD a few processes and writes to its database. */
const LANES = { network: { all: 64, instance: 4 }, exec: { all: 4, instance: 1 } };
type Lane = keyof typeof LANES;
const KINDS = ["network", "exec"] as const;
/** By how much a pause is randomly shortened, so that checks that began together drift apart. */
const JITTER = 0.1;
/** What is left of a check's cost after each quicker attempt. */
const FORGETS = 0.8;
/** A check that waits for a lane longer than so many intervals, and no less than these milliseconds, is overdue. */
const OVERDUE = { intervals: 3, least: 5_000 };

/** A check that is kept running. */
export interface Running {
  readonly check: Check;
  readonly state: CheckState;
  /** When it is due again, milliseconds since 1970; absent while it runs or waits for a lane. */
  readonly nextAt?: number;
}

interface Entry {
  check: Check;
  state: CheckState;
  nextAt?: number;
  /** Milliseconds that it took lately, at worst. */
  cost?: number;
  /** Until it is due; while it waits for a lane, until it is overdue. */
  timer?: NodeJS.Timeout;
  /** Ends the attempt that is under way; once it is another, the outcome does not count. */
  attempt?: AbortController;
}

export interface SchedulerWorld {
  readonly probe: Probe;
  /** Told of every outcome, with the state it made. */
  readonly onOutcome: (
    check: Check,
    before: CheckState,
    after: CheckState,
    outcome: Outcome,
    milliseconds: number,
  ) => void;
  /** Told of what no probe should throw. */
  readonly onBug: (check: Check, error: unknown) => void;
}

/** Runs each check when it is due, no more than a few at once, and keeps its state. */
export class Scheduler {
  readonly #world: SchedulerWorld;
  readonly #entries = new Map<string, Entry>();
  readonly #lanes: Readonly<Record<Lane, Lanes<Entry>>> = {
    network: new Lanes(LANES.network),
    exec: new Lanes(LANES.exec),
  };
  #stopped = false;

  constructor(world: SchedulerWorld) {
    this.#world = world;
  }

  get running(): Iterable<Running> {
    return this.#entries.values();
  }

  state(id: string): CheckState | undefined {
    return this.#entries.get(id)?.state;
  }

  /**
   * Runs exactly these checks. One that is known goes on, and soon if what it asks or when is another; one of an instance that was started
   * again is new, and a new one begins at once.
   */
  set(checks: readonly Check[], occasion: (check: Check) => Occasion): void {
    const runs = new Map(checks.map(({ id, run }) => [id, run]));
    for (const [id, entry] of this.#entries)
      if (runs.get(id) !== entry.check.run) {
        this.#halt(entry);
        this.#entries.delete(id);
      }
    for (const lane of KINDS)
      this.#lanes[lane].projects = new Set(
        checks.flatMap((check) => (laneOf(check) === lane ? [check.project] : [])),
      ).size;
    for (const check of checks) {
      const known = this.#entries.get(check.id);
      if (known !== undefined) this.#renew(known, check);
      else {
        const entry: Entry = { check, state: firstState(occasion(check), Date.now()) };
        this.#entries.set(check.id, entry);
        this.#wait(entry);
      }
    }
    // Only now, so that the first in the list have no advantage.
    for (const lane of KINDS) this.#fill(lane);
  }

  /** Ends the time of grace after the agent's start. */
  settle(): void {
    for (const entry of this.#entries.values()) entry.state = settle(entry.state, Date.now());
  }

  stop(): void {
    this.#stopped = true;
    for (const entry of this.#entries.values()) this.#halt(entry);
  }

  #halt(entry: Entry): void {
    clearTimeout(entry.timer);
    for (const lanes of Object.values(this.#lanes)) lanes.leave(entry);
    entry.attempt?.abort();
    delete entry.attempt;
  }

  #renew(entry: Entry, check: Check): void {
    const { check: before, nextAt } = entry;
    entry.check = check;
    const asksElse = before.text !== check.text || before.address?.toString() !== check.address?.toString();
    if (!asksElse && (nextAt === undefined || same(before.timers, check.timers))) return;
    if (asksElse) {
      entry.state = afresh(entry.state);
      delete entry.cost;
    }
    this.#halt(entry);
    const { fast, interval } = check.timers;
    const soon = Math.min(fast, interval);
    this.#later(entry, nextAt === undefined ? soon : Math.min(soon, Math.max(0, nextAt - Date.now())));
  }

  #later(entry: Entry, wait: number): void {
    entry.nextAt = Date.now() + wait;
    entry.timer = setTimeout(() => {
      this.#wait(entry);
      this.#fill(laneOf(entry.check));
    }, wait);
  }

  /** For a lane. */
  #wait(entry: Entry): void {
    const { check } = entry;
    delete entry.nextAt;
    const patience = Math.max(OVERDUE.intervals * check.timers.interval, OVERDUE.least);
    entry.timer = setTimeout(() => this.#overdue(entry), patience);
    this.#lanes[laneOf(check)].wait(entry);
  }

  #fill(lane: Lane): void {
    while (!this.#stopped) {
      const entry = this.#lanes[lane].take();
      if (entry === undefined) return;
      void this.#run(entry, lane);
    }
  }

  async #run(entry: Entry, lane: Lane): Promise<void> {
    const { check } = entry;
    clearTimeout(entry.timer);
    const attempt = new AbortController();
    entry.attempt = attempt;
    const began = performance.now();
    try {
      const outcome = await this.#try(entry, attempt.signal);
      if (outcome === undefined || entry.attempt !== attempt) return;
      delete entry.attempt;
      const took = performance.now() - began;
      entry.cost = Math.max(took, (entry.cost ?? 0) * FORGETS);
      this.#take(entry, outcome, took);
    } finally {
      this.#lanes[lane].release(check);
      this.#fill(lane);
    }
  }

  async #try({ check, state }: Entry, signal: AbortSignal): Promise<Outcome | undefined> {
    try {
      return await this.#world.probe(check, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      const why = `this agent failed to check it, by a bug of its own: ${printable(String(error))}`;
      // Every time would be too often in the log.
      if (state.unknown?.why !== why) this.#world.onBug(check, error);
      return { kind: "unknown", why };
    }
  }

  #take(entry: Entry, outcome: Outcome, took: number): void {
    const { check, state: before } = entry;
    entry.state = step(before, outcome, check.timers, Date.now());
    const wait = pause(entry.state, check.timers) * (1 - Math.random() * JITTER) - took;
    this.#later(entry, Math.max(0, wait));
    this.#world.onOutcome(check, before, entry.state, outcome, took);
  }

  /** Its turn does not come. It goes on waiting. */
  #overdue(entry: Entry): void {
    const { check, state: before } = entry;
    const outcome: Outcome = { kind: "unknown", why: "overdue: the checks before it take too long" };
    entry.state = step(before, outcome, check.timers, Date.now());
    this.#world.onOutcome(check, before, entry.state, outcome, 0);
  }
}

function laneOf({ target }: Check): Lane {
  return target.kind === "exec" ? "exec" : "network";
}
