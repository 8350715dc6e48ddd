/**
 * What a simulated cluster starts with, as data. Addresses are text, so that what is expected of an announcer can be worked out from
 * a scene without the code under test.
 */
export interface Scene {
  /** At least one; the first is the database leader. */
  readonly servers: readonly string[];
  readonly uplink: SceneUplink;
  readonly projects: readonly SceneProject[];
  readonly networks: readonly SceneNetwork[];
  readonly instances: readonly SceneInstance[];
  /** LXD's own DNS zones; none unless told. */
  readonly zones?: readonly SceneZone[];
}

/** The physical network that all OVN networks have as their uplink. */
export interface SceneUplink {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

export interface SceneProject {
  readonly name: string;
  readonly description: string;
}

export interface SceneNetwork {
  readonly name: string;
  readonly project: string;
  /** LXD's `ipv6.address`, the gateway with its length: `2001:db8:0:1001::1/64`. Public: there is no NAT. */
  readonly gateway6: string;
  /** LXD's `ipv4.address`; private, behind NAT. */
  readonly gateway4: string;
  /** The router's addresses on the uplink: the next hops of whatever lies behind it. */
  readonly router4: string;
  readonly router6: string;
  /** The server whose chassis is the active gateway. */
  readonly chassis: string;
  /** Listen addresses of network forwards. */
  readonly forwards: readonly string[];
  /** LXD's `dns.zone.forward`. */
  readonly zone?: string;
}

export interface SceneZone {
  readonly name: string;
  readonly project: string;
  readonly config: Readonly<Record<string, string>>;
  readonly records: readonly {
    readonly name: string;
    readonly entries: readonly { readonly type: string; readonly value: string; readonly ttl?: number }[];
  }[];
}

export interface SceneInstance {
  readonly name: string;
  readonly project: string;
  readonly type: "container" | "virtual-machine";
  readonly server: string;
  readonly running: boolean;
  /** Absent: its NIC is on the host's own bridge (a router). */
  readonly network?: string;
  /** Prefixes routed to it by `ipvN.routes.external`. */
  readonly routes: readonly string[];
  /** LXD's `cluster.evacuate`; `auto` unless told. */
  readonly evacuate?: "stop";
}
