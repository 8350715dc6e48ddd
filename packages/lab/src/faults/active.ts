import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../runtime/lab.ts";
import { findFault } from "./faults.ts";

export interface ActiveFault {
  readonly kind: string;
  readonly target: string;
}

/** The faults that were injected and not healed. */
export function activeFaults(lab: Lab): ActiveFault[] {
  const file = record(lab);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as ActiveFault[]) : [];
}

/**
 * Breaks something. It is recorded first, so that `heal` finds it also if this process is killed.
 *
 * @throws LabError when there is no such fault or target
 */
export async function fail(lab: Lab, kind: string, wanted: string): Promise<void> {
  const { fault, target } = findFault(lab, kind, wanted);
  save(lab, [...others(lab, kind, target), { kind, target }]);
  await fault.inject(lab, target);
}

/**
 * Undoes one fault, or all, the newest first.
 *
 * @param only its target may be the first word of what was hit: `langara` for `langara +300s`
 * @returns what was healed
 * @throws LabError when there is no such fault or target
 */
export async function heal(lab: Lab, only?: ActiveFault): Promise<ActiveFault[]> {
  const healed = activeFaults(lab)
    .toReversed()
    .filter((active) => only === undefined || meets(lab, active, only));
  // What is not recorded may be there all the same.
  if (only !== undefined && healed.length === 0) healed.push(only);
  for (const { kind, target: wanted } of healed) {
    const { fault, target } = findFault(lab, kind, wanted);
    await fault.heal(lab, target);
    save(lab, others(lab, kind, target));
  }
  return healed;
}

function meets(lab: Lab, active: ActiveFault, { kind, target }: ActiveFault): boolean {
  if (active.kind !== kind) return false;
  return active.target.startsWith(`${target} `) || active.target === findFault(lab, kind, target).target;
}

function others(lab: Lab, kind: string, target: string): ActiveFault[] {
  return activeFaults(lab).filter((fault) => fault.kind !== kind || fault.target !== target);
}

function record(lab: Lab): string {
  return join(lab.places.folder, "faults.json");
}

function save(lab: Lab, faults: readonly ActiveFault[]): void {
  writeFileSync(record(lab), `${JSON.stringify(faults)}\n`);
}
