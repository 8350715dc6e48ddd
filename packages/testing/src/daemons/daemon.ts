import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { Namespace, serverImage } from "@trivet/lab";
import { Sandbox, type SandboxOptions, STATE, innerPid } from "./sandbox.ts";

/** LXD 5.0.2 of Debian 12, installed on this machine; Incus 6.0.4 of Debian 13, from the lab's cached server image. */
export type DaemonKind = "lxd" | "incus";

const ENVIRONMENT: Record<DaemonKind, [string, ...string[]]> = {
  lxd: ["env", `LXD_DIR=${STATE}`],
  // Debian 13's folders, for the tools that the daemon starts.
  incus: ["env", `INCUS_DIR=${STATE}`, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
};
const SERVER: Record<DaemonKind, [string, ...string[]]> = {
  lxd: ["lxd", "--group", "root", "--verbose"],
  incus: ["/usr/libexec/incus/incusd", "--group", "root", "--verbose"],
};
const ADMIN: Record<DaemonKind, readonly string[]> = { lxd: ["lxd"], incus: ["incus", "admin"] };
const CLI: Record<DaemonKind, string> = { lxd: "lxc", incus: "incus" };
const READY_SECONDS = 60;

/**
 * A real LXD or Incus in a {@link Sandbox}, empty. Its containers live and die with the sandbox, not with the daemon: `stop` and
 * `start` are an upgrade's restart.
 */
export class Daemon implements AsyncDisposable {
  readonly kind: DaemonKind;
  readonly namespace: Namespace;
  /** For a client on this machine. */
  readonly socketPath: string;
  readonly #sandbox: Sandbox;
  readonly #ownsNamespace: boolean;
  #process: ChildProcess | undefined;

  private constructor(kind: DaemonKind, namespace: Namespace, sandbox: Sandbox, ownsNamespace: boolean) {
    this.kind = kind;
    this.namespace = namespace;
    this.#sandbox = sandbox;
    this.#ownsNamespace = ownsNamespace;
    this.socketPath = join(sandbox.folder, "state", "unix.socket");
  }

  /**
   * A running daemon in a network namespace: one of its own, named after `where`, or the given one, which is left to its owner.
   *
   * @param binds folders it shall see besides, e.g. `["/run/…/openvswitch", "/run/openvswitch"]`
   */
  static async create(
    kind: DaemonKind,
    where: string | Namespace,
    { binds = [] }: Pick<SandboxOptions, "binds"> = {},
  ): Promise<Daemon> {
    const root = kind === "incus" ? { root: await serverImage("trixie") } : {};
    const namespace = typeof where === "string" ? await Namespace.create(where) : where;
    const sandbox = await Sandbox.create(namespace, { ...root, binds });
    const daemon = new Daemon(kind, namespace, sandbox, typeof where === "string");
    try {
      await daemon.start();
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
    return daemon;
  }

  /** Starts the daemon and waits until it is ready. */
  async start(): Promise<void> {
    const log = createWriteStream(this.#log, { flags: "a" });
    await once(log, "open");
    this.#process = this.#sandbox.spawn([...ENVIRONMENT[this.kind], ...SERVER[this.kind]], {
      stdio: ["ignore", log, log],
    });
    log.close();
    try {
      await this.admin(["waitready", `--timeout=${READY_SECONDS}`]);
    } catch (error) {
      throw new Error(`${this.kind} did not start: ${this.log().split("\n").slice(-10).join("\n")}`, { cause: error });
    }
  }

  /** Ends the daemon as its package's upgrade does; its containers go on. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** The daemon dies without a word; its containers go on. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** The daemon hangs: its sockets accept, and nothing answers. */
  async pause(): Promise<void> {
    process.kill(await this.#pid(), "SIGSTOP");
  }

  async resume(): Promise<void> {
    process.kill(await this.#pid(), "SIGCONT");
  }

  /** `lxc …` or `incus …`. */
  async cli(args: readonly string[], input = ""): Promise<string> {
    return await this.#command([CLI[this.kind], ...args], input);
  }

  /** `lxd …` or `incus admin …`: `["init", "--preseed"]`, `["cluster", "list-database"]`. */
  async admin(args: readonly string[], input = ""): Promise<string> {
    return await this.#command([...ADMIN[this.kind], ...args], input);
  }

  /** What the daemon logged. */
  log(): string {
    return readFileSync(this.#log, "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox[Symbol.asyncDispose]();
    if (this.#ownsNamespace) await this.namespace.remove();
  }

  get #log(): string {
    return join(this.#sandbox.folder, "daemon.log");
  }

  async #command(argv: readonly string[], input: string): Promise<string> {
    const { stdout } = await this.#sandbox.run([...ENVIRONMENT[this.kind], ...argv], { input, timeout: 120_000 });
    return stdout;
  }

  async #pid(): Promise<number> {
    if (this.#process === undefined) throw new Error(`${this.kind} is not started`);
    return await innerPid(this.#process);
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const process_ = this.#process;
    if (process_ === undefined) return;
    const ended = once(process_, "exit");
    process.kill(await this.#pid(), signal);
    await ended;
    this.#process = undefined;
  }
}
