import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { endProcess } from "./end-process.ts";
import { type RunOptions, type RunResult, run } from "./run.ts";

const NAMESPACES = "/run/netns";
/** `trivet-t<pid>-<name>`: the process that made it can be found, so what a crashed run left can be told from what is in use. */
const OWNED = /^trivet-t(\d+)-/;

/**
 * A network namespace of this process, with loopback up. Removing it ends every process in it.
 *
 * Root is needed. Its name begins with `trivet-`.
 */
export class Namespace implements AsyncDisposable {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async create(label: string): Promise<Namespace> {
    const namespace = new Namespace(`trivet-t${process.pid}-${label}`);
    await run(["ip", "netns", "add", namespace.name]);
    await namespace.run(["ip", "link", "set", "lo", "up"]);
    return namespace;
  }

  /**
   * Joins two namespaces with a veth pair and brings both ends up.
   *
   * @param left interface name and its addresses (`192.0.2.1/24`) in `a`
   * @param right the same in `b`
   */
  static async link(
    a: Namespace,
    left: { readonly dev: string; readonly addresses?: readonly string[] },
    b: Namespace,
    right: { readonly dev: string; readonly addresses?: readonly string[] },
  ): Promise<void> {
    const pair = `name ${left.dev} netns ${a.name} type veth peer name ${right.dev} netns ${b.name}`;
    await run(["ip", "link", "add", ...pair.split(" ")]);
    for (const [namespace, end] of [
      [a, left],
      [b, right],
    ] as const) {
      for (const address of end.addresses ?? []) {
        // Without nodad an IPv6 address is unusable for the first second.
        const nodad = address.includes(":") ? ["nodad"] : [];
        await namespace.run(["ip", "address", "add", address, "dev", end.dev, ...nodad]);
      }
      await namespace.run(["ip", "link", "set", end.dev, "up"]);
    }
  }

  /** Runs a command in the namespace to its end; see {@link run}. */
  async run(argv: readonly [string, ...string[]], options?: RunOptions): Promise<RunResult> {
    return await run(["ip", "netns", "exec", this.name, ...argv], options);
  }

  /** Starts a command in the namespace and leaves it running; it ends with the namespace at the latest. */
  spawn(argv: readonly [string, ...string[]], options: SpawnOptions = {}): ChildProcess {
    return spawn("ip", ["netns", "exec", this.name, ...argv], options);
  }

  async remove(): Promise<void> {
    await removeNamespace(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  /**
   * Removes the namespaces, and ends the processes in them, of test runs that are no longer there.
   *
   * @returns their names
   */
  static async removeStale(): Promise<string[]> {
    const all = existsSync(NAMESPACES) ? readdirSync(NAMESPACES) : [];
    const stale = all.filter((name) => {
      const pid = OWNED.exec(name)?.[1];
      return pid !== undefined && !existsSync(`/proc/${pid}`);
    });
    for (const name of stale) await removeNamespace(name);
    return stale;
  }
}

async function removeNamespace(name: string): Promise<void> {
  const { stdout } = await run(["ip", "netns", "pids", name]);
  for (const pid of stdout.split("\n").filter((line) => line !== "")) endProcess(Number(pid));
  await run(["ip", "netns", "delete", name]);
}
