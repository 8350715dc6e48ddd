import { Lab, type LabOptions, Places, down, fail, heal, leftovers, run, status, up } from "@trivet/lab";
import { Terminal, describeLab, eventually } from "@trivet/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const TRIVET = join(import.meta.dirname, "../../../cli/src/main.ts");

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

    // The first lab of a machine makes the servers' root file system.
    const patience = { timeout: 600_000 };

    test("`up` on a terminal shows its steps; Ctrl-C ends it at once and says how to go on", patience, async () => {
      await using terminal = new Terminal([
        process.execPath,
        TRIVET,
        "lab",
        "up",
        "--bare",
        "--without",
        "ceph",
        "--name",
        ONE,
      ]);
      await eventually("a server is being started", () => processesOf(ONE).length > 0, patience.timeout);
      terminal.type("\u0003");
      expect(await terminal.ended).toBe(130);
      const screen = stripVTControlCharacters(terminal.output);
      expect(screen).toMatch(/✔ Root file system of the servers/);
      expect(screen).toMatch(
        new RegExp(
          `trivet: interrupted: the same command goes on from here, \`trivet lab down --name ${ONE}\` removes it`,
        ),
      );
      expect(Lab.open(ONE).isDone("servers")).toBe(false);
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

    test("a second lab, of four servers, with the same names and addresses does not meet the first", async () => {
      const second = await up({ ...bare(TWO), servers: 4 });
      await second.first.sh("echo second >/root/lab");
      expect(await Lab.open(ONE).first.sh("cat /root/lab 2>/dev/null || echo none")).toBe("none\n");
      expect((await run(second.sshArgv("langara", ["cat", "/root/lab"]))).stdout).toBe("second\n");
      for (const { hosts4 } of second.topology.servers) await second.first.exec(["ping", "-c", "1", "-W", "2", hosts4]);
      await down(TWO);
      expect(await Lab.open(ONE).first.running()).toBe(true);
      await Lab.open(ONE).first.exec(["ping", "-c", "1", "-W", "2", "10.10.101.101"]);
    });

    test("after a crash of this machine `up` powers the servers on again, with what their disks held", async () => {
      const places = new Places(ONE);
      await Lab.open(ONE).first.sh("echo written >/root/before");
      for (const pid of processesOf(ONE)) process.kill(Number(pid), "SIGKILL");
      await eventually("nothing runs", () => processesOf(ONE).length === 0);
      for (const name of namespacesOf(ONE)) await run(["ip", "netns", "delete", name]);
      for (const path of mountsOf(ONE).toReversed()) await run(["umount", path]);
      expect(existsSync(places.stateFile)).toBe(true);
      const lab = await up(bare(ONE));
      expect(await lab.first.sh("cat /root/before")).toBe("written\n");
      expect((await run(lab.sshArgv("orilla", ["hostname"]))).stdout).toBe("orilla\n");
    });

    test("a disk that is full fails what writes, and no other server's", async () => {
      const lab = Lab.open(ONE);
      const write = async (server: string): Promise<string> =>
        await lab.server(server).sh("head -c 100000 /dev/zero >/root/full 2>/dev/null || true; wc -c </root/full");
      await fail(lab, "full-disk", "abydos");
      expect(await lab.server("abydos").sh("df --output=avail / | tail -1")).toBe("    0\n");
      expect(await write("abydos")).toBe("0\n");
      expect(await write("orilla")).toBe("100000\n");
      await heal(lab);
      expect(await write("abydos")).toBe("100000\n");
    });

    test("a slow disk is slow for who waits for it, and for no other server", async () => {
      const lab = Lab.open(ONE);
      const writes = 10;
      const seconds = async (server: string): Promise<number> => {
        const started = performance.now();
        await lab.server(server).sh(`dd if=/dev/zero of=/root/slow bs=4k count=${writes} oflag=dsync 2>/dev/null`);
        return (performance.now() - started) / 1000;
      };
      await fail(lab, "slow-disk", "abydos");
      const slow = await seconds("abydos");
      const other = await seconds("orilla");
      await heal(lab);
      expect(slow).toBeGreaterThan((writes - 1) / 20);
      expect(other).toBeLessThan(slow);
      expect(await seconds("abydos")).toBeLessThan(slow);
    });

    test("a crashed server hangs with its links up, and a power cycle boots it", async () => {
      const lab = Lab.open(ONE);
      const orilla = lab.server("orilla");
      await fail(lab, "crash", "orilla");
      expect([await orilla.running(), await orilla.responds()]).toEqual([true, false]);
      await expect(lab.first.exec(["ping", "-c", "1", "-W", "1", orilla.plan.hosts4])).rejects.toThrow(
        "100% packet loss",
      );
      expect(await lab.first.sh("cat /sys/class/net/mesh-orilla/carrier")).toBe("1\n");
      expect((await status(lab))[0]?.detail).toContain("not orilla");
      await heal(lab);
      expect(await orilla.sh("cat /proc/uptime")).toMatch(/^\d/);
      // The first may find no neighbour yet.
      await eventually(
        "it answers again",
        async () => await lab.first.exec(["ping", "-c", "1", "-W", "1", orilla.plan.hosts4]),
      );
    });

    test("a partition keeps groups apart, and nobody from the workstation", async () => {
      const lab = Lab.open(ONE);
      const reaches = async (from: string, to: string): Promise<boolean> => {
        const ping = `ping -c 1 -W 1 ${lab.server(to).plan.hosts4} >/dev/null && echo yes || echo no`;
        return (await lab.server(from).sh(ping)) === "yes\n";
      };
      await fail(lab, "partition", "orilla,abydos | langara");
      expect(await Promise.all([reaches("langara", "abydos"), reaches("abydos", "langara")])).toEqual([false, false]);
      expect(await reaches("abydos", "orilla")).toBe(true);
      for (const { name } of lab.servers) expect((await run(lab.sshArgv(name, ["hostname"]))).stdout).toBe(`${name}\n`);
      expect(await heal(lab)).toEqual([{ kind: "partition", target: "langara|abydos,orilla" }]);
      await eventually("langara reaches abydos again", async () => await reaches("langara", "abydos"));
    });

    test("`down` leaves nothing but the cache, also of a server that hangs", async () => {
      await fail(Lab.open(ONE), "crash", "langara");
      await down(ONE);
      expect(await leftovers(ONE)).toEqual([]);
      // Killed processes stay listed until their parent, this machine's first process, has reaped them.
      await eventually("no process is left", () => processesOf(ONE).length === 0, 5_000);
      expect(namespacesOf(ONE)).toEqual([]);
      expect(mountsOf(ONE)).toEqual([]);
      expect((await run(["losetup", "-a"])).stdout).not.toContain(`/${ONE}/`);
      expect(existsSync(new Places(ONE).folder)).toBe(false);
      expect((await run(["ip", "-br", "link"])).stdout).toBe(links);
      // And again, of nothing.
      await down(ONE);
    });
  },
);

function namespacesOf(lab: string): string[] {
  return readdirSync("/run/netns").filter((name) => name.startsWith(`trivet-${lab}-`));
}

function mountsOf(lab: string): string[] {
  const lines = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return lines.map((line) => line.split(" ")[1] ?? "").filter((path) => path.includes(`/${lab}/`));
}

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
