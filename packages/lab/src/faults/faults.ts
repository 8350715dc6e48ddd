import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";
import { clock } from "./clock.ts";
import { agent, lxd, mon, osd, ovnCentral, router } from "./daemons.ts";
import { fullDisk, slowDisk } from "./disks.ts";
import type { Fault } from "./fault.ts";
import { crash, power, reboot } from "./power.ts";
import { link, mesh, network, partition, provider, switchPort } from "./wires.ts";

export const FAULTS = {
  power,
  crash,
  reboot,
  link,
  mesh,
  "switch-port": switchPort,
  network,
  partition,
  provider,
  router,
  lxd,
  agent,
  "ovn-central": ovnCentral,
  mon,
  osd,
  "slow-disk": slowDisk,
  "full-disk": fullDisk,
  clock,
} as const satisfies Record<string, Fault>;

export type FaultKind = keyof typeof FAULTS;

/**
 * @returns the fault, and its target as it is recorded
 * @throws LabError when there is no such kind of fault, or it has no such target in this lab
 */
export function findFault(lab: Lab, kind: string, target: string): { fault: Fault; target: string } {
  const fault: Fault | undefined = Object.hasOwn(FAULTS, kind) ? FAULTS[kind as FaultKind] : undefined;
  if (fault === undefined)
    throw new LabError(`no fault ${JSON.stringify(kind)}`, `there are ${Object.keys(FAULTS).join(", ")}`);
  if (fault.read !== undefined) return { fault, target: fault.read(lab, target) };
  const targets = fault.targets(lab);
  if (!targets.includes(target))
    throw new LabError(
      `fault ${kind} cannot hit ${JSON.stringify(target)}`,
      targets.length === 0 ? "this lab has nothing it could hit" : `it can hit ${targets.join(", ")}`,
    );
  return { fault, target };
}
