import type {
  ClusterMember,
  Config,
  Instance,
  NetworkForward,
  NetworkLoadBalancer,
  NetworkZoneRecord,
  Project,
} from "@trivet/lxd";

/**
 * All that the agent knows of LXD, at one moment. Immutable: a change makes a new Snapshot that shares what did not change, so that
 * what is derived from an instance or from the networks may be kept as long as that object is the same.
 */
export interface Snapshot {
  /** The name of the server the agent runs on; what an instance's `location` is compared with. */
  readonly server: string;
  readonly clustered: boolean;
  /** When the newest read that this Snapshot holds was done: milliseconds since 1970. */
  readonly takenAt: number;
  readonly parts: Readonly<Record<Part, PartState>>;
  readonly members: readonly ClusterMember[];
  /** SHA-256 fingerprints, hexadecimal, of the certificates that LXD trusts with everything. */
  readonly trusted: readonly string[];
  /** `user.trivet.*` of the daemon's own configuration, which all servers share. */
  readonly notes?: Config;
  readonly projects: ReadonlyMap<string, Project>;
  /** By {@link keyOf}. */
  readonly networks: ReadonlyMap<string, Network>;
  /** LXD's own DNS zones, by {@link keyOf}. */
  readonly zones: ReadonlyMap<string, DnsZone>;
  /** By {@link keyOf}; of all servers and projects. */
  readonly instances: ReadonlyMap<string, KnownInstance>;
  /** Instances' addresses are being learnt for the first time: what this Snapshot knows of them may be out of date. */
  readonly learning: boolean;
}

/** An instance, and what was learnt of it elsewhere than in its configuration. */
export interface KnownInstance extends Instance {
  readonly learnt?: Learnt;
}

/** Addresses by device. */
export interface Learnt {
  /** That LXD's or OVN's DHCP gave a NIC. */
  readonly leased?: Readonly<Record<string, readonly string[]>>;
  /** That the guest says a NIC has. */
  readonly reported?: Readonly<Record<string, readonly string[]>>;
}

/** What is read on its own, and fails on its own. */
export type Part = "members" | "projects" | "networks" | "zones" | "instances";

/**
 * True when all was read that there is, so that what is missing in it is gone: no part's last reading failed, no address is being
 * learnt, and LXD told more of every instance than where it is.
 */
export function isWhole(snapshot: Snapshot | undefined): snapshot is Snapshot {
  return (
    snapshot?.learning === false &&
    PARTS.every((part) => snapshot.parts[part].error === undefined) &&
    ![...snapshot.instances.values()].some(isHollow)
  );
}

/** On a server that LXD cannot reach: it tells nothing but the name and the place. */
export function isHollow({ status, expanded_devices }: Instance): boolean {
  return status === "Error" && Object.keys(expanded_devices).length === 0;
}

export const PARTS: readonly Part[] = ["members", "projects", "networks", "zones", "instances"];

export interface PartState {
  /** When the whole part was last read without an error: milliseconds since 1970. */
  readonly readAt: number;
  /** Why the last attempt failed, if it did; what the Snapshot holds is then as of `readAt`, and of the events since. */
  readonly error?: string;
}

/** A managed network with all that hangs on it. */
export interface Network {
  readonly project: string;
  readonly name: string;
  /** `bridge`, `ovn`, `physical`, ... */
  readonly type: string;
  /** With this server's member-specific keys (`parent`, `bgp.ipvN.nexthop`). */
  readonly config: Config;
  readonly forwards: readonly NetworkForward[];
  readonly loadBalancers: readonly LoadBalancer[];
  /** OVN: the server that is the active gateway, where LXD tells. */
  readonly chassis?: string;
}

/** A network zone object with its records. */
export interface DnsZone {
  readonly project: string;
  readonly name: string;
  readonly config: Config;
  readonly records: readonly NetworkZoneRecord[];
}

export interface LoadBalancer extends NetworkLoadBalancer {
  /** Whether a backend is healthy; absent when its health is not checked or not known. */
  readonly online?: boolean;
}

/** The key of a network or instance in a {@link Snapshot}. */
export function keyOf({ project, name }: { readonly project: string; readonly name: string }): string {
  return `${project}/${name}`;
}

/** The network a NIC names: that of the instance's project if the project has its own networks, else that of `default`. */
export function networkFor(
  { projects, networks }: Pick<Snapshot, "projects" | "networks">,
  instanceProject: string,
  name: string,
): Network | undefined {
  const own = projects.get(instanceProject)?.config["features.networks"] === "true";
  return networks.get(keyOf({ project: own ? instanceProject : "default", name }));
}

/** True when the instance lives on the Snapshot's server. */
export function isLocal({ server, clustered }: Pick<Snapshot, "server" | "clustered">, instance: Instance): boolean {
  return !clustered || instance.location === server;
}

/** The instance runs and answers; a frozen one does not. */
export function isRunning(instance: Instance): boolean {
  return instance.status === "Running" || instance.status === "Ready";
}
