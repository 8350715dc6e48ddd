import type { Config } from "./server.ts";

export interface Network {
  readonly name: string;
  readonly description: string;
  /** `bridge`, `ovn`, `physical`, `macvlan`, `sriov`; unmanaged: also `loopback`, `unknown`. */
  readonly type: string;
  readonly managed: boolean;
  readonly status: string;
  readonly config: Config;
  readonly locations?: readonly string[] | null;
  readonly used_by?: readonly string[];
  /** Filled in by this library on daemons that do not tell it. */
  readonly project?: string;
}

/** `GET /1.0/networks/NAME/state`. */
export interface NetworkState {
  readonly addresses:
    | readonly { readonly family: string; readonly address: string; readonly netmask: string; readonly scope: string }[]
    | null;
  readonly counters: NetworkCounters | null;
  readonly hwaddr: string;
  readonly mtu: number;
  readonly state: string;
  readonly type: string;
  readonly bridge?: unknown;
  readonly bond?: unknown;
  readonly vlan?: unknown;
  /** Only for OVN networks; extension `network_state_ovn`. */
  readonly ovn?: {
    /** The member (chassis) that is the active gateway now. */
    readonly chassis: string;
    readonly logical_router?: string;
    readonly logical_switch?: string;
    readonly uplink_ipv4?: string;
    readonly uplink_ipv6?: string;
  } | null;
}

export interface NetworkCounters {
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly packets_received: number;
  readonly packets_sent: number;
}

export interface NetworkLease {
  readonly hostname: string;
  readonly hwaddr: string;
  readonly address: string;
  /** `static`, `dynamic`, `gateway`, `uplink`. */
  readonly type: string;
  readonly location: string;
  readonly project?: string;
}

export interface NetworkForward {
  readonly listen_address: string;
  readonly description: string;
  readonly config: Config;
  readonly ports: readonly ForwardPort[];
  readonly location?: string;
}

export interface ForwardPort {
  readonly description?: string;
  readonly protocol: string;
  readonly listen_port: string;
  readonly target_port?: string;
  readonly target_address: string;
  readonly snat?: boolean;
}

export interface NetworkLoadBalancer {
  readonly listen_address: string;
  readonly description: string;
  readonly config: Config;
  readonly backends: readonly {
    readonly name: string;
    readonly description?: string;
    readonly target_address: string;
    readonly target_port?: string;
  }[];
  readonly ports: readonly {
    readonly description?: string;
    readonly protocol: string;
    readonly listen_port: string;
    readonly target_backend: readonly string[];
  }[];
  readonly location?: string;
}

/** `GET /1.0/networks/N/load-balancers/ADDRESS/state` (Incus, extension `network_load_balancer_state`). */
export interface NetworkLoadBalancerState {
  readonly backend_health: Readonly<
    Record<
      string,
      {
        readonly address: string;
        readonly ports: readonly { readonly protocol: string; readonly port: number; readonly status: string }[];
      }
    >
  > | null;
}

export interface NetworkAcl {
  readonly name: string;
  readonly description: string;
  readonly ingress: readonly AclRule[];
  readonly egress: readonly AclRule[];
  readonly config: Config;
  readonly used_by?: readonly string[];
  readonly project?: string;
}

export interface AclRule {
  /** `allow`, `reject`, `drop`; Incus also `allow-stateless`. */
  readonly action: string;
  /** `enabled`, `disabled`, `logged`. */
  readonly state: string;
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: string;
  readonly source_port?: string;
  readonly destination_port?: string;
  readonly icmp_type?: string;
  readonly icmp_code?: string;
  readonly description?: string;
}

export interface NetworkZone {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly used_by?: readonly string[];
  readonly project?: string;
}

export interface NetworkZoneRecord {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly entries: readonly { readonly type: string; readonly value: string; readonly ttl?: number }[];
}

/** `GET /1.0/network-allocations` (extension `network_allocations`, LXD 5.0 has it not). */
export interface NetworkAllocation {
  readonly addresses: string;
  readonly used_by: string;
  /** `network`, `instance`, `network-forward`, `network-load-balancer`, `uplink`. */
  readonly type: string;
  readonly hwaddr: string;
  readonly nat: boolean;
  readonly network?: string;
}
