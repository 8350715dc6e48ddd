import { Address, type Prefix } from "@trivet/ip";
import type { Config } from "@trivet/lxd";
import type { Problem } from "../announce/candidate.ts";
import { addressesOf, nicsOf, subnetOf } from "../inventory/addresses.ts";
import { type KnownInstance, type Network, type Snapshot, keyOf, networkFor } from "../inventory/snapshot.ts";
import type { HealthConfig } from "./config.ts";
import { DEFAULT_NAME, KEY, type WrittenCheck, readCheckKeys } from "./keys.ts";
import type { Timers } from "./timers.ts";

/** One check of one instance, with all that is needed to run it. */
export interface Check extends WrittenCheck {
  /** Equal in every Snapshot for the same check of the same instance. */
  readonly id: string;
  readonly project: string;
  readonly instance: string;
  /** Absent: it is about the whole instance; else about what this NIC has. */
  readonly device?: string;
  readonly timers: Timers;
  /** Where to, but for `exec`; absent: no address of the instance is known. */
  readonly address?: Address;
  /** A router on the way there, which answers if the way works. */
  readonly witness?: Address;
}

interface Plan {
  readonly checks: readonly Check[];
  readonly problems: readonly Problem[];
}

type World = Pick<Snapshot, "networks" | "projects">;

interface Nic {
  readonly device: string;
  readonly config: Config;
  readonly network: Network | undefined;
  readonly subnets: readonly Prefix[];
}

/** The checks of one instance: what agent.yaml says of it, and what it and its NICs say themselves. */
export function planChecks(world: World, instance: KnownInstance, config: HealthConfig): Plan {
  const { project, name } = instance;
  const at = { project, instance: name };
  const key = keyOf(instance);
  const nics = nicsOf(instance).map(([device, nic]): Nic => {
    const network = networkFor(world, project, nic["network"] ?? "");
    const subnets = FAMILIES.flatMap((family) =>
      network === undefined ? [] : (subnetOf(network.config, family) ?? []),
    );
    return { device, config: nic, network, subnets };
  });
  const checks: Check[] = [];
  const problems: Problem[] = [];
  const add = (origin: string, written: WrittenCheck, timers: Partial<Timers>, on: readonly Nic[]): void => {
    const { target } = written;
    checks.push({
      ...written,
      ...at,
      id: `${key} ${origin} ${written.name}`,
      timers: { ...config.timers, ...timers },
      ...(origin.startsWith("nic ") ? { device: origin.slice("nic ".length) } : {}),
      ...(target.kind === "exec" ? {} : way(instance, target.address, on)),
    });
  };
  const addWritten = (origin: string, values: Config, source: Problem["source"], on: readonly Nic[]): void => {
    const written = readCheckKeys(values, source);
    problems.push(...written.problems);
    for (const check of written.checks) {
      const { name: label, text: value, target } = check;
      const key = label === DEFAULT_NAME ? KEY : `${KEY}.${label}`;
      if (target.kind !== "exec" && target.address !== undefined && !isIn(target.address, on))
        problems.push({ source, key, value, why: FOREIGN });
      else add(origin, check, written.timers, on);
    }
  };
  for (const { instances, timers, ...check } of config.checks)
    if (instances.some((pattern) => pattern.test(key))) add("agent.yaml", check, timers, nics);
  addWritten("instance", instance.expanded_config, { ...at, network: "" }, nics);
  for (const nic of nics) {
    const source = { ...at, network: nic.config["network"] ?? nic.config["parent"] ?? "", device: nic.device };
    addWritten(`nic ${nic.device}`, nic.config, source, [nic]);
  }
  return { checks, problems };
}

const FAMILIES = [6, 4] as const;

/**
 * Whoever may set an instance's keys could else have this server connect to anything it can reach. An address that is only routed to the
 * instance is none to ask either: once it is withdrawn, no check could reach it to find that all is well again.
 */
const FOREIGN = "goes to an address outside the subnets of this instance's networks; only a check in agent.yaml may";

function isIn(address: Address, nics: readonly Nic[]): boolean {
  return nics.some(({ subnets }) => subnets.some((subnet) => subnet.contains(address)));
}

/** Where a check goes, and the router that must answer on the way: the OVN network's own. A bridge's is this server itself. */
function way(
  instance: KnownInstance,
  given: Address | undefined,
  nics: readonly Nic[],
): Pick<Check, "address" | "witness"> {
  const address = given ?? nics.flatMap((nic) => reachable(instance, nic))[0];
  if (address === undefined) return {};
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
