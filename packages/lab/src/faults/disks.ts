import { existsSync, readFileSync, rmSync, statSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, run } from "../host/run.ts";
import { type Group, tree } from "../runtime/cgroup.ts";
import { isMounted } from "../runtime/disk.ts";
import { LabError } from "../runtime/lab-error.ts";
import type { Server } from "../runtime/server.ts";
import { type Fault, servers } from "./fault.ts";

/** As a disk that retries nearly every sector. */
const SLOW = { operations: 20, bytes: 1_000_000 } as const;

/**
 * The kernel's I/O limits, on the server's processes and the device its files are on. What is read from memory stays fast, and on
 * cgroup v1 so is what the kernel writes back later: what waits for the disk (databases, O_DIRECT) is slow.
 */
export const slowDisk: Fault = {
  simulates: `a dying disk: ${SLOW.operations} operations and ${SLOW.bytes / 1e6} MB a second`,
  targets: servers,
  inject: async (lab, target) => await limit(lab.server(target), SLOW),
  heal: async (lab, target) => {
    // A power cut ended it already.
    if (await lab.server(target).running()) await limit(lab.server(target), undefined);
  },
};

/** The rest of the server's file system is taken by a file that its processes do not see; nothing of it is on this machine's disk. */
export const fullDisk: Fault = {
  simulates: "a system disk without a free byte: nothing can be written, what is written stays",
  targets: servers,
  inject: async (lab, target) => {
    const { folder } = lab.server(target);
    if (!isMounted(folder))
      throw new LabError(
        `${target} has no disk of its own to fill`,
        "this machine has no loop devices, or had none at `up`",
      );
    const { bavail, bsize } = statfsSync(folder);
    await mayFill(["fallocate", "-l", String(bavail * bsize), ballast(folder, "most")]);
    await mayFill(["dd", "if=/dev/zero", `of=${ballast(folder, "rest")}`, "bs=4096"]);
  },
  heal: async (lab, target) => {
    const server = lab.server(target);
    for (const part of ["most", "rest"]) rmSync(ballast(server.folder, part), { force: true });
    if (await server.responds())
      await server.sh(`
        failed=$(systemctl list-units --state=failed --plain --no-legend | cut -d' ' -f1)
        [ -z "$failed" ] || { systemctl reset-failed $failed; systemctl start $failed; }`);
  },
};

function ballast(folder: string, part: string): string {
  return join(folder, `ballast-${part}`);
}

/** Runs what ends, as it should, for want of space. */
async function mayFill(argv: [string, ...string[]]): Promise<void> {
  try {
    await run(argv);
  } catch (error) {
    if (!(error instanceof CommandError) || !error.stderr.includes("No space left")) throw error;
  }
}

async function limit(server: Server, slow: typeof SLOW | undefined): Promise<void> {
  const device = blockDevice(statSync(server.folder).dev);
  const group = await server.group("blkio");
  const refuse = (why: string): LabError => new LabError(`the disk of ${server.name} cannot be slowed`, why);
  if (device === undefined) throw refuse("its file system is on no block device of its own");
  if (group === undefined) throw refuse("the server is off");
  for (const [file, line] of limits(group, device, slow)) {
    // On cgroup v1 a limit does not hold for the groups below.
    for (const folder of group.version === 1 ? tree(group.path) : [group.path]) {
      if (!existsSync(join(folder, file))) throw refuse(`this machine's kernel has no ${file} in its control groups`);
      writeFileSync(join(folder, file), line);
    }
  }
}

function limits({ version }: Group, device: string, slow: typeof SLOW | undefined): [file: string, line: string][] {
  if (version === 2) {
    const max = slow === undefined ? ["max", "max"] : [slow.bytes, slow.operations];
    return [["io.max", `${device} rbps=${max[0]} wbps=${max[0]} riops=${max[1]} wiops=${max[1]}`]];
  }
  return ["read", "write"].flatMap((way): [string, string][] => [
    [`blkio.throttle.${way}_bps_device`, `${device} ${slow?.bytes ?? 0}`],
    [`blkio.throttle.${way}_iops_device`, `${device} ${slow?.operations ?? 0}`],
  ]);
}

/** `major:minor` of the whole disk that a device number belongs to. */
function blockDevice(dev: number): string | undefined {
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const folder = `/sys/dev/block/${major}:${minor}`;
  if (!existsSync(folder)) return undefined;
  const whole = existsSync(`${folder}/partition`) ? `${folder}/../dev` : `${folder}/dev`;
  return readFileSync(whole, "utf8").trim();
}
