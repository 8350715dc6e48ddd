import { Address, type Prefix } from "@trivet/ip";
import type { Config } from "@trivet/lxd";
import { addressesOf, nicsOf, subnetOf } from "../inventory/addresses.ts";
import { type KnownInstance, type Network, type Snapshot, networkFor } from "../inventory/snapshot.ts";

/** A NIC that a check may go to. */
export interface Nic {
  readonly device: string;
  readonly config: Config;
  readonly network: Network | undefined;
  readonly subnets: readonly Prefix[];
}

/** Where a check goes. */
export interface Way {
  readonly address?: Address;
  /** Without an address: why there is none. */
  readonly nowhere?: string;
  /** A router on the way there, which answers if the way works. */
  readonly witness?: Address;
}

const FAMILIES = [6, 4] as const;

export function findNics(world: Pick<Snapshot, "networks" | "projects">, instance: KnownInstance): Nic[] {
  return nicsOf(instance).map(([device, config]) => {
    const network = networkFor(world, instance.project, config["network"] ?? "");
    const subnets = FAMILIES.flatMap((family) =>
      network === undefined ? [] : (subnetOf(network.config, family) ?? []),
    );
    return { device, config, network, subnets };
  });
}

/**
 * Whoever may set an instance's keys could else have this server connect to anything it can reach. An address that is only routed to the
 * instance is none to ask either: once it is withdrawn, no check could reach it to find that all is well again.
 */
export function isIn(address: Address, nics: readonly Nic[]): boolean {
  return nics.some(({ subnets }) => subnets.some((subnet) => subnet.contains(address)));
}

/**
 * To the address that is given, or the instance's first that this server can reach; and the router that must answer on the way: the OVN
 * network's own. A bridge's is this server itself.
 */
export function findWay(instance: KnownInstance, given: Address | undefined, nics: readonly Nic[]): Way {
  const own = nics.flatMap((nic) => reachable(instance, nic).map((address) => ({ address, nic })));
  // Its owner may write these too, in `volatile.*`.
  const address = given ?? own.find((one) => isIn(one.address, [one.nic]))?.address;
  if (address === undefined) {
    const [foreign] = own;
    if (foreign === undefined) return {};
    const where = `the subnets of its network ${foreign.nic.network?.name ?? ""}`;
    return { nowhere: `its address ${foreign.address.toString()} is outside ${where}` };
  }
  const network = nics.find((nic) => isIn(address, [nic]))?.network;
  const router =
    network?.type === "ovn"
      ? Address.tryParse((network.config[`ipv${address.family}.address`] ?? "").split("/")[0] ?? "")
      : undefined;
  return { address, ...(router === undefined ? {} : { witness: router }) };
}

/** The NIC's addresses that this server can reach, IPv6 first: nothing from outside reaches what OVN translates. */
function reachable(instance: KnownInstance, { device, config, network }: Nic): Address[] {
  if (network === undefined) return [];
  return addressesOf(instance, device, config, network)
    .filter(({ family }) => network.type !== "ovn" || network.config[`ipv${family}.nat`] !== "true")
    .sort((a, b) => b.family - a.family);
}
