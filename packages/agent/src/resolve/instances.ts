import type { Name } from "@trivet/dns";
import { type Address, Prefix } from "@trivet/ip";
import type { Instance } from "@trivet/lxd";
import { addressesOf, nicsOf, reportedAddresses } from "../inventory/addresses.ts";
import { type KnownInstance, type Network, type Snapshot, keyOf, networkFor } from "../inventory/snapshot.ts";
import type { ForwardZone } from "./config.ts";
import { expandTemplate, isHostName } from "./template.ts";

/** An address of an instance, and how it has it. */
export interface InstanceAddress {
  readonly address: Address;
  readonly device: string;
  /** Absent: a NIC without a managed network. */
  readonly network?: Network;
  /** On the network, or routed to the instance over it from outside. */
  readonly kind: "internal" | "external";
  /** Only the guest says so. */
  readonly reported: boolean;
}

/**
 * Every address of an instance: those LXD gave its NICs (see {@link addressesOf}), those its guest reports for NICs to which LXD gives
 * none, and the single addresses among its NICs' `ipvN.routes.external`.
 */
export function instanceAddresses(
  snapshot: Pick<Snapshot, "networks" | "projects">,
  instance: KnownInstance,
): InstanceAddress[] {
  const found: InstanceAddress[] = [];
  for (const [device, nic] of nicsOf(instance)) {
    const network = networkFor(snapshot, instance.project, nic["network"] ?? "");
    const add = (kind: InstanceAddress["kind"], address: Address, reported = false): void => {
      found.push({ address, device, kind, reported, ...(network === undefined ? {} : { network }) });
    };
    if (network !== undefined) {
      for (const address of addressesOf(instance, device, nic, network)) add("internal", address);
      for (const text of [nic["ipv4.routes.external"], nic["ipv6.routes.external"]].join().split(",")) {
        const prefix = Prefix.tryParse(text.trim());
        if (prefix?.isHost === true) add("external", prefix.address);
      }
    }
    for (const address of reportedAddresses(instance, device, nic, network)) add("internal", address, true);
  }
  return found;
}

/** Those that the zone wants. */
export function wantedAddresses(zone: ForwardZone, addresses: readonly InstanceAddress[]): InstanceAddress[] {
  return addresses.filter(
    ({ network, kind }) =>
      (zone.addresses === "all" || zone.addresses === kind) &&
      (zone.networks === undefined || (network !== undefined && isOneOf(zone.networks, network))),
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
export function inOrderOfClaim<T extends Instance>(instances: Iterable<T>): T[] {
  return [...instances].sort((a, b) => compareText(a.created_at, b.created_at) || compareText(keyOf(a), keyOf(b)));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
