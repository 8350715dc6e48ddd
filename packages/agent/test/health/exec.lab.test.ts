import { type Instance, LxdClient } from "@trivet/lxd";
import { Daemon, busyboxImage, describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { healthConfig } from "../../src/health/config.ts";
import { planChecks } from "../../src/health/plan.ts";
import { parseTarget } from "../../src/health/target.ts";
import { systemProbe } from "../../src/health/probes/probe.ts";
import type { Outcome } from "../../src/health/state.ts";

const PROGRAMS = ["lxd", "lxc", "mmdebstrap", "nsenter", "unshare", "busybox", "tar", "dnsmasq"];
const OCTETS = { "content-type": "application/octet-stream" };

const NOTHING = { networks: new Map(), projects: new Map() };

describe.each(["lxd", "incus"] as const)("exec in an instance of a real %s", (kind) => {
  describeLab(kind, { programs: PROGRAMS }, () => {
    let daemon: Daemon;
    let client: LxdClient;

    beforeAll(async () => {
      daemon = await Daemon.create(kind, `health-${kind}`);
      client = new LxdClient({ socketPath: daemon.socketPath }, { name: kind });
      await client.pools.create({ name: "default", driver: "dir" });
      await client.profiles.update("default", { devices: { root: { type: "disk", path: "/", pool: "default" } } });
      const { metadata } = await (await client.upload("/1.0/images", await busyboxImage(), OCTETS)).wait();
      const source = { type: "image", fingerprint: String(metadata?.["fingerprint"]) };
      await client.instances.create({ name: "c1", source });
      await client.instances.setState("c1", { action: "start" });
    });

    afterAll(async () => {
      await client?.close();
      await daemon?.[Symbol.asyncDispose]();
    });

    async function probe(text: string, timeout = 10_000): Promise<Outcome> {
      const timers = { interval: 5_000, fast: 1_000, timeout, rise: 2, fall: 3 };
      const check = {
        id: "x",
        project: "default",
        instance: "c1",
        run: "1",
        name: "check",
        text,
        target: parseTarget(text),
        timers,
      };
      return await systemProbe(client.instances)(check, new AbortController().signal);
    }

    test("the exit status decides, and a shell reads the command", async () => {
      expect(await probe("exec:test -d /etc && echo yes | grep -q yes")).toEqual({ kind: "passed" });
      expect(await probe("exec:echo no server >&2; exit 3")).toEqual({
        kind: "failed",
        why: "exit status 3: no server",
      });
      expect(await probe("exec:no-such-program")).toMatchObject({
        kind: "failed",
        why: expect.stringContaining("127"),
      });
    });

    test("a command that does not end is killed, and has failed", async () => {
      const outcome = await probe("exec:exec sleep 4242", 2_000);
      expect(outcome).toEqual({ kind: "failed", why: "the command did not end within 2 s" });
      expect(await probe("exec:! pgrep -f 'sleep 424[2]'")).toEqual({ kind: "passed" });
    });

    test("nothing that it began is left, either", async () => {
      const commands = [
        "sleep 4343 | cat",
        "sleep 4343 && true",
        "(sleep 4343; true) & sleep 4343; true",
        "setsid sleep 4343; true",
        "sh -c 'sleep 4343 & sh -c \"sleep 4343; true\"; true'",
        // An orphan, which only the session tells.
        "(sleep 4343 &); sleep 4343; true",
        "trap '' TERM; sleep 4343; true",
      ];
      for (const command of commands)
        expect(await probe(`exec:${command}`, 1_000)).toMatchObject({ why: "the command did not end within 1 s" });
      await eventually("no process is left", async () => {
        const { stdout } = await client.instances.exec("c1", ["/bin/sh", "-c", "ps -o args | grep '[4]343' || true"]);
        expect(stdout).toBe("");
        return true;
      });
    });

    test("a command that prints without end is read to its end, and only its last line is kept", async () => {
      expect(await probe("exec:head -c 30000000 /dev/zero | tr '\\0' x; echo; echo too long >&2; exit 1")).toEqual({
        kind: "failed",
        why: "exit status 1: too long",
      });
      const { stdout, cut } = await client.instances.exec("c1", ["head", "-c", "1000000", "/dev/zero"], {
        maxOutput: 1_000,
      });
      expect([stdout.length, cut]).toEqual([1_000, 999_000]);
    });

    test("an instance that was started again is another run, and nothing else changes that", async () => {
      const config = healthConfig(
        parseConfig(
          "agent.yaml",
          "asn: 65010\npeers: [{address: 192.0.2.1, asn: 65000}]\nallow: [192.0.2.0/24]\n" +
            "health: {checks: [{name: x, instances: ['*/*'], check: 'exec:true'}]}",
        ),
      );
      const runs = async (): Promise<(string | undefined)[]> => {
        // As the agent reads them: all at once, and one after an event.
        const read = [(await client.instances.list())[0], await client.instances.get("c1")];
        return read.map((c1) => planChecks(NOTHING, c1 as Instance, config).checks[0]?.run);
      };
      const [before, same] = await runs();
      expect(same).toBe(before);
      await client.instances.update("c1", { config: { "user.x": "1" } });
      await client.instances.exec("c1", ["true"]);
      await daemon.stop();
      await daemon.start();
      expect(await runs()).toEqual([before, before]);
      await client.instances.setState("c1", { action: "restart", force: true });
      const [after] = await runs();
      expect(after).not.toBe(before);
      expect(await runs()).toEqual([after, after]);
    });

    test("a daemon that is stopped tells nothing of the instance", async () => {
      await daemon.stop();
      expect(await probe("exec:true", 2_000)).toMatchObject({ kind: "unknown" });
      await daemon.start();
      expect(await probe("exec:true")).toEqual({ kind: "passed" });
    });
  });
});
