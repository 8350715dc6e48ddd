import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Namespace, type RunOptions, type RunResult, run } from "@trivet/lab";
import { eventually } from "../eventually.ts";

const SCRIPTS = import.meta.dirname;
/** Where the daemon inside keeps its files; outside it is `state` in the sandbox's folder. */
export const STATE = "/run/state";
const CONTROL_GROUPS = "/sys/fs/cgroup";
/** As `Namespace` names what it makes: the process that made it can be told. */
const OWNED = /^trivet-t(\d+)-/;

export interface SandboxOptions {
  /** A system's folder to use (unchanged) as the root file system; the machine's own without it. */
  readonly root?: string;
  /** Folders of the machine to see inside, as `[outside, inside]`. */
  readonly binds?: readonly (readonly [outside: string, inside: string])[];
}

/**
 * What a container daemon thinks is a machine: a network namespace with own mounts, host name, processes and control groups.
 * Disposing of it ends every process in it, whatever they started, and removes its files and control groups.
 */
export class Sandbox implements AsyncDisposable {
  /** The network namespace's. */
  readonly name: string;
  /** Its files, on the machine; removed with it. */
  readonly folder: string;
  readonly #process: ChildProcess;
  #init = 0;

  private constructor(name: string, folder: string, process: ChildProcess) {
    this.name = name;
    this.folder = folder;
    this.#process = process;
  }

  static async create(namespace: Namespace, { root, binds = [] }: SandboxOptions = {}): Promise<Sandbox> {
    const { name } = namespace;
    const folder = join(tmpdir(), name);
    for (const part of ["upper", "work", "state"]) mkdirSync(join(folder, part), { recursive: true });
    if (root !== undefined) symlinkSync(root, join(folder, "lower"));
    const words = [[join(folder, "state"), STATE], [SCRIPTS, "/run/scripts"], ...binds].map((pair) => pair.join(":"));
    const child = namespace.spawn(
      [join(SCRIPTS, "launch.sh"), name, root === undefined ? "" : folder, words.join(" ")],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    const sandbox = new Sandbox(name, folder, child);
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    try {
      sandbox.#init = await eventually("the sandbox's first process", () => {
        if (child.exitCode !== null) throw new Error(`launch.sh: ${stderr}`);
        return sleepingChild(child.pid ?? 0);
      });
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
    return sandbox;
  }

  /** Runs a command inside to its end. */
  async run(argv: readonly [string, ...string[]], options?: RunOptions): Promise<RunResult> {
    return await run(this.#inside(argv), options);
  }

  /** Starts a command inside. Its process is {@link innerPid}'s; this one only waits for it. */
  spawn(argv: readonly [string, ...string[]], options: SpawnOptions = {}): ChildProcess {
    const [program, ...args] = this.#inside(argv);
    return spawn(program, args, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGKILL");
      await ended;
    }
    await removeLeftovers(this.name);
  }

  #inside(argv: readonly string[]): [string, ...string[]] {
    return ["nsenter", "--target", String(this.#init), "--all", "/run/scripts/enter.sh", ...argv];
  }

  /** Removes files and control groups of sandboxes whose test run is no longer there; its processes ended with its namespaces. */
  static async removeStale(): Promise<void> {
    const stale = readdirSync(tmpdir()).filter((name) => {
      const pid = OWNED.exec(name)?.[1];
      return pid !== undefined && !existsSync(`/proc/${pid}`) && existsSync(join(tmpdir(), name, "upper"));
    });
    for (const name of stale) await removeLeftovers(name);
  }
}

/** The process that a {@link Sandbox.spawn} started inside, as the machine numbers it. */
export async function innerPid(process: ChildProcess): Promise<number> {
  return await eventually("the process inside", () => children(process.pid ?? 0)[0]);
}

function sleepingChild(parent: number): number | undefined {
  return children(parent).find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "sleep");
}

function children(parent: number): number[] {
  const list = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim();
  return list === "" ? [] : list.split(" ").map(Number);
}

/** Once its last process is gone a control group can be removed; that ends the wait for the kernel's clearing up. */
async function removeLeftovers(name: string): Promise<void> {
  // Below each hierarchy of version 1, or of version 2 alone.
  for (const hierarchy of ["", ...readdirSync(CONTROL_GROUPS)]) {
    const group = join(CONTROL_GROUPS, hierarchy, name);
    await eventually(`control group ${group} to be free`, () => {
      removeGroup(group);
      return !existsSync(group);
    });
  }
  rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

function removeGroup(group: string): void {
  if (!existsSync(group)) return;
  for (const entry of readdirSync(group)) {
    if (statSync(join(group, entry)).isDirectory()) removeGroup(join(group, entry));
  }
  rmdirSync(group);
}
