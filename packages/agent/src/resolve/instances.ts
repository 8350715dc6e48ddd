import type { Name } from "@trivet/dns";
import { type Address, Prefix } from "@trivet/ip";
import type { Instance } from "@trivet/lxd";
import { addressesOf, nicsOf } from "../inventory/addresses.ts";
import { type Network, type Snapshot, keyOf, networkFor } from "../inventory/snapshot.ts";
import type { ForwardZone } from "./config.ts";
import { expandTemplate, isHostName } from "./template.ts";

/** An address of an instance, and how it has it. */
export interface InstanceAddress {
  readonly address: Address;
  readonly device: string;
  readonly network: Network;
  /** On the network, or routed to the instance over it from outside. */
  readonly kind: "internal" | "external";
}

/**
 * Every address of an instance on managed networks: those LXD gave its NICs (see {@link addressesOf}), and the single addresses among
 * its NICs' `ipvN.routes.external`.
 */
export function instanceAddresses(
  snapshot: Pick<Snapshot, "networks" | "projects">,
  instance: Instance,
): InstanceAddress[] {
  const found: InstanceAddress[] = [];
  for (const [device, nic] of nicsOf(instance)) {
    const network = networkFor(snapshot, instance.project, nic["network"] ?? "");
    if (network === undefined) continue;
    for (const address of addressesOf(instance, device, nic, network))
      found.push({ address, device, network, kind: "internal" });
    for (const text of [nic["ipv4.routes.external"], nic["ipv6.routes.external"]].join().split(",")) {
      const prefix = Prefix.tryParse(text.trim());
      if (prefix?.isHost === true) found.push({ address: prefix.address, device, network, kind: "external" });
    }
  }
  return found;
}

/** Those that the zone wants. */
export function wantedAddresses(zone: ForwardZone, addresses: readonly InstanceAddress[]): InstanceAddress[] {
  return addresses.filter(
    ({ network, kind }) =>
      (zone.addresses === "all" || zone.addresses === kind) &&
      (zone.networks === undefined || isOneOf(zone.networks, network)),
  );
}

/** True when a list of networks, `PROJECT/NAME` or `NAME` of the default project, names this one. */
export function isOneOf(
  names: readonly string[],
  network: { readonly project: string; readonly name: string },
): boolean {
  return names.some((name) => (name.includes("/") ? name : `default/${name}`) === keyOf(network));
}

/** The name of an instance in a zone, or why it has none. */
export function instanceName(
  zone: ForwardZone,
  { name, project, location }: Instance,
): { name: Name } | { why: string } {
  const relative = expandTemplate(zone.template, { instance: name, project, server: location });
  if (!isHostName(relative))
    return { why: `${relative} is no host name, so it has no name in ${zone.origin.toString()}` };
  return { name: below(zone.origin, relative) };
}

/** A relative name, dots and all, below an origin. */
export function below(origin: Name, relative: string): Name {
  return relative.split(".").reduceRight((name, label) => name.child(label), origin);
}

/** Oldest first, so that a newcomer cannot take a name; then by key, so that every server decides alike. */
export function inOrderOfClaim(instances: Iterable<Instance>): Instance[] {
  return [...instances].sort((a, b) => compareText(a.created_at, b.created_at) || compareText(keyOf(a), keyOf(b)));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
