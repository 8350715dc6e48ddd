import { BfdEndedError, BfdEndpoint, BfdSocketError, type SessionOptions, type SessionStatus } from "@trivet/bfd";
import type { AgentConfig } from "../config/schema.ts";
import type { Path } from "../gateway/paths.ts";
import type { Logger } from "./log.ts";

/** `bfd` is configured on a machine that cannot do it. */
export class BfdUnavailableError extends Error {
  override readonly name = "BfdUnavailableError";
  readonly fault = "input";

  constructor(reason: string) {
    super(`peers with \`bfd\`: BFD cannot run here: ${reason}; install it, or remove \`bfd\` from agent.yaml`);
  }
}

/** Milliseconds before what failed is tried again: an address may come later. */
const RETRY = 5_000;

export interface LivenessWorld {
  readonly log: Logger;
  /** Told the name of a peer whose session went down by failure, not by intent. */
  readonly routerLost: (peer: string) => void;
  /** Told what is seen of a way to another server; `unknown` when its other end takes it down on purpose. */
  readonly pathSeen: (path: Path, state: "up" | "lost" | "unknown") => void;
}

/**
 * Watches by BFD the routers that are to be watched, and the other servers, so that one that is dead or unreachable is noticed in a
 * fraction of a second instead of when BGP's hold timer expires, or OVN or LXD notice it.
 */
export class Liveness {
  readonly #world: LivenessWorld;
  #endpoint: BfdEndpoint | undefined;
  #routers: readonly SessionOptions[] = [];
  #paths: readonly Path[] = [];
  #failure: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Changes are made one after the other. */
  #work: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(world: LivenessWorld) {
    this.#world = world;
  }

  /** @throws BfdUnavailableError when these peers' routers cannot be watched */
  check(peers: AgentConfig["peers"]): void {
    const reason = peers.every(({ bfd }) => bfd === undefined) ? undefined : BfdEndpoint.unavailableReason();
    if (reason !== undefined) throw new BfdUnavailableError(reason);
  }

  /** Watches exactly these peers' routers. @throws BfdUnavailableError */
  async watchRouters(peers: AgentConfig["peers"]): Promise<void> {
    this.check(peers);
    this.#routers = peers.flatMap(({ bfd, name, address, localAddress, ttlSecurity = 1 }) => {
      if (bfd === undefined) return [];
      const local = localAddress === undefined ? {} : { local: localAddress };
      const { multihop = ttlSecurity > 1, ...timers } = bfd;
      return [{ name: name ?? address, peer: address, multihop, ...local, ...timers }];
    });
    await this.#apply();
  }

  /** Watches exactly these ways to other servers, where BFD can run. */
  async watchServers(paths: readonly Path[]): Promise<void> {
    const reason = paths.length === 0 ? undefined : BfdEndpoint.unavailableReason();
    if (reason !== undefined) this.#world.log.warn(`other servers are not watched: BFD cannot run here: ${reason}`);
    this.#paths = reason === undefined ? paths : [];
    await this.#apply();
  }

  async sessions(): Promise<readonly SessionStatus[]> {
    return (await this.#endpoint?.sessions()) ?? [];
  }

  /** Tells all first that this is intended, so that they keep the BGP sessions' routes as BGP itself says. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#work;
    await this.#endpoint?.stop();
    this.#endpoint = undefined;
  }

  async #start(): Promise<BfdEndpoint> {
    const endpoint = new BfdEndpoint();
    endpoint.on("state", (status, from) => this.#changed(status, from));
    endpoint.on("error", (error) => {
      this.#world.log.error({ err: error }, "BFD");
      if (error instanceof BfdEndedError && this.#endpoint === endpoint) this.#ended();
    });
    await endpoint.start();
    const reason = endpoint.ordinaryPriority;
    if (reason !== undefined)
      this.#world.log.info(`BFD waits for its turn when the processors are busy: no real-time priority: ${reason}`);
    return endpoint;
  }

  async #apply(): Promise<void> {
    const before = this.#work;
    const work = (async (): Promise<void> => {
      await before;
      if (!this.#stopped) await this.#set();
    })();
    // Who waits for it is told of its failure; what comes after it is not kept by it.
    this.#work = work.catch(() => undefined);
    await work;
  }

  async #set(): Promise<void> {
    clearTimeout(this.#retry);
    const wanted = [...this.#routers, ...this.#paths.map(({ server: _, ...session }) => session)];
    if (wanted.length === 0 && this.#endpoint === undefined) return;
    this.#endpoint ??= await this.#start();
    try {
      await this.#endpoint.setSessions(wanted);
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof BfdSocketError)) throw error;
      if (error.message !== this.#failure)
        this.#world.log.warn(`${error.message}; tried again every ${RETRY / 1000} s`);
      this.#failure = error.message;
      this.#again();
    }
  }

  /** Nothing is watched any more, which says nothing of anybody. */
  #ended(): void {
    this.#endpoint = undefined;
    for (const path of this.#paths) this.#world.pathSeen(path, "unknown");
    this.#again();
  }

  #again(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#apply().catch((error: unknown) => {
        this.#world.log.error({ err: error }, "BFD");
        this.#again();
      });
    }, RETRY);
  }

  #changed({ name, state, diagnostic, remoteState, detectionTime }: SessionStatus, from: string): void {
    const { log, pathSeen, routerLost } = this.#world;
    const path = this.#paths.find((one) => one.name === name);
    const what = path === undefined ? { peer: name } : { server: path.server, at: path.peer };
    if (state === "Up") {
      log.info({ ...what, detectionTime }, "BFD up");
      if (path !== undefined) pathSeen(path, "up");
    }
    if (from !== "Up") return;
    // Who says that it takes the session down on purpose is not dead (RFC 5882 §4.2).
    const meant = state === "AdminDown" || remoteState === "AdminDown";
    log.warn({ ...what, diagnostic }, meant ? "BFD taken down on purpose" : "BFD down: it is lost");
    if (path !== undefined) pathSeen(path, meant ? "unknown" : "lost");
    else if (!meant) routerLost(name);
  }
}
