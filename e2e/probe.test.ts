import { type Lab, type ProbeReport, fail, heal, startProbe } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeAll, expect, test } from "vitest";
import { NEEDS, healthy, sharedLab } from "./lab.ts";

const SECONDS = 10;

describeLab("a probe of the lab", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });
  afterEach(async () => {
    await heal(lab);
    await healthy(lab);
  });

  // A machine with other things to do may lose a packet by itself.
  test("loses nothing on an idle lab, meets every instance, and keeps its pace", { retry: 2 }, async () => {
    const probe = await startProbe(lab);
    await pause(SECONDS * 1000);
    const report = await probe.stop();
    const { flows, ...sums } = report;
    expect(sums).toMatchObject({ lost: 0, longestGap: null });
    // An interval, and what a busy machine may keep a process waiting that comes before all others.
    expect(report.resolution).toBeLessThanOrEqual(30);
    for (const flow of flows) {
      expect(flow, flow.name).toMatchObject({ lost: 0, answered: flow.sent });
      expect(flow.sent, flow.name).toBeGreaterThan(SECONDS * 95);
    }
    for (const family of ["ipv4", "ipv6"])
      expect(answering(report, `dns/${family}/`)).toEqual(["dns01", "dns02", "dns03"]);
    expect(flows.map(({ name }) => name)).toContain("gateway/ipv4/1");
  });

  test("sees a provider go: gaps in the flows that led through it, which end", async () => {
    const probe = await startProbe(lab);
    let gaps = 0;
    probe.events.on("gap", () => gaps++);
    await fail(lab, "provider", "hive1");
    await eventually("some flows were interrupted and go on", () => gaps > 0);
    const report = await probe.stop();
    expect(report.longestGap?.milliseconds).toBeGreaterThan(10);
    const hit = report.flows.filter(({ longestGap }) => (longestGap?.lost ?? 0) > 1);
    expect(hit.length).toBeGreaterThan(0);
    expect(hit.length).toBeLessThan(report.flows.length);
    expect(report.flows.find(({ name }) => name === "gateway/ipv4/1")?.lost).toBe(0);
  });
});

function answering({ flows }: ProbeReport, prefix: string): string[] {
  const some = flows.filter(({ name }) => name.startsWith(prefix));
  return [...new Set(some.flatMap(({ answers }) => Object.keys(answers)))].toSorted();
}
