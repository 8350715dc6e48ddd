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
export async function fail(lab: Lab, kind: string, target: string): Promise<void> {
  const fault = findFault(lab, kind, target);
  save(lab, [...others(lab, kind, target), { kind, target }]);
  await fault.inject(lab, target);
}

/**
 * Undoes one fault, or all, the newest first.
 *
 * @returns what was healed
 * @throws LabError when there is no such fault or target
 */
export async function heal(lab: Lab, only?: ActiveFault): Promise<ActiveFault[]> {
  const healed = only === undefined ? activeFaults(lab).toReversed() : [only];
  for (const { kind, target } of healed) {
    await findFault(lab, kind, target).heal(lab, target);
    save(lab, others(lab, kind, target));
  }
  return healed;
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
