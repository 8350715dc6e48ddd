import { BfdEndpoint, BfdSocketError, type SessionOptions, type SessionStatus } from "@trivet/bfd";
import type { AgentConfig } from "../config/schema.ts";
import type { Logger } from "./log.ts";

/** `bfd` is configured on a machine that cannot do it. */
export class BfdUnavailableError extends Error {
  override readonly name = "BfdUnavailableError";
  readonly fault = "input";

  constructor(reason: string) {
    super(`peers with \`bfd\`: BFD cannot run here: ${reason}; install it, or remove \`bfd\` from agent.yaml`);
  }
}

/** Milliseconds before sessions whose sockets could not be opened are tried again: an address may come later. */
const RETRY = 5_000;

/**
 * Watches by BFD the routers that are to be watched, so that one that is dead or unreachable is noticed in a fraction of a second
 * instead of when BGP's hold timer expires.
 */
export class Liveness {
  readonly #log: Logger;
  readonly #lost: (peer: string) => void;
  #endpoint: BfdEndpoint | undefined;
  #wanted: readonly SessionOptions[] = [];
  #retry: NodeJS.Timeout | undefined;

  /** @param lost is told the name of a peer whose session went down by failure, not by intent */
  constructor(log: Logger, lost: (peer: string) => void) {
    this.#log = log;
    this.#lost = lost;
  }

  /** Watches exactly these peers' routers. @throws BfdUnavailableError */
  async watch(peers: AgentConfig["peers"]): Promise<void> {
    this.#wanted = peers.flatMap(({ bfd, name, address, localAddress, ttlSecurity = 1 }) => {
      if (bfd === undefined) return [];
      const local = localAddress === undefined ? {} : { local: localAddress };
      const { multihop = ttlSecurity > 1, ...timers } = bfd;
      return [{ name: name ?? address, peer: address, multihop, ...local, ...timers }];
    });
    if (this.#wanted.length === 0 && this.#endpoint === undefined) return;
    const reason = BfdEndpoint.unavailableReason();
    if (reason !== undefined) throw new BfdUnavailableError(reason);
    this.#endpoint ??= await this.#start();
    await this.#apply();
  }

  async sessions(): Promise<readonly SessionStatus[]> {
    return (await this.#endpoint?.sessions()) ?? [];
  }

  /** Tells the routers first that this is intended, so that they keep the BGP sessions' routes as BGP itself says. */
  async stop(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#endpoint?.stop();
    this.#endpoint = undefined;
  }

  async #start(): Promise<BfdEndpoint> {
    const endpoint = new BfdEndpoint();
    endpoint.on("state", (status, from) => this.#changed(status, from));
    endpoint.on("error", (error) => this.#log.error({ err: error }, "BFD"));
    await endpoint.start();
    return endpoint;
  }

  async #apply(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await this.#endpoint?.setSessions(this.#wanted);
    } catch (error) {
      if (!(error instanceof BfdSocketError)) throw error;
      this.#log.warn(`${error.message}; tried again every ${RETRY / 1000} s`);
      this.#retry = setTimeout(() => void this.#apply(), RETRY);
    }
  }

  #changed({ name, state, diagnostic, remoteState, detectionTime }: SessionStatus, from: string): void {
    if (state === "Up") this.#log.info({ peer: name, detectionTime }, "BFD up");
    if (from !== "Up") return;
    // A router that says it takes the session down on purpose is not dead (RFC 5882 §4.2).
    const meant = state === "AdminDown" || remoteState === "AdminDown";
    this.#log.warn({ peer: name, diagnostic }, meant ? "BFD taken down on purpose" : "BFD down: the router is lost");
    if (!meant) this.#lost(name);
  }
}
