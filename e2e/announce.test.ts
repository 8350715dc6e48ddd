import type { Lab } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import { beforeAll } from "vitest";
import { announces } from "./announce.ts";
import { NEEDS, sharedLab } from "./lab.ts";

describeLab("routes announced from a real LXD cluster to real routers", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });

  announces(() => lab, "lxc", "lxd.socket lxd.service");
});
