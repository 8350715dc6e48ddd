import type { Config, Instance } from "@trivet/lxd";
import { Address, Prefix, WIDTH } from "@trivet/ip";
import type { Network } from "./snapshot.ts";

/** The instance's NICs: expanded devices of type `nic`, by name. */
export function nicsOf(instance: Instance): (readonly [device: string, nic: Config])[] {
  return Object.entries(instance.expanded_devices).filter(([, device]) => device["type"] === "nic");
}

/**
 * The addresses that LXD gave a NIC: the static ones, those LXD noted when the NIC was plugged, and for IPv6 without stateful DHCP the
 * one that the NIC makes of its MAC address (RFC 4291 appendix A). Leases of a bridge's DHCP server are not among them.
 */
export function addressesOf(instance: Instance, device: string, nic: Config, network: Network): Address[] {
  const noted = (instance.config[`volatile.${device}.last_state.ip_addresses`] ?? "").split(",");
  const found = [nic["ipv4.address"] ?? "", nic["ipv6.address"] ?? "", ...noted]
    .filter((text) => text !== "")
    .map((text) => Address.tryParse(text.trim()))
    .filter((address) => address !== undefined);
  if (!found.some(({ family }) => family === 6)) {
    const hwaddr = nic["hwaddr"] ?? instance.config[`volatile.${device}.hwaddr`];
    const own = hwaddr === undefined ? undefined : autoconfigured(network.config, hwaddr);
    if (own !== undefined) found.push(own);
  }
  const unique = new Map(found.map((address) => [address.toString(), address]));
  return [...unique.values()];
}

/** The subnet a network's `ipvN.address` says, if it has one. */
export function subnetOf(config: Config, family: 4 | 6): Prefix | undefined {
  const [text = "", length = ""] = (config[`ipv${family}.address`] ?? "").split("/");
  const address = Address.tryParse(text);
  if (address?.family !== family || !/^\d{1,3}$/.test(length) || Number(length) > WIDTH[family]) return undefined;
  return Prefix.of(address, Number(length));
}

function autoconfigured(config: Config, hwaddr: string): Address | undefined {
  const subnet = subnetOf(config, 6);
  if (subnet?.length !== 64 || config["ipv6.dhcp.stateful"] === "true") return undefined;
  const mac = hwaddr.split(":").map((octet) => Number.parseInt(octet, 16));
  if (mac.length !== 6 || mac.some((octet) => !(octet >= 0 && octet <= 255))) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
  const bytes = Uint8Array.from(subnet.address.bytes);
  bytes.set([a ^ 2, b, c, 0xff, 0xfe, d, e, f], 8);
  return Address.fromBytes(bytes);
}
