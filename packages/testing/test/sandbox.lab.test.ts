import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { Namespace, run } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import { expect, test } from "vitest";
import { Sandbox } from "../src/daemons/sandbox.ts";

const CRASH = `
  import { Daemon } from "${import.meta.dirname}/../src/daemons/daemon.ts";
  const daemon = await Daemon.create("lxd", "crash");
  await daemon.cli(["network", "create", "br0", "ipv4.address=10.0.0.1/24", "ipv6.address=none"]);
  console.log(daemon.namespace.name);
  process.kill(process.pid, "SIGKILL");
`;

describeLab("a sandbox whose test run crashed", { programs: ["lxd", "lxc", "dnsmasq"] }, () => {
  test("leaves nothing after the next run's cleaning up", async () => {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", CRASH], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let name = "";
    child.stdout.on("data", (chunk: Buffer) => (name += chunk.toString().trim()));
    await once(child, "close");
    expect(name).toMatch(/^trivet-t\d+-crash$/);
    expect(await traces(name)).not.toEqual([]);
    await Namespace.removeStale();
    await Sandbox.removeStale();
    expect(await traces(name)).toEqual([]);
  });
});

/** Files, namespaces, control groups and processes of that name. */
async function traces(name: string): Promise<string[]> {
  const places = [
    tmpdir(),
    "/run/netns",
    "/sys/fs/cgroup",
    ...readdirSync("/sys/fs/cgroup").map((entry) => `/sys/fs/cgroup/${entry}`),
  ];
  const paths = places.map((place) => `${place}/${name}`).filter((path) => existsSync(path));
  const { stdout } = await run(["ps", "-eo", "pid,args"]);
  return [...paths, ...stdout.split("\n").filter((line) => line.includes(name))];
}
