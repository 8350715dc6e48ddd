import type { NetworkCounters } from "./network.ts";
import type { Config } from "./server.ts";

/** One entry of `GET /1.0/instances?recursion=1`. */
export interface Instance {
  readonly name: string;
  readonly description: string;
  readonly project: string;
  /** The cluster member it lives on; `none` or empty on a standalone server. */
  readonly location: string;
  readonly type: "container" | "virtual-machine";
  readonly architecture: string;
  readonly ephemeral: boolean;
  readonly stateful: boolean;
  readonly profiles: readonly string[];
  readonly config: Config;
  readonly devices: Readonly<Record<string, Config>>;
  /** With the profiles' keys applied. */
  readonly expanded_config: Config;
  /** With the profiles' devices applied. */
  readonly expanded_devices: Readonly<Record<string, Config>>;
  /** `Running`, `Stopped`, `Frozen`, `Error`, … */
  readonly status: string;
  /** 102 stopped, 103 running, 110 frozen; see {@link InstanceStatus}. */
  readonly status_code: number;
  readonly created_at: string;
  readonly last_used_at: string;
}

/** Instance status codes that matter to an observer. */
export const InstanceStatus = { started: 101, stopped: 102, running: 103, frozen: 110, error: 112 } as const;

/** One entry of `GET /1.0/instances?recursion=2`. */
export interface InstanceFull extends Instance {
  readonly state: InstanceState | null;
}

export interface InstanceState {
  readonly status: string;
  readonly status_code: number;
  /** Of the instance's init on its server. */
  readonly pid: number;
  readonly processes: number;
  readonly cpu: { readonly usage: number };
  readonly memory: {
    readonly usage: number;
    readonly usage_peak: number;
    readonly total?: number;
    readonly swap_usage: number;
  };
  readonly disk: Readonly<Record<string, { readonly usage: number; readonly total?: number }>> | null;
  readonly network: Readonly<Record<string, InstanceNetwork>> | null;
}

export interface InstanceNetwork {
  readonly addresses: readonly {
    readonly family: string;
    readonly address: string;
    readonly netmask: string;
    readonly scope: string;
  }[];
  readonly counters: NetworkCounters;
  readonly hwaddr: string;
  readonly host_name: string;
  readonly mtu: number;
  readonly state: string;
  readonly type: string;
}

/** `PUT /1.0/instances/NAME/state`. */
export interface InstanceStateChange {
  readonly action: "start" | "stop" | "restart" | "freeze" | "unfreeze";
  /** Seconds that a clean shutdown may take; -1 waits for ever. */
  readonly timeout?: number;
  readonly force?: boolean;
  readonly stateful?: boolean;
}
