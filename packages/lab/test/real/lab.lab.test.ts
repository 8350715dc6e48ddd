import { type LabOptions, Lab, Places, down, leftovers, run, up } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";

const bare = (name: string): LabOptions => ({ name, platform: "lxd", servers: 3, ceph: false, bare: true });

/** Named after this process, so that the next run finds what a killed one left (e2e/global-setup.ts). */
const [ONE, TWO] = [`bx${process.pid}`, `cx${process.pid}`];

describeLab(
  "a lab on this machine",
  { programs: ["lxc-start", "mmdebstrap", "ethtool", "vtysh", "bgpd", "ssh"] },
  () => {
    let links: string;

    beforeAll(async () => {
      ({ stdout: links } = await run(["ip", "-br", "link"]));
    });
    afterAll(async () => {
      await down(ONE);
      await down(TWO);
    });

    test("`up` that was killed is completed by the next `up`", async () => {
      const script = `import { up } from "@trivet/lab"; await up(${JSON.stringify(bare(ONE))});`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        cwd: import.meta.dirname,
        stdio: "ignore",
      });
      const exited = once(child, "exit");
      await eventually("a server is being started", () => processesOf(ONE).length > 0);
      child.kill("SIGKILL");
      await exited;
      expect(Lab.open(ONE).isDone("servers")).toBe(false);
      const lab = await up(bare(ONE));
      for (const server of lab.servers) expect(await server.sh("hostname")).toBe(`${server.name}\n`);
    });

    test("servers answer ssh, and reach each other over INFRA-HOSTS", async () => {
      const lab = Lab.open(ONE);
      for (const { name } of lab.servers) expect((await run(lab.sshArgv(name, ["hostname"]))).stdout).toBe(`${name}\n`);
      for (const { hosts4 } of lab.topology.servers) await lab.first.exec(["ping", "-c", "1", "-W", "2", hosts4]);
    });

    test("a server reboots for real, and keeps its disk", async () => {
      const server = Lab.open(ONE).server("abydos");
      const before = await server.pid();
      await server.sh("echo kept >/root/note; systemctl reboot");
      await eventually("a new init runs", async () => ![before, undefined].includes(await server.pid()));
      await server.booted();
      expect(await server.sh("cat /root/note")).toBe("kept\n");
    });

    test("a pulled plug ends a server at once; it boots again", async () => {
      const server = Lab.open(ONE).server("orilla");
      await server.kill();
      expect(await server.running()).toBe(false);
      await server.start();
      expect(await server.sh("systemctl is-active ssh")).toBe("active\n");
    });

    test("a second lab with the same names and addresses does not meet the first", async () => {
      const second = await up(bare(TWO));
      await second.first.sh("echo second >/root/lab");
      expect(await Lab.open(ONE).first.sh("cat /root/lab 2>/dev/null || echo none")).toBe("none\n");
      expect((await run(second.sshArgv("langara", ["cat", "/root/lab"]))).stdout).toBe("second\n");
      await down(TWO);
      expect(await Lab.open(ONE).first.running()).toBe(true);
      await Lab.open(ONE).first.exec(["ping", "-c", "1", "-W", "2", "10.10.101.101"]);
    });

    test("`down` leaves nothing but the cache", async () => {
      await down(ONE);
      expect(await leftovers(ONE)).toEqual([]);
      // Killed processes stay listed until their parent, this machine's first process, has reaped them.
      await eventually("no process is left", () => processesOf(ONE).length === 0, 5_000);
      expect(readdirSync("/run/netns").filter((name) => name.includes(ONE))).toEqual([]);
      expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(ONE);
      expect(existsSync(new Places(ONE).folder)).toBe(false);
      expect((await run(["ip", "-br", "link"])).stdout).toBe(links);
      // And again, of nothing.
      await down(ONE);
    });
  },
);

/** Processes in the lab's control groups, found without the lab's help. */
function processesOf(lab: string): string[] {
  return readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(`/proc/${entry}/cgroup`, "utf8").includes(`/trivet-${lab}/`);
    } catch {
      return false; // ended meanwhile
    }
  });
}
