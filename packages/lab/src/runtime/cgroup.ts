import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { LabError } from "./lab-error.ts";

const CGROUPS = "/sys/fs/cgroup";
const FREEZING_SECONDS = 20;

/** A control group of a server: of one controller on cgroup v1, of all on v2. */
export interface Group {
  readonly version: 1 | 2;
  readonly path: string;
}

/** The group of a server's processes for a controller, found by its init process. */
export function groupOf(pid: number, controller: string): Group | undefined {
  return groupIn(readFileSync(`/proc/${pid}/cgroup`, "utf8"), controller);
}

/** The group of a controller, in what a server's `/proc/PID/cgroup` says (cgroups(7)). */
export function groupIn(membership: string, controller: string): Group | undefined {
  const paths = new Map<string, string>();
  for (const line of membership.split("\n")) {
    const [, controllers, path = ""] = line.split(":");
    // systemd moves itself into a group below that of all its processes.
    const payload = /^.*\/lxc\.payload\.[^/]+/.exec(path)?.[0];
    if (controllers !== undefined && payload !== undefined) paths.set(controllers, payload);
  }
  const [v1, v2] = [paths.get(controller), paths.get("")];
  if (v1 !== undefined) return { version: 1, path: join(CGROUPS, controller, v1) };
  const unified = existsSync(join(CGROUPS, "unified")) ? join(CGROUPS, "unified") : CGROUPS;
  return v2 === undefined ? undefined : { version: 2, path: join(unified, v2) };
}

/** A group and all below it. */
export function tree(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [folder, ...below.flatMap((entry) => tree(join(folder, entry.name)))];
}

/** The processes of a group, those of the groups below too. */
export function processes({ path }: Group): number[] {
  return tree(path).flatMap((folder) => {
    const lines = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n");
    return lines.filter((line) => line !== "").map(Number);
  });
}

/** Bytes that a group's processes hold, those of the groups below too; without page cache. */
export function heldMemory({ version, path }: Group): number {
  const kinds = version === 1 ? /^total_(?:rss|shmem) (\d+)$/gm : /^(?:anon|shmem) (\d+)$/gm;
  const found = readFileSync(join(path, "memory.stat"), "utf8").matchAll(kinds);
  return [...found].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

export function isFrozen({ version, path }: Group): boolean {
  if (version === 1) return !/^THAWED$/m.test(readFileSync(join(path, "freezer.state"), "utf8"));
  return /^1$/m.test(readFileSync(join(path, "cgroup.freeze"), "utf8"));
}

/**
 * Stops all processes of a group where they are.
 *
 * @throws LabError when one does not stop
 */
export async function freeze({ version, path }: Group): Promise<void> {
  const [file, word, state, done] =
    version === 1
      ? (["freezer.state", "FROZEN", "freezer.state", /^FROZEN$/m] as const)
      : (["cgroup.freeze", "1", "cgroup.events", /^frozen 1$/m] as const);
  writeFileSync(join(path, file), word);
  const end = performance.now() + FREEZING_SECONDS * 1000;
  while (!done.test(readFileSync(join(path, state), "utf8"))) {
    if (performance.now() > end) throw new LabError(`${path} does not freeze`, "`trivet lab heal` cuts its power");
    await pause(20);
  }
}
