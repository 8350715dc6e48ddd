import { setTimeout as pause } from "node:timers/promises";
import type { Lab } from "../runtime/lab.ts";
import { type LayerStatus, status } from "../status/status.ts";
import type { Step } from "./step.ts";

/** On a machine that is busy with other things as well. */
const PATIENCE = 300_000;

/** A layer that did not become healthy. */
class UnhealthyError extends Error {
  override readonly name = "UnhealthyError";
  readonly fault = "world";

  constructor(lab: Lab, layers: readonly LayerStatus[]) {
    const states = layers.map(({ layer, state, detail }) => `${layer} is ${state} (${detail})`);
    super(
      `after ${PATIENCE / 1000} s ${states.join("; ")}; \`trivet lab status --name ${lab.name}\` shows every layer`,
    );
  }
}

/** Waits until every layer says that it is healthy. What runs in the instances is their user's business. */
export const readyStep: Step = {
  key: "ready",
  title: "All layers healthy",
  always: true,
  async run(lab, progress) {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const ill = (await status(lab)).filter(({ layer, state }) => state !== "ok" && layer !== "instances");
      if (ill.length === 0) return;
      if (performance.now() > end) throw new UnhealthyError(lab, ill);
      progress(ill.map(({ layer, detail }) => `${layer}: ${detail}`).join("; "));
      await pause(500);
    }
  },
};
