import type { Lab } from "../runtime/lab.ts";

/** A fault of one kind: what it is in a real rack, how it is made here and undone. */
export interface Fault {
  readonly simulates: string;
  /** What it can hit; where that is more than names, some of them. */
  readonly targets: (lab: Lab) => readonly string[];
  /**
   * Understands a target that is more than one of `targets`.
   *
   * @returns it as it is recorded
   * @throws LabError when it is none
   */
  readonly read?: (lab: Lab, target: string) => string;
  readonly inject: (lab: Lab, target: string) => Promise<void>;
  /** Also after a heal or an injection that was interrupted. */
  readonly heal: (lab: Lab, target: string) => Promise<void>;
}

export const servers = (lab: Lab): string[] => lab.servers.map(({ name }) => name);
