import { type Lab, bmcCurl, status } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NEEDS, healthy, sharedLab } from "./lab.ts";

const SYSTEM = "/redfish/v1/Systems/1";
const TARGET = "orilla";
/** For a test in which a server of a whole cluster boots. */
const BOOT = { timeout: 400_000 };

describeLab("the BMC of a server", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
  });
  afterAll(async () => {
    if (!(await lab.server(TARGET).running())) await lab.server(TARGET).start();
    await whole();
  });

  test("the lab's status knows it, and its server is on", async () => {
    const layer = (await status(lab)).find((found) => found.layer === "bmc");
    expect(layer).toMatchObject({ state: "ok" });
    expect(layer?.detail).toContain("langara On, abydos On, orilla On");
  });

  test("is reached on INFRA-BMC only, and only with its password", async () => {
    const url = `https://${lab.server(TARGET).plan.bmc}${SYSTEM}`;
    const answer = await lab.exec("fabric", ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", url]);
    expect(answer.stdout).toBe("401");
    await expect(lab.exec("client", ["curl", "-sk", "-m", "2", url])).rejects.toThrow();
  });

  test("its sensors follow the load of the server", async () => {
    const cpu = async (): Promise<number> => await read<number>("/redfish/v1/Chassis/1/Sensors/CPUTemp", "Reading");
    const before = await cpu();
    await lab.server(TARGET).sh("systemd-run --collect --unit=heat timeout 60 sha256sum /dev/zero");
    await eventually("it gets warmer", async () => (await cpu()) > before + 2);
    await lab.server(TARGET).sh("systemctl stop heat");
  });

  test("ForceOff: the server is dead at once; On: a real boot, and the cluster is whole again", BOOT, async () => {
    const server = lab.server(TARGET);
    const before = await server.pid();
    await reset("ForceOff");
    expect(await server.running()).toBe(false);
    expect(await read<string>(SYSTEM, "PowerState")).toBe("Off");
    await reset("On");
    expect(await read<string>(SYSTEM, "PowerState")).toBe("On");
    expect(await server.pid()).not.toBe(before);
    await server.booted();
    await whole();
  });

  test("GracefulRestart: systemd shuts down in order, then it boots again", BOOT, async () => {
    const server = lab.server(TARGET);
    const before = await server.pid();
    await reset("GracefulRestart");
    expect(await read<string>(SYSTEM, "PowerState")).toBe("PoweringOff");
    // On means that it has its root file system: before that nothing in it can be run.
    await eventually("it is on again", async () => (await read<string>(SYSTEM, "PowerState")) === "On", 120_000);
    expect(await server.pid()).not.toBe(before);
    await server.booted();
    const journal = await server.sh("journalctl -b -1 -o cat -n 200");
    expect(journal).toContain("Journal stopped");
  });

  /** After a boot the daemons of the cluster find each other, and instances start. */
  async function whole(): Promise<void> {
    const layers = async (): Promise<boolean> => (await status(lab)).every(({ state }) => state === "ok");
    await eventually("every layer is ok", layers, 240_000);
    await healthy(lab);
  }

  async function reset(type: string): Promise<void> {
    const data = ["-H", "Content-Type: application/json", "-d", JSON.stringify({ ResetType: type })];
    const path = `${SYSTEM}/Actions/ComputerSystem.Reset`;
    await lab.exec("fabric", bmcCurl(lab, lab.server(TARGET).plan.bmc, path, ...data));
  }

  async function read<T>(path: string, property: string): Promise<T> {
    const { stdout } = await lab.exec("fabric", bmcCurl(lab, lab.server(TARGET).plan.bmc, path));
    return (JSON.parse(stdout) as Record<string, T>)[property] as T;
  }
});
