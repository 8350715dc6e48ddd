import type { Lab } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import { beforeAll, describe } from "vitest";
import { announces } from "./announce.ts";
import { drains } from "./drain.ts";
import { checksServices } from "./health.ts";
import { LXD, NEEDS, sharedLab } from "./lab.ts";

describeLab("a real LXD cluster", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });

  describe("routes announced to real routers", () => {
    announces(() => lab, LXD);
  });
  describe("drains", () => {
    drains(() => lab, LXD);
  });
  describe("services that are checked", () => {
    checksServices(() => lab, LXD);
  });
});
