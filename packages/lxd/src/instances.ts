import type { Api } from "./api.ts";
import { type CallOptions, withQuery } from "./call.ts";
import { type ChangeOptions, Collection, type ListOptions } from "./collection.ts";
import { type ExecOptions, type ExecResult, execute } from "./exec.ts";
import {
  type Instance,
  type InstanceFull,
  type InstanceState,
  type InstanceStateChange,
  InstanceStatus,
} from "./types/instance.ts";
import type { Config } from "./types/server.ts";

/** What `POST /1.0/instances` takes. */
export type InstanceDraft = Partial<Instance> & {
  /** `{type: "image", alias: "…"}`, `{type: "none"}`, … */
  readonly source?: Readonly<Record<string, unknown>>;
  readonly devices?: Readonly<Record<string, Config>>;
};

export interface FileAttributes {
  readonly uid?: number;
  readonly gid?: number;
  /** Permission bits, e.g. `0o644`. */
  readonly mode?: number;
}

/** `/1.0/instances`. */
export class Instances extends Collection<Instance, InstanceDraft> {
  constructor(api: Api) {
    super(api, "/1.0/instances", { patches: true, projects: { extension: "instance_all_projects", features: [] } });
  }

  override async list(options: ListOptions = {}): Promise<Instance[]> {
    return (await super.list(options)).map((instance) => complete(instance));
  }

  /** With each instance's state: several times slower than `list`. */
  async listFull(options: ListOptions = {}): Promise<InstanceFull[]> {
    return (await this.listing<InstanceFull>("2", options)).map((instance) => complete(instance));
  }

  async state(name: string, options: CallOptions = {}): Promise<InstanceState> {
    return await this.api.get<InstanceState>(`${this.at(name)}/state`, options);
  }

  /** Starts, stops, restarts, freezes or thaws it. */
  async setState(name: string, change: InstanceStateChange, options: ChangeOptions = {}): Promise<void> {
    await this.done(options, async (call) => await this.api.put(`${this.at(name)}/state`, change, call));
  }

  /** Runs a command in it to its end; the deadline, which kills the command, is 30 s unless told. */
  async exec(name: string, command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return await execute(this.api, `${this.at(name)}/exec`, command, options);
  }

  /** @throws BadRequestError when the path is a directory */
  async readFile(name: string, path: string, options: CallOptions = {}): Promise<Buffer> {
    return (await this.api.fetch("GET", this.#file(name, path), {}, options)).body;
  }

  async writeFile(
    name: string,
    path: string,
    content: Buffer | string,
    options: CallOptions & FileAttributes = {},
  ): Promise<void> {
    const { uid = 0, gid = 0, mode = 0o644, ...call } = options;
    const attributes = {
      uid: String(uid),
      gid: String(gid),
      mode: `0${mode.toString(8)}`,
      type: "file",
      write: "overwrite",
    };
    await this.api.upload(this.#file(name, path), Buffer.from(content), headers(attributes), call);
  }

  async removeFile(name: string, path: string, options: CallOptions = {}): Promise<void> {
    await this.api.delete(this.#file(name, path), options);
  }

  #file(name: string, path: string): string {
    return withQuery(`${this.at(name)}/files`, { query: { path } });
  }
}

/** LXD reads `X-LXD-*`, Incus `X-Incus-*`; each ignores the other's. */
function headers(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const both = Object.entries(attributes).flatMap(([key, value]) => [
    [`X-LXD-${key}`, value],
    [`X-Incus-${key}`, value],
  ]);
  return Object.fromEntries(both) as Record<string, string>;
}

/** Of an instance on a member that it cannot reach, LXD lists only name, place and status `Error`: the rest becomes empty. */
function complete<T extends Instance>(instance: T): T {
  if (instance.status_code !== InstanceStatus.error) return instance;
  const { config, devices, profiles, expanded_config, expanded_devices } = instance as {
    -readonly [K in keyof Instance]?: Instance[K] | null;
  };
  return {
    ...instance,
    config: config ?? {},
    devices: devices ?? {},
    profiles: profiles ?? [],
    expanded_config: expanded_config ?? {},
    expanded_devices: expanded_devices ?? {},
  };
}
