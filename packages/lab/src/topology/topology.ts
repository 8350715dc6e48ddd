import { vrrpPriority } from "@trivet/spec";
import type { Suite } from "../image/packages.ts";
import { LabError, checkLabName } from "../runtime/lab-error.ts";
import { type LabPlan, SERVER_NAMES, builtInPlan } from "./plan.ts";

export type Platform = "lxd" | "incus";

/** What a lab was asked to be. */
export interface LabOptions {
  readonly name: string;
  readonly platform: Platform;
  readonly servers: number;
  readonly ceph: boolean;
  /** Stop at installed servers with sshd. */
  readonly bare: boolean;
  /** From a cluster.yaml; without it, the plan every lab of that many servers has. */
  readonly plan?: LabPlan;
}

/** The switch's networks, as in the rack; each is a bridge of the lab's fabric and an interface of every server. */
export const NETWORKS = ["wan-hive", "infra-uplink", "infra-hosts", "infra-bmc"] as const;
export type NetworkName = (typeof NETWORKS)[number];

export interface ServerPlan {
  readonly name: string;
  /** Its name where that makes a part of an interface's, which the kernel limits to 15 characters. */
  readonly short: string;
  /** Its address on the mesh: underlay of Geneve, and where LXD and OVN's databases listen. */
  readonly mesh: string;
  readonly hosts4: string;
  readonly hosts6: string;
  readonly bmc: string;
  /** The FRR router that runs on it as an instance. */
  readonly router: RouterPlan;
}

export interface RouterPlan {
  readonly name: string;
  readonly wan4: string;
  readonly wan6: string;
  readonly uplink4: string;
  readonly uplink6: string;
  readonly hosts4: string;
  readonly hosts6: string;
  readonly vrrpPriority: number;
}

/** A cable between two servers. `bridge` stands for it in the fabric: a bridge with two ports. */
export interface Cable {
  readonly bridge: string;
  readonly ends: readonly [string, string];
}

export interface ProviderPlan {
  readonly name: string;
  readonly wan4: string;
  readonly wan6: string;
  /** The provider's and the client's end of the link between them. */
  readonly world4: readonly [string, string];
  readonly world6: readonly [string, string];
}

/** Every name, address and number of a lab, before anything exists. Addresses are those of RFC 5737, RFC 3849 and 10/8. */
export interface Topology {
  readonly options: LabOptions;
  readonly plan: LabPlan;
  readonly suite: Suite;
  readonly servers: readonly ServerPlan[];
  readonly cables: readonly Cable[];
  readonly providers: readonly ProviderPlan[];
}

export const ASN = { provider: 64496, world: 64498, cluster: 64500, agents: 64512 } as const;

/** The addresses the provider routes to the cluster. */
export const PUBLIC = { ipv4: "203.0.113.0/27", ipv6: "2001:db8:1000::/48" } as const;

/** Where the client host lives, beyond the providers. */
export const CLIENT = { ipv4: "198.51.100.10", ipv6: "2001:db8:c::10" } as const;

/** The client host's addresses: flows from different ones take different ways where routers have several. */
export const CLIENT_SOURCES = {
  ipv4: [CLIENT.ipv4, "198.51.100.11"],
  ipv6: [CLIENT.ipv6, "2001:db8:c::11"],
} as const;

/** Where commands of this machine enter the servers' networks: an administrator's workstation. */
export const WORKSTATION = { "infra-hosts": "10.10.101.250/24", "infra-bmc": "10.10.102.250/24" } as const;

/** Gateways that the routers hold together by VRRP. */
export const GATEWAY = {
  hosts4: "10.10.101.1",
  hosts6: "2001:db8:1000:10::1",
  uplink4: "10.10.100.1",
  uplink6: "2001:db8:1000:20::1",
} as const;

/** What `br-mesh-` leaves of an interface's name. */
const LONGEST_SHORT = 15 - "br-mesh-".length;

/**
 * @throws LabError on a bad name or an impossible number of servers
 */
export function topology(options: LabOptions): Topology {
  checkLabName(options.name);
  if (!Number.isInteger(options.servers) || options.servers < 3 || options.servers > SERVER_NAMES.length)
    throw new LabError(`${options.servers} servers`, `a lab has 3 to ${SERVER_NAMES.length}`);
  const plan = options.plan ?? builtInPlan(options.servers);
  const servers = plan.servers.map((name, i) => server(name, plan.routers[i] ?? "", i, plan.servers.length));
  const cables = servers.flatMap((a, i) =>
    servers.slice(i + 1).map((b, j): Cable => ({ bridge: `mesh${i}-${i + 1 + j}`, ends: [a.name, b.name] })),
  );
  return {
    options,
    plan,
    suite: options.platform === "lxd" ? "bookworm" : "trixie",
    servers,
    cables,
    providers: [provider(1), provider(2)],
  };
}

function server(name: string, router: string, i: number, count: number): ServerPlan {
  const n = 100 + i;
  return {
    name,
    short: name.length <= LONGEST_SHORT ? name : `s${i}`,
    mesh: `10.60.0.${n}`,
    hosts4: `10.10.101.${n}`,
    hosts6: `2001:db8:1000:10::${n}`,
    bmc: `10.10.102.${n}`,
    router: {
      name: router,
      wan4: `192.0.2.${11 + i}`,
      wan6: `2001:db8:ffff:50::${11 + i}`,
      uplink4: `10.10.100.${11 + i}`,
      uplink6: `2001:db8:1000:20::${11 + i}`,
      hosts4: `10.10.101.${11 + i}`,
      hosts6: `2001:db8:1000:10::${11 + i}`,
      vrrpPriority: vrrpPriority(i, count),
    },
  };
}

function provider(n: number): ProviderPlan {
  return {
    name: `hive${n}`,
    wan4: `192.0.2.${n}`,
    wan6: `2001:db8:ffff:50::${n}`,
    world4: [`10.90.${n}.1`, `10.90.${n}.2`],
    world6: [`2001:db8:ffff:9${n}::1`, `2001:db8:ffff:9${n}::2`],
  };
}
