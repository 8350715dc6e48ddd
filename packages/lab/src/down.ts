import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { endProcess } from "./host/end-process.ts";
import { run } from "./host/run.ts";
import { tree } from "./runtime/cgroup.ts";
import { loopDevices, mountPoints } from "./runtime/disk.ts";
import { Places } from "./runtime/places.ts";

const CGROUPS = "/sys/fs/cgroup";

/** Parts of a lab that `down` could not remove. */
export class LeftoverError extends Error {
  override readonly name = "LeftoverError";
  readonly fault = "world";
  readonly leftovers: readonly string[];

  constructor(lab: string, leftovers: readonly string[]) {
    super(`lab ${lab} is not completely gone: ${leftovers.join(", ")}; \`trivet lab down\` tries again`);
    this.leftovers = leftovers;
  }
}

/**
 * Removes a lab, or whatever is left of one: its processes, namespaces, control groups and files. The cached images stay. Works from
 * names alone, so also after `up` was killed.
 *
 * @throws LeftoverError when something resists
 */
export async function down(name: string): Promise<void> {
  const places = new Places(name);
  const end = performance.now() + 30_000;
  // A monitor that sees its server die may still start something: repeat until nothing is left.
  for (let pids = await processes(places); pids.size > 0 && performance.now() < end; pids = await processes(places)) {
    for (const pid of pids) endProcess(pid);
    thaw(places);
    await pause(50);
  }
  for (const namespace of namespaces(places)) await run(["ip", "netns", "delete", namespace]);
  // One may have gone with another that it was shared with.
  for (const mount of mounts(places)) if (mountPoints().includes(mount)) await run(["umount", "-l", mount]);
  while (loopDevices(places).length > 0 && performance.now() < end) await pause(50);
  for (const folder of cgroupRoots(places)) while (!removeCgroup(folder) && performance.now() < end) await pause(50);
  rmSync(places.runtime, { recursive: true, force: true });
  // The record goes last.
  rmSync(places.containers, { recursive: true, force: true });
  rmSync(places.folder, { recursive: true, force: true });
  const left = await leftovers(name);
  if (left.length > 0) throw new LeftoverError(name, left);
}

/** What exists of a lab on this machine, as far as names, processes and mounts tell; empty when it is gone. */
export async function leftovers(name: string): Promise<string[]> {
  const places = new Places(name);
  return [
    ...[...(await processes(places))].map((pid) => `process ${pid}`),
    ...namespaces(places).map((namespace) => `namespace ${namespace}`),
    ...mounts(places).map((mount) => `mount ${mount}`),
    ...loopDevices(places).map((device) => `loop device ${device}`),
    ...cgroupRoots(places).map((folder) => `control group ${folder}`),
    ...[places.folder, places.runtime].filter((folder) => existsSync(folder)),
  ];
}

/**
 * Processes in the lab's control groups (the servers, with all inside, and their monitors), in its namespaces, and its daemons outside
 * the servers by their arguments: those outlive their namespace's name.
 */
async function processes(places: Places): Promise<Set<number>> {
  const found = new Set<number>();
  const add = (text: string): void => {
    for (const line of text.split("\n")) if (/^[1-9]\d*$/.test(line)) found.add(Number(line));
  };
  for (const root of cgroupRoots(places)) for (const folder of tree(root)) add(readProcs(folder));
  for (const namespace of namespaces(places)) add((await run(["ip", "netns", "pids", namespace])).stdout);
  for (const pid of daemons(places)) found.add(pid);
  found.delete(process.pid);
  return found;
}

/** FRR with its sockets in the lab's runtime folder, and BMCs. */
function daemons(places: Places): number[] {
  const ours = (args: readonly string[]): boolean =>
    (args.includes("--vty_socket") && args.some((arg) => arg.startsWith(`${places.runtime}/`))) ||
    (args.at(-1) === places.lab && args.at(-2)?.endsWith("/bmc/main.ts") === true);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && ours(argumentsOf(name)))
    .map(Number);
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch (error) {
    if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return [];
  }
}

function readProcs(folder: string): string {
  try {
    return readFileSync(join(folder, "cgroup.procs"), "utf8");
  } catch (error) {
    // The group went away, or holds threads only; both hold no process.
    if (["ENOENT", "ENODEV", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

function namespaces(places: Places): string[] {
  const all = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  return all.filter((name) => name.startsWith(places.namespace("")));
}

function mounts(places: Places): string[] {
  return mountPoints()
    .filter((path) => path.startsWith(`${places.folder}/`) || path.startsWith(`${places.runtime}/`))
    .toReversed();
}

/** On cgroup v1 a frozen process dies only once it is thawed. */
function thaw(places: Places): void {
  const groups = cgroupRoots(places).flatMap((root) => tree(root));
  for (const group of groups) {
    const file = join(group, "freezer.state");
    if (existsSync(file)) writeFileSync(file, "THAWED");
  }
}

/** Its control group in every hierarchy: one on a cgroup v2 machine, a dozen on v1. */
function cgroupRoots(places: Places): string[] {
  const hierarchies = [CGROUPS, ...readdirSync(CGROUPS).map((name) => join(CGROUPS, name))];
  return hierarchies.map((folder) => join(folder, places.cgroup)).filter((folder) => existsSync(folder));
}

/** @returns false when a process in it has not quite ended yet */
function removeCgroup(root: string): boolean {
  try {
    for (const folder of tree(root).toReversed()) rmdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    return false;
  }
}
