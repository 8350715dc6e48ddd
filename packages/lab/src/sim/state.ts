import { EventEmitter } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { timestamp } from "./json.ts";
import { type OperationRecord, Operations } from "./operations.ts";
import {
  type InstanceRecord,
  type NetworkRecord,
  type ProfileRecord,
  type ProjectRecord,
  type ServerRecord,
  type ZoneRecord,
  recordsOf,
} from "./records.ts";
import type { Scene } from "./scene.ts";
import { instanceView, unreachableView } from "./views.ts";

/** An error as LXD answers it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly fault = "input";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface LxdEvent {
  readonly type: "lifecycle" | "operation";
  readonly timestamp: string;
  readonly metadata: object;
  readonly location: string;
  readonly project?: string;
}

const REQUESTOR = { username: "root", protocol: "unix", address: "@" };

/**
 * The state all servers share, and what may be done to it. Each change tells listeners of `event` what LXD 5.0.2 would (its own order
 * of events, recorded from a real cluster).
 */
export class ClusterState extends EventEmitter<{ event: [LxdEvent] }> {
  readonly servers: Map<string, ServerRecord>;
  readonly projects: Map<string, ProjectRecord>;
  readonly profiles: Map<string, ProfileRecord>;
  readonly networks: Map<string, NetworkRecord>;
  readonly instances: Map<string, InstanceRecord>;
  readonly zones: Map<string, ZoneRecord>;
  readonly operations: Operations;
  /** Configuration of the cluster, `/1.0`. */
  config: Record<string, unknown> = { "cluster.offline_threshold": "20" };
  readonly #json = new WeakMap<InstanceRecord, string>();

  constructor(scene: Scene) {
    super();
    this.setMaxListeners(0);
    const records = recordsOf(scene);
    this.servers = new Map(records.servers.map((server) => [server.name, server]));
    this.projects = new Map(records.projects.map((project) => [project.name, project]));
    this.profiles = new Map(records.profiles.map((profile) => [keyOf(profile), profile]));
    this.networks = new Map(records.networks.map((network) => [keyOf(network), network]));
    this.instances = new Map(records.instances.map((instance) => [keyOf(instance), instance]));
    this.zones = new Map(records.zones.map((zone) => [keyOf(zone), zone]));
    this.operations = new Operations((operation) => this.#tellOperation(operation));
  }

  /** Most of the database's voters run. Without it, LXD answers nothing at all. */
  get quorum(): boolean {
    const voters = [...this.servers.values()].filter(({ roles }) => roles.includes("database"));
    return voters.filter(({ up }) => up).length * 2 > voters.length;
  }

  /** @throws ApiError 404 */
  instance(project: string, name: string): InstanceRecord {
    return found(this.instances.get(keyOf({ project, name })), "Instance");
  }

  /** The server it is on can be asked. */
  reachable({ location }: InstanceRecord): boolean {
    return this.server(location).up;
  }

  network(project: string, name: string): NetworkRecord {
    return found(this.networks.get(keyOf({ project, name })), "Network");
  }

  zone(project: string, name: string): ZoneRecord {
    return found(this.zones.get(keyOf({ project, name })), "Network zone");
  }

  profile(project: string, name: string): ProfileRecord {
    return found(this.profiles.get(keyOf({ project, name })), "Profile");
  }

  project(name: string): ProjectRecord {
    return found(this.projects.get(name), "Project");
  }

  server(name: string): ServerRecord {
    return found(this.servers.get(name), "Cluster member");
  }

  /** @param requested by someone, not by the cluster itself */
  start(instance: InstanceRecord, requested = true): void {
    if (instance.running) throw new ApiError(400, "The instance is already running");
    this.#run(instance, true);
    this.#tellState("started", instance, requested);
  }

  /** @param clean shut down by the guest's own init, not cut off */
  stop(instance: InstanceRecord, clean = false): void {
    if (!instance.running) throw new ApiError(400, "The instance is already stopped");
    this.#run(instance, false);
    this.#tellState(clean ? "shutdown" : "stopped", instance, !clean);
  }

  restart(instance: InstanceRecord): void {
    if (!instance.running) throw new ApiError(400, "The instance is not running");
    this.#run(instance, true);
    this.#tellState("restarted", instance, true);
  }

  /**
   * Moves a stopped instance as LXD 5.0.2 does between local pools: a copy under a passing name is made, the old one deleted, the copy
   * renamed. Who listens sees each of the three.
   */
  async move(instance: InstanceRecord, target: string): Promise<void> {
    this.server(target);
    if (instance.location === target)
      throw new ApiError(400, "Target must be different than instance's current location");
    if (instance.running) {
      const why = "Unable to perform container live migration. CRIU isn't installed";
      throw new ApiError(400, `Failed stopping instance "${instance.name}": ${why}`);
    }
    const copy: InstanceRecord = {
      ...structuredClone(instance),
      name: `lxd-move-of-${instance.config["volatile.uuid"]}`,
      location: target,
    };
    this.add(copy);
    await turn();
    this.remove(instance);
    await turn();
    this.rename(copy, instance.name);
  }

  add(instance: InstanceRecord): void {
    this.instances.set(keyOf(instance), instance);
    this.#tell("instance-created", instance, {
      context: { "storage-pool": "ssd", type: instance.type },
    });
  }

  remove(instance: InstanceRecord): void {
    this.instances.delete(keyOf(instance));
    this.#tell("instance-deleted", instance, {});
  }

  rename(instance: InstanceRecord, name: string): void {
    const oldName = instance.name;
    this.instances.delete(keyOf(instance));
    instance.name = name;
    this.#json.delete(instance);
    this.instances.set(keyOf(instance), instance);
    this.#tell("instance-renamed", instance, { context: { old_name: oldName } });
  }

  /** Changes configuration, devices, profiles or description, and tells so. */
  update(
    instance: InstanceRecord,
    change: Partial<Pick<InstanceRecord, "config" | "devices" | "profiles" | "description">>,
  ): void {
    Object.assign(instance, change);
    this.#json.delete(instance);
    this.#tell("instance-updated", instance, {});
  }

  /**
   * Tells of a change of something that is not an instance.
   *
   * @param action as `network-updated`; @param path as `networks/mail/forwards/192.0.2.1`
   */
  tell(action: string, path: string, project: string | undefined, server: string, context?: object): void {
    this.#emit(action, path === "" ? "/1.0" : `/1.0/${path}`, project, server, {
      ...(context === undefined ? {} : { context }),
      requestor: REQUESTOR,
    });
  }

  /** Profiles changed, or a server went or came: what instances look like may be another now. */
  forgetViews(instances: Iterable<InstanceRecord> = this.instances.values()): void {
    for (const instance of instances) this.#json.delete(instance);
  }

  /** The instance as a JSON object; kept until it changes, because a cluster of thousands is listed often. */
  instanceJson(instance: InstanceRecord): string {
    let json = this.#json.get(instance);
    if (json === undefined) {
      const profiles = instance.profiles.flatMap((name) => this.profiles.get(keyOf({ ...instance, name })) ?? []);
      json = JSON.stringify(this.reachable(instance) ? instanceView(instance, profiles) : unreachableView(instance));
      this.#json.set(instance, json);
    }
    return json;
  }

  #tellState(what: string, instance: InstanceRecord, requested: boolean): void {
    this.#tell(`instance-${what}`, instance, requested ? { requestor: REQUESTOR } : {});
  }

  #run(instance: InstanceRecord, running: boolean): void {
    instance.running = running;
    if (running) instance.lastUsed = Date.now();
    instance.config = { ...instance.config, "volatile.last_state.power": running ? "RUNNING" : "STOPPED" };
    this.#json.delete(instance);
  }

  #tell(action: string, { project, name, location }: InstanceRecord, extra: object): void {
    this.#emit(action, `/1.0/instances/${name}`, project, location, extra);
  }

  #emit(action: string, path: string, project: string | undefined, server: string, extra: object): void {
    const everywhere = project === undefined || project === "default" || path.startsWith("/1.0/projects/");
    const source = everywhere ? path : `${path}?project=${project}`;
    this.emit("event", {
      type: "lifecycle",
      timestamp: timestamp(Date.now()),
      metadata: { action, source, ...extra },
      location: server,
      ...(project === undefined ? {} : { project }),
    });
  }

  #tellOperation(operation: OperationRecord): void {
    const { project, ...metadata } = operation;
    this.emit("event", {
      type: "operation",
      timestamp: timestamp(Date.now()),
      metadata,
      location: operation.location,
      ...(project === undefined ? {} : { project }),
    });
  }
}

export function keyOf({ project, name }: { readonly project: string; readonly name: string }): string {
  return `${project}/${name}`;
}

function found<T>(record: T | undefined, what: string): T {
  if (record === undefined) throw new ApiError(404, `${what} not found`);
  return record;
}
