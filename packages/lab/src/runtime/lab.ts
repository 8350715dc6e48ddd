import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunOptions, type RunResult, run } from "../host/run.ts";
import { type LabOptions, type Topology, topology } from "../topology/topology.ts";
import { LabError } from "./lab-error.ts";
import { Places } from "./places.ts";
import { Server } from "./server.ts";

interface State {
  readonly options: LabOptions;
  /** Keys of the steps of `up` that are complete. */
  readonly done: readonly string[];
}

/** A lab on this machine: its plan, its servers and namespaces, and what `up` has completed. */
export class Lab {
  readonly topology: Topology;
  readonly places: Places;
  readonly servers: readonly Server[];
  #state: State;

  private constructor(state: State) {
    this.#state = state;
    this.topology = topology(state.options);
    this.places = new Places(state.options.name);
    this.servers = this.topology.servers.map((plan) => new Server(plan, this.topology, this.places));
  }

  /** Records a new lab; nothing of it exists yet. */
  static create(options: LabOptions): Lab {
    const lab = new Lab({ options, done: [] });
    mkdirSync(lab.places.logs, { recursive: true });
    lab.#save();
    return lab;
  }

  /**
   * The lab of that name.
   *
   * @throws LabError when there is none
   */
  static open(name: string): Lab {
    const lab = Lab.find(name);
    if (lab === undefined) throw new LabError(`there is no lab ${name}`, "`trivet lab up` makes one");
    return lab;
  }

  static find(name: string): Lab | undefined {
    const { stateFile } = new Places(name);
    return existsSync(stateFile) ? new Lab(JSON.parse(readFileSync(stateFile, "utf8")) as State) : undefined;
  }

  get name(): string {
    return this.places.lab;
  }

  /** @throws LabError when the lab has no such server */
  server(name: string): Server {
    const server = this.servers.find((s) => s.name === name);
    if (server === undefined)
      throw new LabError(`no server ${name}`, `this lab has ${this.servers.map((s) => s.name).join(", ")}`);
    return server;
  }

  /** The first server: where what concerns the whole cluster is run. */
  get first(): Server {
    return this.servers[0] as Server;
  }

  /** Bytes of memory that its servers and their instances hold, page cache not counted. */
  async memory(): Promise<number> {
    const each = await Promise.all(this.servers.map(async (server) => await server.memory()));
    return each.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The command line that runs `argv` in one of the lab's namespaces: `fabric`, `client` or a provider. */
  argv(part: string, argv: readonly string[]): [string, ...string[]] {
    return ["nsenter", `--net=/run/netns/${this.places.namespace(part)}`, ...argv];
  }

  /** Runs a command in one of the lab's namespaces: `fabric`, `client` or a provider. */
  async exec(part: string, argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return await run(this.argv(part, argv), options);
  }

  /** The command line of an ssh session to a server, from the workstation on INFRA-HOSTS. */
  sshArgv(server: string, command: readonly string[] = []): [string, ...string[]] {
    const key = join(this.places.folder, "ssh", "id_ed25519");
    const known = join(this.places.folder, "ssh", "known_hosts");
    const options = [`UserKnownHostsFile=${known}`, "StrictHostKeyChecking=accept-new", "LogLevel=ERROR"];
    const { hosts4 } = this.server(server).plan;
    const flags = ["-F", "/dev/null", "-i", key, ...options.flatMap((option) => ["-o", option])];
    return this.argv("fabric", ["ssh", ...flags, `root@${hosts4}`, ...command]);
  }

  /** Records that it is to have more of a cluster. */
  furnish(layers: Pick<LabOptions, "bare" | "ceph">): Lab {
    this.#state = { ...this.#state, options: { ...this.#state.options, ...layers } };
    this.#save();
    return new Lab(this.#state);
  }

  isDone(step: string): boolean {
    return this.#state.done.includes(step);
  }

  markDone(step: string): void {
    this.#state = { ...this.#state, done: [...new Set([...this.#state.done, step])] };
    this.#save();
  }

  #save(): void {
    const draft = `${this.places.stateFile}.new`;
    writeFileSync(draft, `${JSON.stringify(this.#state, null, 2)}\n`);
    renameSync(draft, this.places.stateFile);
  }
}
