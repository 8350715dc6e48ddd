import { type FaultKind, type Lab, fail, heal, osds, status } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { announces } from "./announce.ts";
import { drains } from "./drain.ts";
import { checksServices } from "./health.ts";
import { INCUS, NEEDS, endOf, sharedLab } from "./lab.ts";

describeLab("a real Incus cluster, with Ceph", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab("incus");
  });
  // Two labs at once are more than two processors should have.
  afterAll(async () => {
    await endOf(lab);
  });

  describe("routes announced to real routers", () => {
    announces(() => lab, INCUS);
  });
  describe("drains", () => {
    drains(() => lab, INCUS);
  });
  describe("services that are checked", () => {
    checksServices(() => lab, INCUS);
  });

  describe("Ceph", () => {
    const ceph = async <T>(command: string): Promise<T> =>
      JSON.parse(await lab.first.sh(`timeout 30 ceph ${command} -f json`)) as T;
    const layer = async (): Promise<string> => (await status(lab)).find((each) => each.layer === "ceph")?.state ?? "";

    test("has an OSD of each class on every server, rules that keep to a class, and its first replicas on the fast ones", async () => {
      type Node = { id: number; type: string; device_class?: string; primary_affinity?: number };
      const { nodes } = await ceph<{ nodes: Node[] }>("osd tree");
      const disks = nodes.filter(({ type }) => type === "osd").toSorted((a, b) => a.id - b.id);
      expect(disks.map(({ id, device_class }) => [id, device_class])).toEqual(
        osds(lab.topology).map(({ id, deviceClass }) => [id, deviceClass]),
      );
      for (const { device_class, primary_affinity } of disks)
        expect(primary_affinity).toBe(device_class === "ssd" ? 1 : 0.25);
      await lab.first.sh("timeout 60 rados -p lxd-ssd put probe /etc/hostname");
      type Place = { acting: number[] };
      const { acting } = await ceph<Place>("osd map lxd-ssd probe");
      expect(acting.toSorted((a, b) => a - b)).toEqual([1, 3, 5]);
      expect(await lab.server("orilla").sh("timeout 60 rados -p lxd-ssd get probe -")).toBe("langara\n");
    });

    test.each<{ kind: FaultKind; target: string; check: string }>([
      { kind: "osd", target: "4", check: "OSD_DOWN" },
      { kind: "mon", target: "abydos", check: "MON_DOWN" },
    ])(
      "$kind $target is seen in Ceph's health, data stay readable, and it is healed",
      async ({ kind, target, check }) => {
        await fail(lab, kind, target);
        try {
          await eventually(
            `Ceph says ${check}`,
            async () => check in (await ceph<{ checks: Record<string, unknown> }>("health")).checks,
            120_000,
          );
          expect(await layer()).not.toBe("ok");
          expect(await lab.server("orilla").sh("timeout 60 rados -p lxd-ssd get probe -")).toBe("langara\n");
        } finally {
          expect(await heal(lab)).toEqual([{ kind, target }]);
        }
        await eventually("Ceph is ok again", async () => (await layer()) === "ok", 120_000);
      },
    );
  });
});
