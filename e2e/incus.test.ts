import type { Lab } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import { afterAll, beforeAll } from "vitest";
import { announces } from "./announce.ts";
import { NEEDS, endOf, sharedLab } from "./lab.ts";

describeLab("routes announced from a real Incus cluster to real routers", NEEDS, () => {
  let lab: Lab | undefined;

  beforeAll(async () => {
    lab = await sharedLab("incus");
  });
  // Two labs at once are more than two processors should have.
  afterAll(async () => {
    if (lab !== undefined) await endOf(lab);
  });

  announces(
    () => {
      if (lab === undefined) throw new TypeError("asked before it was up");
      return lab;
    },
    "incus",
    "incus.socket incus.service",
  );
});
