import { Address, type Family, Prefix } from "@trivet/ip";
import { subnetOf } from "../inventory/addresses.ts";
import type { Network, Snapshot } from "../inventory/snapshot.ts";
import type { Candidate, Findings, Problem, Refusal, SourceKind } from "./candidate.ts";
import type { Filters } from "./filters.ts";
import { BAD_NEXTHOP, nextHopOf } from "./next-hop.ts";
import { readUserKeys } from "./user-keys.ts";

/**
 * What one network announces by itself, as LXD's own BGP would: its subnets unless they are behind NAT, else `ipvN.nat.address`; the
 * listen addresses of its forwards; and of its load balancers, while a backend is up.
 */
export function findInNetwork(
  { networks, server }: Pick<Snapshot, "networks" | "server">,
  network: Network,
  filters: Filters,
): Findings {
  const source = { project: network.project, network: network.name };
  const keys = readUserKeys(network.config, source);
  const problems: Problem[] = [...keys.problems];
  const candidates: Candidate[] = [];

  const propose = (kind: SourceKind, prefix: Prefix, refusal?: Refusal): void => {
    const nextHop = nextHopOf(networks, network, prefix.family);
    const refused =
      (keys.announce ? undefined : OPTED_OUT) ??
      filters.project(network.project) ??
      filters.network(network) ??
      refusal ??
      (nextHop === "bad-nexthop" ? BAD_NEXTHOP : undefined) ??
      filters.allow(prefix);
    candidates.push({
      prefix,
      source: { ...source, kind },
      nextHop: nextHop === "bad-nexthop" ? { origin: "self" } : nextHop,
      ...(keys.attributes === undefined ? {} : { attributes: keys.attributes }),
      ...(refused === undefined ? {} : { refusal: refused }),
    });
  };
  const address = (key: string, value: string): Prefix | undefined => {
    const parsed = Address.tryParse(value);
    if (parsed === undefined) problems.push({ source, key, value, why: "is no IP address" });
    return parsed && Prefix.host(parsed);
  };

  if (network.type === "ovn" || network.type === "bridge")
    for (const family of FAMILIES) {
      const subnet = subnetOf(network.config, family);
      const nat = network.config[`ipv${family}.nat`] === "true";
      const natAddress = network.config[`ipv${family}.nat.address`] ?? "";
      if (subnet !== undefined) propose("subnet", subnet, nat ? NAT : undefined);
      const outside = nat && natAddress !== "" ? address(`ipv${family}.nat.address`, natAddress) : undefined;
      if (outside !== undefined) propose("nat-address", outside);
    }
  for (const { listen_address, location = "" } of network.forwards) {
    const prefix = address("forward", listen_address);
    // On a bridge a forward belongs to one server.
    const elsewhere = network.type !== "ovn" && !["", "none", server].includes(location);
    if (prefix !== undefined)
      propose("forward", prefix, elsewhere ? { code: "elsewhere", why: `it is on ${location}` } : undefined);
  }
  for (const { listen_address, online } of network.loadBalancers) {
    const prefix = address("load-balancer", listen_address);
    if (prefix !== undefined) propose("load-balancer", prefix, online === false ? NO_BACKEND : undefined);
  }
  return { candidates, problems };
}

export const OPTED_OUT: Refusal = { code: "opted-out", why: "user.trivet.announce is false" };

const FAMILIES: readonly Family[] = [4, 6];
const NAT: Refusal = { code: "nat", why: "the network translates it (NAT), so nothing outside may use it" };
const NO_BACKEND: Refusal = { code: "no-backend", why: "none of its backends is healthy" };
