import { Address, type Family } from "@trivet/ip";
import { type Network, type Snapshot, keyOf } from "../inventory/snapshot.ts";
import type { NextHop, Refusal } from "./candidate.ts";

/**
 * Where packets for a network's prefixes go, as LXD's own BGP decides it: `bgp.ipvN.nexthop` of the uplink (of the network itself, if
 * it is no OVN network), a key each server may set differently; else the OVN router's own address on the uplink; else this server.
 */
export function nextHopOf(networks: Snapshot["networks"], network: Network, family: Family): NextHop | "bad-nexthop" {
  const ovn = network.type === "ovn";
  const uplink = ovn ? networks.get(keyOf({ project: "default", name: network.config["network"] ?? "" })) : network;
  const configured = uplink?.config[`bgp.ipv${family}.nexthop`] ?? "";
  const volatile = ovn ? (network.config[`volatile.network.ipv${family}.address`] ?? "") : "";
  const text = configured === "" ? volatile : configured;
  if (text === "") return { origin: "self" };
  const address = Address.tryParse(text);
  if (address?.family !== family) return "bad-nexthop";
  // LXD writes "self" as the unspecified address.
  if (address.isUnspecified) return { origin: "self" };
  return { address, origin: configured === "" ? "ovn-router" : "bgp.nexthop" };
}

export const BAD_NEXTHOP: Refusal = { code: "bad-nexthop", why: "its next hop is no address of its family" };
