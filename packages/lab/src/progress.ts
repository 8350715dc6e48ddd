import { Listr, PRESET_TIMER } from "listr2";
import type { UpProgress } from "./up.ts";

/** Steps with a spinner, what they are doing, and their times. */
export function terminalProgress(): UpProgress {
  return {
    step: async (title, run) => {
      const listr = new Listr(
        {
          title,
          task: async (_, task) =>
            await run((line) => {
              task.output = line;
            }),
        },
        { registerSignalListeners: false, rendererOptions: { timer: PRESET_TIMER, showErrorMessage: false } },
      );
      await listr.run();
    },
  };
}

/** A line for every finished step, with its time. */
export function lineProgress(print: (line: string) => void): UpProgress {
  return {
    step: async (title, run) => {
      const started = performance.now();
      await run(() => undefined);
      print(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${title}`);
    },
  };
}
