import { type RouteAttributes, formatCommunity, formatLargeCommunity } from "@trivet/bgp";
import type { Prefix } from "@trivet/ip";
import type { AnnouncedRoute, Announcement } from "./announce.ts";
import { type NextHop, describeSource } from "./candidate.ts";

/** A route as the API and the command show it. */
export interface RouteView {
  readonly prefix: string;
  /** An address, or `self`. */
  readonly nextHop: string;
  readonly attributes?: AttributesView;
  /** Where the next hop comes from, for people. */
  readonly nextHopFrom: string;
  /** What asks for it, the one that decided the next hop and attributes first. */
  readonly reasons: readonly string[];
  /** Why routers are asked to prefer others; absent when they are not. */
  readonly heldBack?: readonly string[];
}

export interface AttributesView {
  readonly communities?: readonly string[];
  readonly largeCommunities?: readonly string[];
  readonly med?: number;
  readonly localPref?: number;
  readonly prepend?: number;
}

export interface RefusedView {
  readonly prefix: string;
  readonly source: string;
  readonly code: string;
  readonly why: string;
}

/** Why one server announces a prefix, or not. */
export interface Explanation {
  readonly prefix: string;
  readonly announced: boolean;
  /** One sentence. */
  readonly verdict: string;
  readonly route?: RouteView;
  readonly refused: readonly RefusedView[];
  /** Announced prefixes that contain it, the longest first. */
  readonly coveredBy: readonly string[];
}

export function viewRoute({ prefix, nextHop, attributes, reasons }: AnnouncedRoute): RouteView {
  const [{ ruled }] = reasons;
  return {
    prefix: prefix.toString(),
    nextHop: nextHop?.toString() ?? "self",
    ...(attributes === undefined ? {} : { attributes: viewAttributes(attributes) }),
    nextHopFrom: NEXT_HOPS[reasons[0].nextHop.origin],
    reasons: reasons.map(({ source }) => describeSource(source)),
    ...(ruled === undefined ? {} : { heldBack: ruled.why }),
  };
}

export function viewRefused({ prefix, source, refusal }: Announcement["refused"][number]): RefusedView {
  return { prefix: prefix.toString(), source: describeSource(source), ...refusal };
}

/** @param allow the configuration's allow-list, to say of a prefix that nothing asks for whether it could be announced at all */
export function explain({ routes, refused }: Announcement, prefix: Prefix, allow: readonly Prefix[]): Explanation {
  const found = routes.get(prefix.toString());
  const not = refused.filter((candidate) => candidate.prefix.equals(prefix)).map(viewRefused);
  const coveredBy = [...routes.values()]
    .map((route) => route.prefix)
    .filter((other) => other.contains(prefix) && !other.equals(prefix))
    .sort((a, b) => b.length - a.length)
    .map(String);
  return {
    prefix: prefix.toString(),
    announced: found !== undefined,
    verdict: verdict(
      found,
      not,
      coveredBy,
      allow.some((allowed) => allowed.contains(prefix)),
    ),
    ...(found === undefined ? {} : { route: viewRoute(found) }),
    refused: not,
    coveredBy,
  };
}

function verdict(
  route: AnnouncedRoute | undefined,
  refused: readonly RefusedView[],
  coveredBy: readonly string[],
  allowed: boolean,
): string {
  if (route !== undefined) {
    const { nextHop, nextHopFrom, reasons, heldBack = [] } = viewRoute(route);
    const held = heldBack.map((why) => `; held back: ${why}`).join("");
    return `announced via ${nextHop} (${nextHopFrom}): ${reasons[0] ?? ""}${held}`;
  }
  const [first] = refused;
  if (first !== undefined) return `not announced: ${first.source}: ${first.why}`;
  const [cover] = coveredBy;
  if (cover !== undefined) return `not announced by itself, but ${cover} is, which contains it`;
  return allowed
    ? "not announced: no network, forward, load balancer or instance has it"
    : "not announced: nothing has it, and `allow` does not contain it";
}

const NEXT_HOPS: Readonly<Record<NextHop["origin"], string>> = {
  route: "as written with the route",
  "bgp.nexthop": "from bgp.ipvN.nexthop",
  "ovn-router": "the OVN router's address on the uplink",
  self: "this server",
};

function viewAttributes({ communities, largeCommunities, med, localPref, prepend }: RouteAttributes): AttributesView {
  return {
    ...(communities === undefined ? {} : { communities: communities.map(formatCommunity) }),
    ...(largeCommunities === undefined ? {} : { largeCommunities: largeCommunities.map(formatLargeCommunity) }),
    ...(med === undefined ? {} : { med }),
    ...(localPref === undefined ? {} : { localPref }),
    ...(prepend === undefined ? {} : { prepend }),
  };
}
