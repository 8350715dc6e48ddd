import type { Heat } from "./sensors.ts";

export type PowerState = "On" | "Off" | "PoweringOn" | "PoweringOff";

/** What `ComputerSystem.Reset` can be asked for. */
export const RESETS = ["On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart", "PowerCycle"] as const;
export type Reset = (typeof RESETS)[number];

/** What never changes of a server. */
export interface Identity {
  readonly name: string;
  readonly serial: string;
  readonly uuid: string;
  readonly processors: number;
  readonly memoryGiB: number;
}

/** A server as its BMC has it at the end of a few wires: a power button, sensors, a label. */
export interface Machine {
  readonly identity: Identity;
  readonly power: () => Promise<PowerState>;
  readonly heat: () => Heat;
  /**
   * What its power button and power supply can do. An orderly shutdown is begun, not waited for.
   *
   * @throws RedfishError when it is in no state for that
   */
  readonly reset: (reset: Reset) => Promise<void>;
}
