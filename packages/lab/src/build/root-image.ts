import { serverImage } from "../image/server-image.ts";
import type { Step } from "./step.ts";

/** The servers' root file system: minutes the first time, nothing later. */
export const rootImageStep: Step = {
  key: "root-image",
  title: "Root file system of the servers",
  always: true,
  run: async (lab, progress) => {
    await serverImage(lab.topology.suite, { progress });
  },
};
