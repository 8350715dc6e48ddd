import type { Address, Prefix } from "@trivet/ip";
import type { Aggregator, LargeCommunity, Origin, UnknownAttribute } from "./wire/index.ts";

/** A route to announce. Routes are values: do not change one, or its attributes, after it was given to a speaker. */
export interface Route {
  readonly prefix: Prefix;
  /** Where packets go; absent: to this speaker, by the local address of each session. */
  readonly nextHop?: Address;
  /** Routes that share one object here are the cheapest to announce. */
  readonly attributes?: RouteAttributes;
}

/** What is said of a route. All numbers are unsigned; see `parseCommunity` and its kin for the communities' text. */
export interface RouteAttributes {
  /** `igp` unless told. */
  readonly origin?: Origin;
  /** The ASes after the local one, nearest first; none unless told. */
  readonly asPath?: readonly number[];
  /** How many more times than once the local AS is put before the path towards other ASes, to make it longer; 0 unless told. */
  readonly prepend?: number;
  /** The less the better, among routes from the same neighbouring AS. */
  readonly med?: number;
  /** The more the better; only told to peers of the same AS, and 100 there unless told. */
  readonly localPref?: number;
  readonly communities?: readonly number[];
  readonly largeCommunities?: readonly LargeCommunity[];
  readonly extendedCommunities?: readonly bigint[];
  readonly atomicAggregate?: boolean;
  readonly aggregator?: Aggregator;
  readonly unknown?: readonly UnknownAttribute[];
}

/** A change to what is announced. Where a prefix is in both, it is announced. */
export interface RouteChange {
  readonly announce?: Iterable<Route>;
  readonly withdraw?: Iterable<Prefix>;
}

/** A route that cannot be announced. The message says which, what is wrong and what is right. */
export class RouteError extends Error {
  override readonly name = "RouteError";
  readonly fault = "input";
  readonly prefix: string;

  constructor(prefix: string, reason: string) {
    super(`the route ${prefix} ${reason}`);
    this.prefix = prefix;
  }
}
