import type { RouteAttributes } from "@trivet/bgp";
import type { Address, Prefix } from "@trivet/ip";

/** Something in LXD that has a prefix which packets should reach. */
export interface Source {
  readonly kind: SourceKind;
  /** Of the network, or of the instance where there is one. */
  readonly project: string;
  /** The network's name, or the parent interface of a NIC without a managed network. */
  readonly network: string;
  readonly instance?: string;
  readonly device?: string;
}

export type SourceKind =
  | "subnet"
  | "nat-address"
  | "forward"
  | "load-balancer"
  | "external-route"
  | "user-route"
  | "instance-address"
  | "dns-service";

/** Where a route's next hop comes from, by descending precedence; `route` is written beside the prefix itself. */
export type NextHopOrigin = "route" | "bgp.nexthop" | "ovn-router" | "self";

export interface NextHop {
  /** Absent: this server, by the local address of each session. */
  readonly address?: Address;
  readonly origin: NextHopOrigin;
}

/** Why a candidate is not announced. */
export type RefusalCode =
  | "not-allowed"
  | "project"
  | "uplink"
  | "nat"
  | "no-uplink"
  | "elsewhere"
  | "not-running"
  | "no-backend"
  | "opted-out"
  | "bad-nexthop"
  | "drained"
  | "unhealthy"
  | "silent";

export interface Refusal {
  readonly code: RefusalCode;
  /** For people, to follow the description of the source: "it is stopped". */
  readonly why: string;
}

/** A prefix that may be announced, and if not, why not. */
export interface Candidate {
  readonly prefix: Prefix;
  readonly nextHop: NextHop;
  readonly source: Source;
  readonly attributes?: RouteAttributes;
  readonly refusal?: Refusal;
}

/** A value in LXD's configuration that is wrong; it counts as absent, and harms nothing else. */
export interface Problem {
  readonly source: Pick<Source, "project" | "network" | "instance" | "device">;
  readonly key: string;
  readonly value: string;
  readonly why: string;
}

/** What was found in one instance or network. */
export interface Findings {
  readonly candidates: readonly Candidate[];
  readonly problems: readonly Problem[];
}

/** "external route of instance web/c1 (eth0 on ovn-web)" */
export function describeSource({ kind, project, network, instance, device }: Source): string {
  const what = LABELS[kind];
  if (kind === "dns-service") return what;
  return instance === undefined
    ? `${what} of network ${project}/${network}`
    : `${what} of instance ${project}/${instance} (${device ?? "?"} on ${network})`;
}

const LABELS: Readonly<Record<SourceKind, string>> = {
  subnet: "subnet",
  "nat-address": "NAT address",
  forward: "forward",
  "load-balancer": "load balancer",
  "external-route": "external route",
  "user-route": "user.bgp.routes",
  "instance-address": "address",
  "dns-service": "this server's DNS",
};
