import { mkdtemp, rm } from "node:fs/promises";
import { EventEmitter } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Daemon, type SeenRequest } from "./daemon.ts";
import { FaultBoard } from "./faults.ts";
import { type Config, type Devices, type InstanceRecord, type NetworkRecord, instanceRecord } from "./records.ts";
import { referenceScene } from "./reference-scene.ts";
import type { Scene, SceneInstance } from "./scene.ts";
import { ClusterState } from "./state.ts";

/** Names an instance. */
export interface InstanceRef {
  readonly project: string;
  readonly name: string;
}

export interface SimulationOptions {
  /** {@link referenceScene} unless told. */
  readonly scene?: Scene;
  /** Where the sockets go; a temporary folder unless told. A socket's path may have about 100 characters. */
  readonly folder?: string;
}

/** What happens at the API's doors, by event name. */
export interface SimulationEvents {
  request: [SeenRequest];
  /** A client gave up on a request that was not answered yet. */
  abandoned: [SeenRequest];
}

/**
 * A simulated LXD 5.0.2 cluster: the REST API and event stream of every server on a unix socket of its own, over one shared state,
 * as far as trivet uses them. Instances do not run; everything LXD would say of them is true to what a real cluster says.
 *
 * ```ts
 * await using cluster = await SimulatedCluster.start();
 * const socket = cluster.socket("langara");
 * await cluster.moveInstance({ project: "web", name: "git" }, "orilla");
 * ```
 */
export class SimulatedCluster extends EventEmitter<SimulationEvents> implements AsyncDisposable {
  readonly scene: Scene;
  /** What goes wrong, by server. */
  readonly faults = new FaultBoard();
  readonly #state: ClusterState;
  readonly #daemons: Map<string, Daemon>;
  readonly #removeFolder: () => Promise<void>;

  private constructor(scene: Scene, folder: string, removeFolder: () => Promise<void>) {
    super();
    this.scene = scene;
    this.#state = new ClusterState(scene);
    this.#removeFolder = removeFolder;
    this.#daemons = new Map(
      scene.servers.map((name) => [
        name,
        new Daemon(name, join(folder, `${name}.sock`), this.#state, this.faults, (request, outcome) =>
          this.emit(outcome === "received" ? "request" : "abandoned", request),
        ),
      ]),
    );
  }

  static async start({ scene = referenceScene(), folder }: SimulationOptions = {}): Promise<SimulatedCluster> {
    const place = folder ?? (await mkdtemp(join(tmpdir(), "trivet-sim-")));
    const remove = async (): Promise<void> => {
      if (folder === undefined) await rm(place, { recursive: true, force: true });
    };
    const cluster = new SimulatedCluster(scene, place, remove);
    for (const daemon of cluster.#daemons.values()) await daemon.start();
    return cluster;
  }

  /** Path of a server's API socket. */
  socket(server: string): string {
    return this.#daemon(server).socket;
  }

  /** The instance as it is now. */
  instance({ project, name }: InstanceRef): Readonly<InstanceRecord> {
    return this.#state.instance(project, name);
  }

  async startInstance(ref: InstanceRef): Promise<void> {
    const instance = this.#instance(ref);
    await this.#operate("Starting instance", instance, () => this.#state.start(instance));
  }

  /** @param clean shut down by the guest's own init (LXD then tells `instance-shutdown`), not cut off */
  async stopInstance(ref: InstanceRef, { clean = false } = {}): Promise<void> {
    const instance = this.#instance(ref);
    await this.#operate("Stopping instance", instance, () => this.#state.stop(instance, clean));
  }

  /** As `lxc stop`, `lxc move --target`, `lxc start`: LXD moves no running container without CRIU. A stopped one stays stopped. */
  async moveInstance(ref: InstanceRef, server: string): Promise<void> {
    const instance = this.#instance(ref);
    const wasRunning = instance.running;
    if (wasRunning) await this.stopInstance(ref);
    await this.#operate("Migrating instance", instance, async () => await this.#state.move(instance, server));
    if (wasRunning) await this.startInstance(ref);
  }

  /** Makes an instance, and starts it if it shall run. */
  async createInstance(instance: SceneInstance): Promise<void> {
    const record = instanceRecord({ ...instance, running: false }, Date.now());
    await this.#operate("Creating instance", record, () => this.#state.add(record));
    if (instance.running) await this.startInstance(instance);
  }

  async deleteInstance(ref: InstanceRef): Promise<void> {
    const instance = this.#instance(ref);
    if (instance.running) await this.stopInstance(ref);
    await this.#operate("Deleting instance", instance, () => this.#state.remove(instance));
  }

  /** Sets keys of its configuration, and of its devices by device name. */
  async configureInstance(ref: InstanceRef, change: { config?: Config; devices?: Devices }): Promise<void> {
    const instance = this.#instance(ref);
    const config = { ...instance.config, ...change.config };
    const devices = { ...instance.devices };
    for (const [name, keys] of Object.entries(change.devices ?? {})) devices[name] = { ...devices[name], ...keys };
    await this.#operate("Updating instance", instance, () => this.#state.update(instance, { config, devices }));
  }

  /** Sets keys of a network's configuration, or moves its active gateway. */
  configureNetwork({ project, name }: InstanceRef, change: { config?: Config; chassis?: string }): void {
    const network = this.#state.network(project, name);
    if (change.chassis !== undefined) network.chassis = change.chassis; // OVN's doing: LXD tells nothing
    if (change.config === undefined) return;
    network.config = { ...network.config, ...change.config };
    this.#state.tell("network-updated", `networks/${name}`, project, this.scene.servers[0] ?? "");
  }

  /** Gives a network load balancers, which LXD has from 5.5 on: the cluster then says that it has that extension. */
  setLoadBalancers({ project, name }: InstanceRef, balancers: NetworkRecord["balancers"]): void {
    const network = this.#state.network(project, name);
    network.balancers.splice(0, Infinity, ...balancers);
    this.#state.tell(
      "network-load-balancer-created",
      `networks/${name}/load-balancers`,
      project,
      this.scene.servers[0] ?? "",
    );
  }

  /** The LXD daemon ends; its instances run on, and the other members see it offline. */
  async stopDaemon(server: string): Promise<void> {
    await this.#daemon(server).stop();
    this.#setUp(server, false);
  }

  async startDaemon(server: string): Promise<void> {
    await this.#daemon(server).start();
    this.#setUp(server, true);
  }

  /** The server loses power: its LXD is gone, and nothing that ran there runs. */
  async killServer(server: string): Promise<void> {
    await this.stopDaemon(server);
    for (const instance of this.#on(server)) instance.running = false;
  }

  /** Power is back: LXD starts, and then what ran before. */
  async reviveServer(server: string): Promise<void> {
    await this.startDaemon(server);
    for (const instance of this.#on(server))
      if (instance.config["volatile.last_state.power"] === "RUNNING" && !instance.running)
        this.#state.start(instance, false);
  }

  /** Breaks a server's event streams off; its clients may connect again at once. */
  dropEventStreams(server: string): void {
    this.#daemon(server).dropEventStreams();
  }

  async stop(): Promise<void> {
    for (const daemon of this.#daemons.values()) await daemon.stop();
    await this.#removeFolder();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #daemon(server: string): Daemon {
    this.#state.server(server);
    return this.#daemons.get(server) as Daemon;
  }

  #instance({ project, name }: InstanceRef): InstanceRecord {
    return this.#state.instance(project, name);
  }

  #on(server: string): InstanceRecord[] {
    return [...this.#state.instances.values()].filter(({ location }) => location === server);
  }

  #setUp(server: string, up: boolean): void {
    this.#state.server(server).up = up;
    this.#state.forgetViews(this.#on(server));
    this.faults.emit("change"); // quorum may be lost or back
  }

  async #operate(description: string, instance: InstanceRecord, work: () => void | Promise<void>): Promise<void> {
    const { project, name, location } = instance;
    const resources = { instances: [`/1.0/instances/${name}`] };
    const { ended } = this.#state.operations.start({ description, project, location, resources }, work);
    const { status, err } = await ended;
    if (status !== "Success") throw new SimulationError(`${description} ${project}/${name}: ${err}`);
  }
}

/** The simulated cluster refused what it was told to do. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
  readonly fault = "input";
}
