import type { Config } from "./server.ts";

/** `GET /1.0/cluster`. */
export interface Cluster {
  /** This member's name; empty when not clustered. */
  readonly server_name: string;
  readonly enabled: boolean;
  /** The member-specific keys that a joiner is asked for. */
  readonly member_config: readonly MemberConfigKey[] | null;
}

export interface MemberConfigKey {
  readonly entity: string;
  readonly name: string;
  readonly key: string;
  readonly value: string;
  readonly description: string;
}

export interface ClusterMember {
  readonly server_name: string;
  readonly url: string;
  /** `Online`, `Offline`, `Evacuated`, `Blocked`. */
  readonly status: string;
  readonly message: string;
  /** Of `database-leader`, `database`, `database-standby`, `event-hub`, `ovn-chassis`. */
  readonly roles: readonly string[];
  readonly database: boolean;
  readonly failure_domain: string;
  readonly architecture: string;
  readonly config: Config;
  readonly description: string;
  readonly groups?: readonly string[];
}

/** `GET /1.0/cluster/members/NAME/state` (extension `cluster_member_state`, LXD 5.0 has it not). */
export interface ClusterMemberState {
  readonly sysinfo: {
    readonly uptime: number;
    readonly load_averages: readonly number[];
    readonly total_ram: number;
    readonly free_ram: number;
    readonly processes: number;
    readonly [key: string]: unknown;
  };
  readonly storage_pools: Readonly<Record<string, unknown>>;
}

/** What a client or server needs to join, from a token that LXD or Incus made. */
export interface TokenContent {
  readonly name: string;
  /** SHA-256 of the server's certificate, hexadecimal. */
  readonly fingerprint: string;
  /** `host:port`, IPv6 in brackets. */
  readonly addresses: readonly string[];
  readonly secret: string;
  readonly expiresAt?: string;
}
