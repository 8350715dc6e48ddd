import { type FaultKind, type Lab, LabError, MAIL, activeFaults, fail, heal, status } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { NEEDS, client, healthy, sharedLab } from "./lab.ts";

describeLab("faults of the lab", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });
  afterEach(async () => {
    await heal(lab);
    await healthy(lab);
  });

  /** The layer that notices, and whether the services stay reachable. */
  const CASES: readonly { kind: FaultKind; target: string; layer: string }[] = [
    { kind: "provider", target: "hive1", layer: "providers" },
    { kind: "router", target: "frr01", layer: "instances" },
    { kind: "ovn-central", target: "langara", layer: "ovn southbound" },
    { kind: "agent", target: "orilla", layer: "agents" },
    { kind: "switch-port", target: "orilla", layer: "agents" },
  ];

  test.each(CASES)(
    "$kind $target is seen in $layer, and does not take a service away",
    async ({ kind, target, layer }) => {
      await fail(lab, kind, target);
      expect(activeFaults(lab)).toEqual([{ kind, target }]);
      await eventually(`${layer} is no longer ok`, async () =>
        (await status(lab)).some((found) => found.layer === layer && found.state !== "ok"),
      );
      await eventually(
        "the mail server answers",
        async () => await client(lab, "ping", "-c", "1", "-W", "1", MAIL.ipv4),
      );
      expect(await heal(lab)).toEqual([{ kind, target }]);
      await eventually(
        `${layer} is ok again`,
        async () => (await status(lab)).some((found) => found.layer === layer && found.state === "ok"),
        90_000,
      );
    },
  );

  test("a cut cable takes the link from both ends, and from no other", async () => {
    await fail(lab, "link", "langara-abydos");
    const carrier = async (server: string, peer: string): Promise<string> =>
      (await lab.server(server).sh(`cat /sys/class/net/mesh-${peer}/carrier`)).trim();
    expect(await carrier("langara", "abydos")).toBe("0");
    expect(await carrier("abydos", "langara")).toBe("0");
    expect(await carrier("langara", "orilla")).toBe("1");
    await heal(lab, { kind: "link", target: "langara-abydos" });
    expect(await carrier("langara", "abydos")).toBe("1");
  });

  describe("what cannot be broken", () => {
    test.each([
      ["fire", "langara", /there are power, /],
      ["power", "nobody", /it can hit langara, abydos, orilla/],
      ["link", "langara", /it can hit langara-abydos, /],
    ])("%s %s is refused, and not recorded", async (kind, target, remedy) => {
      await expect(fail(lab, kind, target)).rejects.toThrow(LabError);
      await expect(fail(lab, kind, target)).rejects.toThrow(remedy);
      expect(activeFaults(lab)).toEqual([]);
    });
  });
});
