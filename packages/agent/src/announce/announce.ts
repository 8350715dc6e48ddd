import type { Route, RouteAttributes } from "@trivet/bgp";
import type { Prefix } from "@trivet/ip";
import type { Instance } from "@trivet/lxd";
import type { Network, Snapshot } from "../inventory/snapshot.ts";
import { type Candidate, type Findings, type Problem, type Refusal, describeSource } from "./candidate.ts";
import { type Condition, type Verdict, ruling, together } from "./condition.ts";
import type { AnnounceConfig } from "./config.ts";
import { Filters } from "./filters.ts";
import { findInInstance } from "./instances.ts";
import { findInNetwork } from "./networks.ts";
import { type OwnService, findOwnServices } from "./own-services.ts";

/** What one server announces, and what it does not, each with its reasons. */
export interface Announcement {
  /** By the prefix's text, in no order. */
  readonly routes: ReadonlyMap<string, AnnouncedRoute>;
  readonly refused: readonly RefusedCandidate[];
  readonly problems: readonly Problem[];
}

export interface AnnouncedRoute extends Route {
  /** The candidates that ask for this route; the first one's next hop and attributes are announced. */
  readonly reasons: readonly [Reason, ...Reason[]];
}

/** A candidate that is announced. */
export interface Reason extends Candidate {
  /** What conditions say of it now; of several, the one that is held back least decides. */
  readonly ruled?: Verdict;
}

export interface RefusedCandidate extends Candidate {
  readonly refusal: Refusal;
}

/** What one instance or network has to announce, by itself. */
interface Decided {
  readonly routes: readonly AnnouncedRoute[];
  readonly refused: readonly RefusedCandidate[];
  readonly problems: readonly Problem[];
}

/** Lists what is not announced only when someone asks: there may be thousands, and routers wait for what is. */
class Decision implements Announcement {
  readonly routes: ReadonlyMap<string, AnnouncedRoute>;
  readonly #all: readonly Decided[];
  readonly #ruledOut: readonly RefusedCandidate[];

  constructor(
    routes: ReadonlyMap<string, AnnouncedRoute>,
    all: readonly Decided[],
    ruledOut: readonly RefusedCandidate[],
  ) {
    this.routes = routes;
    this.#all = all;
    this.#ruledOut = ruledOut;
  }

  get refused(): readonly RefusedCandidate[] {
    return [...this.#ruledOut, ...this.#all.flatMap(({ refused }) => refused)];
  }

  get problems(): readonly Problem[] {
    return this.#all.flatMap(({ problems }) => problems);
  }
}

/**
 * Decides what a server announces: a pure function of what LXD says and of the configuration.
 *
 * Where several instances or networks of one server have the same prefix (anycast), it is one route with one next hop, the lowest: a
 * BGP session carries one path of a prefix. The other servers announce theirs.
 *
 * What was found in an instance or network is kept with that object and reused while nothing it depends on has changed, so that one
 * changed instance among thousands costs its own share only.
 */
export class Announcer {
  readonly #config: AnnounceConfig;
  readonly #filters: Filters;
  #world: Pick<Snapshot, "networks" | "projects" | "server" | "clustered"> | undefined;
  #decided = new WeakMap<Instance | Network, Decided>();
  /** Equal attributes are one object, which is the cheapest for the speaker. */
  readonly #attributes = new Map<string, RouteAttributes>();

  constructor(config: AnnounceConfig) {
    this.#config = { ...config, attributes: [...config.attributes].sort((a, b) => b.match.length - a.match.length) };
    this.#filters = new Filters(config);
  }

  /**
   * @param conditions what has a say beside LXD and the configuration, now
   * @param services what the agent itself answers on
   */
  announce(
    snapshot: Snapshot,
    conditions: readonly Condition[] = [],
    services: readonly OwnService[] = [],
  ): Announcement {
    this.#forgetUnless(snapshot);
    const routes = new Map<string, AnnouncedRoute>();
    const shared = new Map<string, [Reason, ...Reason[]]>();
    const all: Decided[] = [];
    const ruledOut: RefusedCandidate[] = [];
    const take = (decided: Decided): void => {
      all.push(decided);
      for (const wanted of decided.routes) {
        const route = conditions.length === 0 ? wanted : this.#ruled(wanted, conditions, ruledOut);
        if (route === undefined) continue;
        const key = route.prefix.toString();
        const other = routes.get(key);
        if (other === undefined) routes.set(key, route);
        else shared.set(key, [...(shared.get(key) ?? other.reasons), ...route.reasons]);
      }
    };
    take(this.#decide({ candidates: findOwnServices(services, this.#filters), problems: [] }));
    for (const network of snapshot.networks.values())
      take(this.#remember(network, () => findInNetwork(snapshot, network, this.#filters)));
    for (const instance of snapshot.instances.values())
      take(this.#remember(instance, () => findInInstance(snapshot, instance, this.#filters, this.#config.addresses)));
    for (const [key, reasons] of shared) routes.set(key, this.#route(reasons));
    return new Decision(routes, all, ruledOut);
  }

  /** A route of one candidate, as the conditions allow it; one that they refuse is added to `ruledOut`. */
  #ruled(
    route: AnnouncedRoute,
    conditions: readonly Condition[],
    ruledOut: RefusedCandidate[],
  ): AnnouncedRoute | undefined {
    const [candidate] = route.reasons;
    const ruled = ruling(candidate, conditions);
    if (ruled === undefined) return route;
    if (ruled.refusal === undefined) return this.#route([{ ...candidate, ruled }]);
    ruledOut.push({ ...candidate, refusal: ruled.refusal });
    return undefined;
  }

  #remember(of: Instance | Network, find: () => Findings): Decided {
    let decided = this.#decided.get(of);
    if (decided === undefined) this.#decided.set(of, (decided = this.#decide(find())));
    return decided;
  }

  #decide({ candidates, problems }: Findings): Decided {
    return {
      routes: candidates.filter((candidate) => !isRefused(candidate)).map((candidate) => this.#route([candidate])),
      refused: candidates.filter(isRefused),
      problems,
    };
  }

  #forgetUnless({ networks, projects, server, clustered }: Snapshot): void {
    const world = this.#world;
    if (
      world?.networks !== networks ||
      world.projects !== projects ||
      world.server !== server ||
      world.clustered !== clustered
    ) {
      this.#decided = new WeakMap();
      this.#world = { networks, projects, server, clustered };
    }
  }

  #route(reasons: [Reason, ...Reason[]]): AnnouncedRoute {
    if (reasons.length > 1) reasons.sort(compareReasons);
    const [{ prefix, nextHop, attributes, ruled }] = reasons;
    const said = this.#attributesOf(prefix, attributes, ruled?.attributes);
    return {
      prefix,
      reasons,
      ...(nextHop.address === undefined ? {} : { nextHop: nextHop.address }),
      ...(said === undefined ? {} : { attributes: said }),
    };
  }

  #attributesOf(
    prefix: Prefix,
    own: RouteAttributes | undefined,
    ruled: RouteAttributes | undefined,
  ): RouteAttributes | undefined {
    const rule = this.#config.attributes.find(({ match }) => match.contains(prefix))?.attributes;
    if (own === undefined && ruled === undefined) return rule;
    const merged = together({ ...rule, ...own }, ruled);
    const key = JSON.stringify(merged);
    const known = this.#attributes.get(key);
    if (known === undefined) this.#attributes.set(key, merged);
    return known ?? merged;
  }
}

function isRefused(candidate: Candidate): candidate is RefusedCandidate {
  return candidate.refusal !== undefined;
}

/** Those that conditions hold back least first; by next hop, self first; then by what asks, so that the same LXD always gives the same routes. */
function compareReasons(a: Reason, b: Reason): number {
  const held = (a.ruled?.weight ?? 0) - (b.ruled?.weight ?? 0);
  if (held !== 0) return held;
  const [one, other] = [a.nextHop.address, b.nextHop.address];
  const hops =
    one === undefined || other === undefined
      ? Number(one !== undefined) - Number(other !== undefined)
      : one.compare(other);
  if (hops !== 0) return hops;
  const [left, right] = [describeSource(a.source), describeSource(b.source)];
  return left < right ? -1 : Number(left > right);
}
