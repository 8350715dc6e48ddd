import { WELL_KNOWN_COMMUNITIES } from "@trivet/bgp";
import type { Announcement } from "../announce/announce.ts";
import type { Candidate, Problem } from "../announce/candidate.ts";
import type { Condition, Ruling } from "../announce/condition.ts";
import { type Snapshot, isLocal, isRunning, keyOf } from "../inventory/snapshot.ts";
import { type Order, isOf, readOrders } from "./orders.ts";
import { formatTarget } from "./target.ts";

/**
 * `moving`: its routes say that they are about to go, and routers take others. `leaving`: they are withdrawn, and packets that were on
 * their way arrive. `safe`: nothing comes here any more; it may be stopped.
 */
export type DrainPhase = "moving" | "leaving" | "safe";

/** A drain as the API shows it. */
export interface DrainView {
  readonly target: string;
  readonly server: string;
  readonly phase: DrainPhase;
  /** Seconds until the next phase; absent in the last. */
  readonly remaining?: number;
  /** What it keeps or will keep from being announced. */
  readonly prefixes: readonly string[];
  /** Sessions whose router has taken all that it was told. */
  readonly told: { readonly sessions: number; readonly of: number };
  /**
   * Routers that themselves announced one of the prefixes to this server after it was told to go: proof that they use another path.
   * Only routers that announce to servers at all can be here.
   */
  readonly moved: readonly string[];
}

/** Seconds from the withdrawal until packets that were on their way have arrived. */
const SETTLE = 1;

const ASKED: Ruling = {
  // RFC 8326 §4.2: external routers that know the community prefer others by local preference; in the same AS it is said directly.
  attributes: { communities: [WELL_KNOWN_COMMUNITIES["graceful-shutdown"]], localPref: 0 },
};

interface Drain {
  readonly order: Order;
  phase: DrainPhase;
  /** When the next phase comes, on `performance.now()`. */
  until: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Carries out the orders to drain that stand in LXD, for this server: asks routers to prefer others, waits, withdraws. Its condition is
 * the say it has in what is announced.
 */
export class Drains {
  readonly #wait: () => number;
  readonly #changed: () => void;
  readonly #drains = new Map<string, Drain>();
  #before: Snapshot | undefined;
  #problems: readonly Problem[] = [];

  /**
   * @param wait seconds that routers are given to move
   * @param changed told when the condition's answers are others
   */
  constructor(wait: () => number, changed: () => void) {
    this.#wait = wait;
    this.#changed = changed;
  }

  readonly condition: Condition = (candidate) => {
    let asked: Ruling | undefined;
    for (const { order, phase } of this.#drains.values()) {
      if (!isOf(candidate, order.target)) continue;
      if (phase !== "moving") return DRAINED[order.target.kind];
      asked = ASKED;
    }
    return asked;
  };

  /** Wrong values of the key. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** The whole server is to go. */
  get wholeServer(): boolean {
    return [...this.#drains.values()].some(({ order }) => order.target.kind === "server");
  }

  /** Takes up new orders and drops what is no longer ordered. The caller then announces. */
  take(snapshot: Snapshot): void {
    const { orders, problems } = readOrders(snapshot);
    this.#problems = problems;
    const before = this.#before;
    this.#before = snapshot;
    const wanted = new Set(orders.map(({ key }) => key));
    for (const [key, { timer }] of this.#drains) {
      if (wanted.has(key)) continue;
      clearTimeout(timer);
      this.#drains.delete(key);
    }
    for (const order of orders) if (!this.#drains.has(order.key)) this.#begin(order, before);
  }

  stop(): void {
    for (const { timer } of this.#drains.values()) clearTimeout(timer);
    this.#drains.clear();
  }

  /**
   * @param announcement what is announced under the newest Snapshot and {@link condition}
   * @param peers how the sessions stand
   */
  view(server: string, announcement: Announcement, peers: Peers): DrainView[] {
    return [...this.#drains.values()].map(({ order: { target }, phase, until }) => {
      const still = [...announcement.routes.values()].flatMap(({ reasons }) => reasons);
      const gone = announcement.refused.filter(({ refusal }) => refusal.code === "drained");
      const prefixes = textsOf([...still, ...gone].filter((candidate) => isOf(candidate, target)));
      // What is announced by nobody here need not move.
      const seen = phase === "moving" && prefixes.length === 0 ? "safe" : phase;
      return {
        target: formatTarget({ server, target }),
        server,
        phase: seen,
        ...(seen === "safe" ? {} : { remaining: Math.max(0, Math.ceil(until - performance.now()) / 1000) }),
        prefixes,
        told: peers.told(),
        moved: peers.announcing(prefixes),
      };
    });
  }

  #begin(order: Order, before: Snapshot | undefined): void {
    // Its time is another server's clock: only what was ordered before this agent could see it is believed to be so old.
    const age = wasHere(order, before) || order.since === undefined ? 0 : Date.now() - order.since;
    const wait = this.#wait() * 1000;
    const drain: Drain = { order, phase: "moving", until: 0, timer: undefined };
    this.#drains.set(order.key, drain);
    const left = Math.min(wait, wait - age);
    if (left <= 0) this.#leave(drain);
    else
      this.#after(drain, left, () => {
        this.#leave(drain);
        this.#changed();
      });
  }

  #leave(drain: Drain): void {
    drain.phase = "leaving";
    this.#after(drain, SETTLE * 1000, () => {
      drain.phase = "safe";
    });
  }

  #after(drain: Drain, milliseconds: number, then: () => void): void {
    drain.until = performance.now() + milliseconds;
    drain.timer = setTimeout(then, milliseconds);
  }
}

/** How the sessions with routers stand, for {@link Drains.view}. */
export interface Peers {
  told(): DrainView["told"];
  /** Peers that announce any of the prefixes. */
  announcing(prefixes: readonly string[]): readonly string[];
}

function drained(why: string): Ruling {
  return { refusal: { code: "drained", why } };
}

const DRAINED = {
  server: drained("the server is drained"),
  instance: drained("the instance is drained"),
  prefix: drained("the prefix is drained on this server"),
};

/** The target was this server's before the order was seen: then the order is new. */
function wasHere({ target }: Order, before: Snapshot | undefined): boolean {
  if (before === undefined) return false;
  if (target.kind !== "instance") return true;
  const instance = before.instances.get(keyOf(target));
  return instance !== undefined && isLocal(before, instance) && isRunning(instance);
}

function textsOf(candidates: readonly Candidate[]): string[] {
  const prefixes = new Map(candidates.map(({ prefix }) => [prefix.toString(), prefix]));
  return [...prefixes.values()].sort((a, b) => a.compare(b)).map(String);
}
