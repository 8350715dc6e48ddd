import type { Lab } from "../runtime/lab.ts";

/** One step of `up`. Run again after an interruption, it goes on from wherever it was. */
export interface Step {
  readonly key: string;
  readonly title: string;
  /** Run at every `up`, also when it was complete: it finds out itself what is missing. */
  readonly always?: boolean;
  readonly run: (lab: Lab, progress: (line: string) => void) => Promise<void>;
}
