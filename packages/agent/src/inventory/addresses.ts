import type { Config, Instance } from "@trivet/lxd";
import { Address, type Family, Prefix, WIDTH } from "@trivet/ip";
import type { KnownInstance, Network } from "./snapshot.ts";

const FAMILIES: readonly Family[] = [4, 6];

/** The instance's NICs: expanded devices of type `nic`, by name. */
export function nicsOf(instance: Instance): (readonly [device: string, nic: Config])[] {
  return Object.entries(instance.expanded_devices).filter(([, device]) => device["type"] === "nic");
}

/**
 * The addresses that LXD gave a NIC: those of its configuration (see {@link configuredAddresses}); and of a family of which that has
 * none, those that LXD leased it.
 */
export function addressesOf(instance: KnownInstance, device: string, nic: Config, network: Network): Address[] {
  const configured = configuredAddresses(instance, device, nic, network);
  const leased = parseAll(instance.learnt?.leased?.[device] ?? []);
  return [...configured, ...leased.filter(({ family }) => !configured.some((one) => one.family === family))];
}

/**
 * The addresses that the guest says a NIC has, of a family of which LXD gave it none; on a network with a subnet of LXD's, only those
 * in it. A guest may say what it likes: these are good for its own names, and for nothing else.
 *
 * @param network absent: a NIC without a managed network
 */
export function reportedAddresses(
  instance: KnownInstance,
  device: string,
  nic: Config,
  network: Network | undefined,
): Address[] {
  const given = network === undefined ? [] : addressesOf(instance, device, nic, network);
  return parseAll(instance.learnt?.reported?.[device] ?? []).filter((address) => {
    const { family } = address;
    if (given.some((one) => one.family === family)) return false;
    const subnet = network === undefined ? undefined : subnetOf(network.config, family);
    return subnet?.contains(address) ?? true;
  });
}

/**
 * The addresses of a NIC as LXD's configuration has them: the static ones, those LXD noted when the NIC was plugged, and for IPv6
 * without stateful DHCP the one that the NIC makes of its MAC address (RFC 4291 appendix A).
 */
export function configuredAddresses(instance: Instance, device: string, nic: Config, network: Network): Address[] {
  const noted = (instance.config[`volatile.${device}.last_state.ip_addresses`] ?? "").split(",");
  const found = parseAll([nic["ipv4.address"] ?? "", nic["ipv6.address"] ?? "", ...noted]);
  if (!found.some(({ family }) => family === 6)) {
    const hwaddr = macOf(instance, device, nic);
    const own = hwaddr === undefined ? undefined : autoconfigured(network.config, hwaddr);
    if (own !== undefined) found.push(own);
  }
  const unique = new Map(found.map((address) => [address.toString(), address]));
  return [...unique.values()];
}

/** The families in which a NIC shall have an address of its network and has none in LXD's configuration: leases may tell. */
export function missingFamilies(instance: Instance, device: string, nic: Config, network: Network): Family[] {
  const known = configuredAddresses(instance, device, nic, network);
  return FAMILIES.filter(
    (family) =>
      subnetOf(network.config, family) !== undefined &&
      nic[`ipv${family}.address`] !== "none" &&
      !known.some((address) => address.family === family),
  );
}

/** A NIC's MAC address, in lower case. */
export function macOf(instance: Instance, device: string, nic: Config): string | undefined {
  return (nic["hwaddr"] ?? instance.config[`volatile.${device}.hwaddr`])?.toLowerCase();
}

function parseAll(texts: readonly string[]): Address[] {
  return texts.map((text) => Address.tryParse(text.trim())).filter((address) => address !== undefined);
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
