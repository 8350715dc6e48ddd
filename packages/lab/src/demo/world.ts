import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { PUBLIC, SimulatedCluster } from "../sim/index.ts";
import { Agent, type AgentConfig, type AgentEndedError, type Command } from "./agents.ts";
import { NotInTimeError } from "./claims.ts";
import { Collector, HOLD_TIME } from "./collector.ts";
import { Expectation, differences } from "./expectation.ts";

/** Milliseconds after which something that was to happen is said not to have happened. */
const PATIENCE = 45_000;
const AGENT_ASN = 65_010;
/** `trivet-demo-<pid>-…`: what a demo that was killed left can be told from what is in use. */
const FOLDER = /^trivet-demo-(\d+)-/;

/** Everything the story plays with: the simulated cluster, an agent for each server, two routers, and what they should know. */
export class World implements AsyncDisposable {
  readonly cluster: SimulatedCluster;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly routers: readonly Collector[];
  readonly expected: Expectation;
  readonly #folder: string;
  readonly #signal: AbortSignal;

  private constructor(
    cluster: SimulatedCluster,
    routers: readonly Collector[],
    command: Command,
    folder: string,
    signal: AbortSignal,
  ) {
    this.cluster = cluster;
    this.routers = routers;
    this.expected = new Expectation(cluster.scene);
    this.#folder = folder;
    this.#signal = signal;
    this.agents = new Map(
      this.servers.map((server) => [server, new Agent(server, command, folder, this.#configOf(server))]),
    );
  }

  /**
   * Starts the cluster and the routers; the agents are ready to be started.
   *
   * @param command runs `trivet`
   * @param signal ends every wait
   */
  static async create(command: Command, signal: AbortSignal): Promise<World> {
    removeLeftovers();
    const folder = mkdtempSync(join(tmpdir(), `trivet-demo-${process.pid}-`));
    const open: AsyncDisposable[] = [];
    try {
      const cluster = await SimulatedCluster.start({ folder });
      open.push(cluster);
      const addresses = ["127.0.0.1", hasIpv6Loopback() ? "::1" : "127.0.0.1"];
      const routers: Collector[] = [];
      for (const [index, address] of addresses.entries()) {
        const options = {
          address,
          routerId: `198.51.100.${index + 2}`,
          servers: cluster.scene.servers,
          agentAsn: AGENT_ASN,
        };
        const router = await Collector.start(`router${index + 1}`, options);
        open.push({ [Symbol.asyncDispose]: async () => await router.stop() });
        routers.push(router);
      }
      return new World(cluster, routers, command, folder, signal);
    } catch (error) {
      for (const one of open) await one[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get servers(): readonly string[] {
    return this.cluster.scene.servers;
  }

  /** Path of an agent's API socket. */
  socket(server: string): string {
    return join(this.#folder, `${server}.agent.sock`);
  }

  agent(server: string): Agent {
    return this.agents.get(server) as Agent;
  }

  /**
   * Waits until `missing` finds nothing missing any more; it is asked again whenever a router learns something.
   *
   * @returns the milliseconds since `since`
   * @throws NotInTimeError with what was missing; AgentEndedError when an agent ends that should run
   */
  async until(missing: () => readonly string[], since = performance.now()): Promise<number> {
    return await this.#watch(() => {
      const all = missing();
      return all.length === 0 ? undefined : summary(all);
    }, since);
  }

  /** Waits until each router has from each server exactly what is expected. */
  async settled(since = performance.now()): Promise<number> {
    return await this.until(() => this.differences(), since);
  }

  /** What is not as expected, anywhere. */
  differences(): string[] {
    return this.routers.flatMap((router) =>
      this.servers.flatMap((server) =>
        differences(this.expected.routes(server), router.routes(server)).map(
          (what) => `${router.name}, from ${server}: ${what}`,
        ),
      ),
    );
  }

  /** How many routes all routers have, counted once for each server that announces them. */
  count(): number {
    return Math.min(
      ...this.routers.map((router) => this.servers.reduce((sum, server) => sum + router.routes(server).size, 0)),
    );
  }

  /** Waits until a server's LXD sees a client give up on an answer. */
  async abandoned(server: string): Promise<void> {
    const { cluster } = this;
    let onAbandoned: (request: { readonly server: string }) => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      onAbandoned = (request) => {
        if (request.server === server) resolve();
      };
    });
    cluster.on("abandoned", onAbandoned);
    try {
      await this.#race(done, () => `the agent of ${server} asked nothing of its LXD`);
    } finally {
      cluster.off("abandoned", onAbandoned);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.agents.values()].map(async (agent) => await agent.kill()));
    await Promise.all(this.routers.map(async (router) => await router.stop()));
    await this.cluster.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #watch(missing: () => string | undefined, since: number): Promise<number> {
    let look: () => void = () => undefined;
    const done = new Promise<number>((resolve) => {
      look = () => {
        if (missing() === undefined) resolve(performance.now() - since);
      };
    });
    for (const router of this.routers) router.on("routes", look);
    try {
      look();
      return await this.#race(done, () => missing() ?? "nothing");
    } finally {
      for (const router of this.routers) router.off("routes", look);
    }
  }

  /** The promise, unless time is over, the story is to end, or an agent ends by itself before. */
  async #race<T>(promise: Promise<T>, missing: () => string): Promise<T> {
    const ended = new AbortController();
    const onEnd = (error: AgentEndedError): void => ended.abort(error);
    for (const agent of this.agents.values()) {
      if (agent.failure !== undefined) onEnd(agent.failure);
      agent.once("ended", onEnd);
    }
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new NotInTimeError(missing(), PATIENCE, this.#complaints())), PATIENCE);
    const signal = AbortSignal.any([this.#signal, ended.signal, late.signal]);
    try {
      return await Promise.race([promise, rejection(signal)]);
    } finally {
      clearTimeout(timer);
      for (const agent of this.agents.values()) agent.off("ended", onEnd);
    }
  }

  /** What the agents' logs say was wrong last. */
  #complaints(): string[] {
    return [...this.agents.values()].flatMap((agent) => {
      const complaint = agent.lastComplaint();
      return complaint === undefined ? [] : [`the agent of ${agent.server} said: ${complaint}`];
    });
  }

  #configOf(server: string): AgentConfig {
    const index = this.servers.indexOf(server);
    return {
      server,
      asn: AGENT_ASN,
      routerId: `192.0.2.${index + 1}`,
      peers: this.routers.map((router) => ({
        name: router.name,
        address: router.address,
        port: router.port(server),
        asn: router.asn,
        holdTime: HOLD_TIME,
      })),
      allow: [PUBLIC.v4, PUBLIC.v6],
      uplinks: [this.cluster.scene.uplink.name],
      // Short, so that the story need not wait for an agent to notice that LXD hangs.
      lxd: { socket: this.cluster.socket(server), timeout: 2, resync: 2 },
      // The addresses that the simulated LXD has for its servers are nobody's.
      gateway: { watch: false },
      api: {
        socket: this.socket(server),
        tls: { enabled: false },
        servers: Object.fromEntries(this.servers.map((name) => [name, this.socket(name)])),
      },
    };
  }
}

/** Rejects when the signal fires. */
async function rejection(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}

function summary(all: readonly string[]): string {
  return all.length <= 2 ? all.join("; ") : `${all[0]}; and ${all.length - 1} more`;
}

function hasIpv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1") === true);
}

function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
