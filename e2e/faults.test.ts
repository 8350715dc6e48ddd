import { type FaultKind, type Lab, LabError, MAIL, activeFaults, fail, heal, status } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { NEEDS, client, healthy, sharedLab } from "./lab.ts";

/** Whether those are run that take minutes, and whose like other tests do: e2e/announce and e2e/bmc cut the power and reboot. */
const TRIAL = process.env["TRIVET_TRIAL"] !== undefined;

describeLab("faults of the lab", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });
  afterEach(async () => {
    await heal(lab);
    await healthy(lab);
  });

  /**
   * The layer that notices. mx01 lives on abydos and stays reachable, unless the fault cuts the way to it: also where a server without
   * the others holds on to the OVN gateways it had.
   */
  const CASES: readonly { kind: FaultKind; target: string; layer: string; cutsOff?: boolean; trial?: boolean }[] = [
    { kind: "provider", target: "hive1", layer: "providers" },
    { kind: "network", target: "wan-hive", layer: "providers", cutsOff: true },
    { kind: "network", target: "infra-uplink", layer: "vrrp", cutsOff: true },
    { kind: "router", target: "frr01", layer: "instances" },
    { kind: "ovn-central", target: "langara", layer: "ovn southbound" },
    { kind: "agent", target: "orilla", layer: "agents" },
    { kind: "lxd", target: "orilla", layer: "lxd" },
    { kind: "switch-port", target: "orilla", layer: "agents" },
    { kind: "mesh", target: "orilla", layer: "ovn northbound", cutsOff: true, trial: true },
    { kind: "partition", target: "langara,abydos|orilla", layer: "vrrp", cutsOff: true },
    { kind: "reboot", target: "orilla", layer: "agents", trial: true },
    { kind: "power", target: "orilla", layer: "servers", trial: true },
    { kind: "crash", target: "orilla", layer: "ovn tunnels" },
  ];

  const isOk = async (layer: string): Promise<boolean> =>
    (await status(lab)).some((found) => found.layer === layer && found.state === "ok");

  test.each(CASES.filter(({ trial = false }) => TRIAL || !trial))(
    "$kind $target is seen in $layer, and is healed",
    async ({ kind, target, layer, cutsOff = false }) => {
      await fail(lab, kind, target);
      expect(activeFaults(lab)).toEqual([{ kind, target }]);
      await eventually(`${layer} is no longer ok`, async () => !(await isOk(layer)), 60_000);
      if (!cutsOff)
        await eventually(
          "the mail server answers",
          async () => await client(lab, "ping", "-c", "1", "-W", "1", MAIL.ipv4),
          60_000,
        );
      expect(await heal(lab)).toEqual([{ kind, target }]);
      await eventually(`${layer} is ok again`, async () => await isOk(layer), 120_000);
    },
    300_000,
  );

  test("a wrong clock is that of trivet's agent, and not of its server", async () => {
    const orilla = lab.server("orilla");
    const ahead = async (): Promise<number[]> => {
      const agent = "curl -s --unix-socket /run/trivet/agent.sock -o /dev/null -D - http://agent/healthz";
      const dates = await orilla.sh(`${agent} | sed -n 's/^Date: //p'; date -u`);
      const minutes = (line: string): number => Math.round((Date.parse(line) - Date.now()) / 60_000);
      return dates.trim().split("\n").map(minutes);
    };
    await fail(lab, "clock", "orilla +600s");
    await eventually("the agent is ten minutes ahead", async () => (await ahead()).join() === "10,0");
    expect(await heal(lab, { kind: "clock", target: "orilla" })).toEqual([{ kind: "clock", target: "orilla +600s" }]);
    await eventually("it is no longer", async () => (await ahead()).join() === "0,0");
  });

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
      ["clock", "langara", /name a server and an offset in seconds, as in langara \+300s/],
      ["partition", "langara|abydos", /name every server once, groups separated by "\|", as in langara\|abydos,orilla/],
      ["link", "langara", /it can hit langara-abydos, /],
    ])("%s %s is refused, and not recorded", async (kind, target, remedy) => {
      await expect(fail(lab, kind, target)).rejects.toThrow(LabError);
      await expect(fail(lab, kind, target)).rejects.toThrow(remedy);
      expect(activeFaults(lab)).toEqual([]);
    });
  });
});
