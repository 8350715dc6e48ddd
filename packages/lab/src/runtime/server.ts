import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { endProcess } from "../host/end-process.ts";
import { type RunOptions, type RunResult, run } from "../host/run.ts";
import type { ServerPlan, Topology } from "../topology/topology.ts";
import { type Group, freeze, groupOf, heldMemory, isFrozen, processes } from "./cgroup.ts";
import { attachDisk } from "./disk.ts";
import { ip } from "./fabric.ts";
import { lxcConfig, serverNics } from "./lxc-config.ts";
import type { Places } from "./places.ts";

/** Milliseconds that a command in a server may take: several daemons of a cluster start at once on few cores. */
const PATIENCE = 180_000;
/** On a busy machine a server with a whole cluster's daemons takes its time. */
const BOOT_SECONDS = 240;

/** A server of the lab: a system container with systemd, on an overlay over the shared image. */
export class Server {
  readonly plan: ServerPlan;
  readonly #topology: Topology;
  readonly #places: Places;

  constructor(plan: ServerPlan, topology: Topology, places: Places) {
    this.plan = plan;
    this.#topology = topology;
    this.#places = places;
  }

  get name(): string {
    return this.plan.name;
  }

  /** Where its files are on this machine; a file system of its own where the kernel allows. */
  get folder(): string {
    return join(this.#places.containers, this.#places.container(this.name));
  }

  /** Its disk: what differs from the image. A file may be put here before the first boot, or read after a crash. */
  get disk(): string {
    return join(this.folder, "delta");
  }

  /** Makes its disk and LXC configuration; it is not started. Idempotent. */
  async create(image: string): Promise<void> {
    await attachDisk(this.#places, this.folder);
    mkdirSync(this.disk, { recursive: true });
    // Nested user namespaces must be able to walk to their root file systems.
    for (let path = this.disk; path.length > "/var/lib".length; path = dirname(path)) chmodSync(path, 0o755);
    const config = lxcConfig({
      server: this.plan,
      topology: this.#topology,
      places: this.#places,
      image,
      disk: this.disk,
    });
    writeFileSync(join(this.folder, "config"), config);
  }

  /** Writes a file on its disk while it is off. */
  writeDisk(path: string, content: string, mode = 0o644): void {
    const file = join(this.disk, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
    chmodSync(file, mode);
  }

  /** Makes a symbolic link on its disk. */
  link(path: string, target: string): void {
    const file = join(this.disk, path);
    mkdirSync(dirname(file), { recursive: true });
    rmSync(file, { force: true });
    symlinkSync(target, file);
  }

  /** Powers it on and waits until systemd has settled. */
  async start(): Promise<void> {
    await this.powerOn();
    await this.booted();
  }

  /** Powers it on; it boots by itself. */
  async powerOn(): Promise<void> {
    const log = join(this.#places.logs, `${this.name}.lxc.log`);
    await this.#lxc("start", "-d", "-o", log, "-l", "INFO");
  }

  /** Waits until systemd has started everything, or given up on some of it. */
  async booted(): Promise<void> {
    const script = `set +x
      until [ -S /run/dbus/system_bus_socket ]; do sleep 0.1; done
      timeout ${BOOT_SECONDS} systemctl is-system-running --wait >/dev/null || [ $? -lt 124 ]`;
    await this.sh(script, { timeout: (BOOT_SECONDS + 30) * 1000 });
  }

  /** An orderly shutdown, as its power button does. */
  async stop(): Promise<void> {
    await this.#lxc("stop", "-t", "60");
  }

  /** Pulls the plug: every process dies at once, nothing is written or sent any more. Nothing happens when it is off. */
  async kill(): Promise<void> {
    if (!(await this.running())) return;
    // The links first: the kernel closes a dying process's connections, and the others would hear of it.
    const ports = serverNics(this.plan, this.#topology).map(({ port }) => `link set ${port} down`);
    await ip(this.#places.namespace("fabric"), ports);
    // LXC thaws a frozen server to end it: killed before, its processes do not get to act once more on a world that went on.
    const group = await this.group("freezer");
    const frozen = group !== undefined && isFrozen(group);
    if (frozen) for (const pid of processes(group)) endProcess(pid);
    // On cgroup v2 they end at once, and the server with them.
    if (frozen && group.version === 2) await this.#lxc("wait", "-s", "STOPPED", "-t", "60");
    else await this.#lxc("stop", "-k");
  }

  /** Has power, whether or not anything in it moves. */
  async running(): Promise<boolean> {
    return (await this.pid()) !== undefined;
  }

  /** Has power and is not frozen: commands in it come to an end. */
  async responds(): Promise<boolean> {
    const group = await this.group("freezer");
    return group !== undefined && !isFrozen(group);
  }

  /** Stops every process where it is, its instances' too. Only a power cut ends it. */
  async freeze(): Promise<void> {
    const group = await this.group("freezer");
    if (group !== undefined) await freeze(group);
  }

  /** Bytes of memory that its processes hold. */
  async memory(): Promise<number> {
    const group = await this.group("memory");
    return group === undefined ? 0 : heldMemory(group);
  }

  /** Its control group for a controller; `undefined` while it is off. */
  async group(controller: string): Promise<Group | undefined> {
    const pid = await this.pid();
    return pid === undefined ? undefined : groupOf(pid, controller);
  }

  /** Its init process, seen from this machine. */
  async pid(): Promise<number | undefined> {
    if (!existsSync(join(this.folder, "config")) || !existsSync(`/run/netns/${this.#places.namespace("fabric")}`))
      return undefined;
    const { stdout } = await this.#lxc("info", "-p", "-H");
    const pid = Number.parseInt(stdout.trim(), 10);
    return pid > 0 ? pid : undefined;
  }

  /** Runs a program in the server. */
  async exec(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return await run(this.argv(argv), { timeout: PATIENCE, ...options });
  }

  /** Runs a bash script in the server; any failing command ends it, and the error shows the commands up to it. */
  async sh(script: string, options: Omit<RunOptions, "input"> = {}): Promise<string> {
    const { stdout } = await this.exec(["bash", "-euxo", "pipefail"], { ...options, input: script });
    return stdout;
  }

  /** Writes a file in the running server. */
  async write(path: string, content: string, mode = 0o644): Promise<void> {
    const script = 'mkdir -p "${0%/*}" && cat >"$0.new" && chmod "$1" "$0.new" && mv "$0.new" "$0"';
    await this.exec(["sh", "-c", script, path, mode.toString(8)], { input: content });
  }

  /** The command line, on this machine, that runs `argv` in the server. */
  argv(argv: readonly string[]): [string, ...string[]] {
    const env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"];
    return this.#lxcArgv("attach", "--clear-env", ...env.map((pair) => `-v${pair}`), "--", ...argv);
  }

  /** Removes its disk; it must be off. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #lxcArgv(command: string, ...args: string[]): [string, ...string[]] {
    // LXC's command sockets are abstract and so belong to a network namespace: every command runs in the one the server was started in.
    const fabric = `/run/netns/${this.#places.namespace("fabric")}`;
    const name = this.#places.container(this.name);
    return ["nsenter", `--net=${fabric}`, `lxc-${command}`, "-P", this.#places.containers, "-n", name, ...args];
  }

  async #lxc(command: string, ...args: string[]): Promise<RunResult> {
    return await run(this.#lxcArgv(command, ...args), { timeout: 120_000 });
  }
}
