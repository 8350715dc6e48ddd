import { LxdClient } from "@trivet/lxd";
import { Daemon, busyboxImage, describeLab } from "@trivet/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseTarget } from "../../src/health/target.ts";
import { systemProbe } from "../../src/health/probes/probe.ts";
import type { Outcome } from "../../src/health/state.ts";

const PROGRAMS = ["lxd", "lxc", "mmdebstrap", "nsenter", "unshare", "busybox", "tar", "dnsmasq"];
const OCTETS = { "content-type": "application/octet-stream" };

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

    test("a daemon that is stopped tells nothing of the instance", async () => {
      await daemon.stop();
      expect(await probe("exec:true", 2_000)).toMatchObject({ kind: "unknown" });
      await daemon.start();
      expect(await probe("exec:true")).toEqual({ kind: "passed" });
    });
  });
});
