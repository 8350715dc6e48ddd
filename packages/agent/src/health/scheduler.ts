import type { Check } from "./plan.ts";
import type { Probe } from "./probes/probe.ts";
import { type CheckState, type Occasion, type Outcome, firstState, pause, settle, step } from "./state.ts";

/** Checks at once. Each in an instance costs LXD a few processes and writes to its database. */
const LANES = { network: 64, exec: 4 };
/** By how much a pause is randomly shortened, so that checks that began together drift apart. */
const JITTER = 0.1;

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
  timer?: NodeJS.Timeout;
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
}

/** Runs each check when it is due, no more than a few at once, and keeps its state. */
export class Scheduler {
  readonly #world: SchedulerWorld;
  readonly #entries = new Map<string, Entry>();
  readonly #queues: Record<keyof typeof LANES, Entry[]> = { network: [], exec: [] };
  readonly #busy = { network: 0, exec: 0 };
  readonly #abort = new AbortController();

  constructor(world: SchedulerWorld) {
    this.#world = world;
  }

  get running(): Iterable<Running> {
    return this.#entries.values();
  }

  state(id: string): CheckState | undefined {
    return this.#entries.get(id)?.state;
  }

  /** Runs exactly these checks; a known one goes on as it is, a new one begins at once. */
  set(checks: readonly Check[], occasion: (check: Check) => Occasion): void {
    const ids = new Set(checks.map(({ id }) => id));
    for (const [id, entry] of this.#entries)
      if (!ids.has(id)) {
        clearTimeout(entry.timer);
        this.#entries.delete(id);
      }
    for (const check of checks) {
      const known = this.#entries.get(check.id);
      if (known !== undefined) known.check = check;
      else {
        const entry: Entry = { check, state: firstState(occasion(check), Date.now()) };
        this.#entries.set(check.id, entry);
        this.#due(entry);
      }
    }
  }

  /** Ends the time of grace after the agent's start. */
  settle(): void {
    for (const entry of this.#entries.values()) entry.state = settle(entry.state, Date.now());
  }

  stop(): void {
    this.#abort.abort();
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
  }

  #due(entry: Entry): void {
    delete entry.nextAt;
    const lane = entry.check.target.kind === "exec" ? "exec" : "network";
    this.#queues[lane].push(entry);
    this.#fill(lane);
  }

  #fill(lane: keyof typeof LANES): void {
    while (this.#busy[lane] < LANES[lane] && !this.#abort.signal.aborted) {
      const entry = this.#queues[lane].shift();
      if (entry === undefined) return;
      if (this.#entries.get(entry.check.id) !== entry) continue;
      this.#busy[lane]++;
      void this.#run(entry, lane);
    }
  }

  async #run(entry: Entry, lane: keyof typeof LANES): Promise<void> {
    const { check } = entry;
    const began = performance.now();
    try {
      const outcome = await this.#world.probe(check, this.#abort.signal);
      if (this.#entries.get(check.id) === entry) this.#take(entry, outcome, performance.now() - began);
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    } finally {
      this.#busy[lane]--;
      this.#fill(lane);
    }
  }

  #take(entry: Entry, outcome: Outcome, took: number): void {
    const { check, state: before } = entry;
    entry.state = step(before, outcome, check.timers, Date.now());
    const wait = Math.max(0, pause(entry.state, check.timers) * (1 - Math.random() * JITTER) - took);
    entry.nextAt = Date.now() + wait;
    entry.timer = setTimeout(() => this.#due(entry), wait);
    this.#world.onOutcome(check, before, entry.state, outcome, took);
  }
}
