import { type Confirmation, WELL_KNOWN_COMMUNITIES } from "@trivet/bgp";
import type { Announcement } from "../announce/announce.ts";
import type { Candidate, Problem } from "../announce/candidate.ts";
import type { Condition, Ruling } from "../announce/condition.ts";
import { type Snapshot, isLocal, isRunning, keyOf } from "../inventory/snapshot.ts";
import { type Order, isOf, readOrders } from "./orders.ts";
import { formatTarget } from "./target.ts";

/**
 * `moving`: its routes say that they are about to go, and routers take others. `leaving`: they are withdrawn; routers read that, and
 * packets that were on their way arrive. `safe`: nothing comes here any more; it may be stopped.
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
  /** Routers that have taken all that they were told, of all that there are. */
  readonly told: { readonly sessions: number; readonly of: number };
  /**
   * Routers that themselves announced one of the prefixes to this server after it was told to go: proof that they use another path.
   * Only routers that announce to servers at all can be here.
   */
  readonly moved: readonly string[];
  /** Once it is withdrawn. Routers that cannot say whether they have read that are in none. */
  readonly routers?: {
    readonly confirmed: readonly string[];
    /** They could say so, and have not. */
    readonly silent: readonly string[];
    /** They have no session, or lost it since: what they may hold of before, they were not told to drop. */
    readonly absent: readonly string[];
  };
  /** Of a server: the networks, PROJECT/NETWORK, whose active OVN gateway it is. Their packets stop until OVN has moved it. */
  readonly gateways?: readonly string[];
}

/** Milliseconds in which routers confirm that they have read the withdrawal; one that has not by then will not. */
const CONFIRM = 10_000;
/** Milliseconds from then until packets that were on their way have arrived. */
const SETTLE = 1_000;

interface Drain {
  readonly order: Order;
  phase: DrainPhase;
  /** When the next phase comes, on `performance.now()`. */
  until: number;
  timer: NodeJS.Timeout | undefined;
  /** What routers say of the withdrawal, by peer: nothing yet, or what became of the question. */
  routers: ReadonlyMap<string, Confirmation | undefined> | undefined;
  /** They have said what they say. */
  settling: boolean;
}

export interface DrainsWorld {
  /** Seconds that routers are given to move. */
  readonly wait: () => number;
  /** Told when the condition's answers are others. */
  readonly changed: () => void;
  /** Asks the routers whether they have read what was announced and withdrawn; nothing while they may hold what nobody told them yet. */
  readonly confirm: () => ReadonlyMap<string, Promise<Confirmation>> | undefined;
}

/**
 * Carries out the orders to drain that stand in LXD, for this server: asks routers to prefer others, waits, withdraws. Its condition is
 * the say it has in what is announced.
 */
export class Drains {
  readonly #world: DrainsWorld;
  readonly #drains = new Map<string, Drain>();
  #before: Snapshot | undefined;
  #problems: readonly Problem[] = [];

  constructor(world: DrainsWorld) {
    this.#world = world;
  }

  readonly condition: Condition = (candidate) => {
    let asked: Ruling | undefined;
    for (const { order, phase } of this.#drains.values()) {
      if (!isOf(candidate, order.target)) continue;
      const { refused, asks } = RULINGS[order.target.kind];
      if (phase !== "moving") return refused;
      asked = asks;
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

  /** Takes up new orders and drops what is no longer ordered. The caller then announces, and says so. */
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

  /** What the condition says has been announced. */
  announced(): void {
    const withdrawn = [...this.#drains.values()].filter(
      ({ phase, routers }) => phase === "leaving" && routers === undefined,
    );
    if (withdrawn.length === 0) return;
    const confirmations = this.#world.confirm();
    if (confirmations === undefined) return;
    const routers = new Map<string, Confirmation | undefined>();
    const asked = [...confirmations].map(async ([peer, confirmation]) => {
      routers.set(peer, undefined);
      routers.set(peer, await confirmation);
    });
    for (const drain of withdrawn) {
      drain.routers = routers;
      this.#after(drain, CONFIRM, () => this.#settle(drain));
    }
    void this.#settleAfter(asked, withdrawn);
  }

  async #settleAfter(asked: readonly Promise<void>[], drains: readonly Drain[]): Promise<void> {
    await Promise.all(asked);
    for (const drain of drains) if (this.#drains.get(drain.order.key) === drain) this.#settle(drain);
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
    return [...this.#drains.values()].map(({ order: { target }, phase, until, routers }) => {
      const still = [...announcement.routes.values()].flatMap(({ reasons }) => reasons);
      const gone = announcement.refused.filter(({ refusal }) => refusal.code === "drained");
      const prefixes = textsOf([...still, ...gone].filter((candidate) => isOf(candidate, target)));
      // What is announced by nobody here need not move; but what other servers announce through a server's gateways must.
      const none = prefixes.length === 0 && target.kind !== "server";
      const seen = phase === "moving" && none ? "safe" : phase;
      return {
        target: formatTarget({ server, target }),
        server,
        phase: seen,
        ...(seen === "safe" ? {} : { remaining: Math.max(0, Math.ceil(until - performance.now()) / 1000) }),
        prefixes,
        told: peers.told(),
        moved: peers.announcing(prefixes),
        ...(routers === undefined ? {} : { routers: answers(routers) }),
        ...(target.kind === "server" ? { gateways: peers.gateways() } : {}),
      };
    });
  }

  #begin(order: Order, before: Snapshot | undefined): void {
    // Its time is another server's clock: only what was ordered before this agent could see it is believed to be so old.
    const age = wasHere(order, before) ? 0 : Date.now() - (order.since ?? 0);
    const wait = this.#world.wait() * 1000;
    const drain: Drain = { order, phase: "moving", until: 0, timer: undefined, routers: undefined, settling: false };
    this.#drains.set(order.key, drain);
    const left = Math.min(wait, wait - age);
    if (left <= 0) drain.phase = "leaving";
    else
      this.#after(drain, left, () => {
        drain.phase = "leaving";
        this.#world.changed();
      });
  }

  #settle(drain: Drain): void {
    if (drain.settling) return;
    drain.settling = true;
    this.#after(drain, SETTLE, () => (drain.phase = "safe"));
  }

  #after(drain: Drain, milliseconds: number, then: () => void): void {
    clearTimeout(drain.timer);
    drain.until = performance.now() + milliseconds;
    drain.timer = setTimeout(then, milliseconds);
  }
}

/** How the world stands, for {@link Drains.view}. */
export interface Peers {
  told(): DrainView["told"];
  /** Peers that announce any of the prefixes. */
  announcing(prefixes: readonly string[]): readonly string[];
  /** Networks whose active gateway this server is. */
  gateways(): readonly string[];
}

/** What the condition says of a target: while it moves, and once it has. */
function rulings(why: string): { readonly asks: Ruling; readonly refused: Ruling } {
  return {
    // RFC 8326 §4.2: external routers that know the community prefer others by local preference; in the same AS it is said directly.
    asks: { attributes: { communities: [WELL_KNOWN_COMMUNITIES["graceful-shutdown"]], localPref: 0 }, why },
    refused: { refusal: { code: "drained", why } },
  };
}

const RULINGS = {
  server: rulings("the server is drained"),
  instance: rulings("the instance is drained"),
  prefix: rulings("the prefix is drained on this server"),
};

function answers(routers: ReadonlyMap<string, Confirmation | undefined>): NonNullable<DrainView["routers"]> {
  const those = (wanted: Confirmation | undefined): string[] =>
    [...routers].filter(([, said]) => said === wanted).map(([peer]) => peer);
  return { confirmed: those("read"), silent: those(undefined), absent: those("ended") };
}

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
