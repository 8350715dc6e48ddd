import { dirname, join } from "node:path";
import { CeaseReason, type Confirmation, type SessionInfo, Speaker } from "@trivet/bgp";
import type { RouteDiff } from "../announce/diff.ts";
import { findRouterId, peerOptions, speakerOptions } from "../config/convert.ts";
import type { AgentConfig } from "../config/schema.ts";
import type { DrainView } from "../drain/drains.ts";
import type { Logger } from "./log.ts";
import { findStart } from "./restart.ts";
import type { AgentEvents } from "./state.ts";
import { logSessions } from "./telling.ts";

export interface RoutersWorld {
  readonly log: Logger;
  readonly session: (event: AgentEvents["session"][0]) => void;
  /** Told when {@link Routers.confirm} may answer where it did not before. */
  readonly caughtUp: () => void;
}

/** The routers, as far as the agent speaks with them: what they are told, and what they may still hold of its predecessor. */
export class Routers {
  readonly #world: RoutersWorld;
  #speaker: Speaker | undefined;
  /** End-of-RIB may be sent. */
  #complete = false;
  /** Until then routers without a session may hold what this agent's predecessor told them. */
  #held: NodeJS.Timeout | undefined;

  constructor(world: RoutersWorld) {
    this.#world = world;
  }

  /**
   * Listens and connects. End-of-RIB is held until {@link complete}.
   *
   * @param stateFolder for what outlives a reboot of the server
   * @throws RouterIdError, OptionsError, NetworkError
   */
  async start(config: AgentConfig, stateFolder: string | undefined): Promise<void> {
    const { log, session, caughtUp } = this.#world;
    const routerId = await findRouterId(config);
    const start = findStart(
      join(dirname(config.api.socket), "boot-id"),
      stateFolder === undefined ? undefined : join(stateFolder, "boot-id"),
    );
    const speaker = new Speaker({ ...speakerOptions(config, routerId), ...start });
    this.#speaker = speaker;
    speaker.on("session", (event) => {
      session(event);
      if (event.to === "established") caughtUp();
    });
    logSessions(log, speaker);
    await speaker.start();
    const { enabled, restartTime } = config.gracefulRestart;
    if (start.restarting && enabled)
      this.#held = setTimeout(() => {
        this.#held = undefined;
        caughtUp();
      }, restartTime * 1000);
    log.info({ asn: config.asn, routerId, ...start, peers: speaker.sessions().length }, "BGP started");
  }

  tell({ announced, withdrawn }: RouteDiff): void {
    this.#speaker?.update({ announce: announced, withdraw: withdrawn.map(({ prefix }) => prefix) });
  }

  /** All that there is to announce was told: what routers hold beside that they drop. */
  complete(): void {
    this.#complete = true;
    this.#speaker?.releaseEndOfRib();
    this.#world.caughtUp();
  }

  /**
   * Asks all whether they have read what they were told; those without a session have not.
   *
   * @returns nothing while one without may still hold what this agent's predecessor told it
   */
  confirm(): ReadonlyMap<string, Promise<Confirmation>> | undefined {
    const absent = this.sessions().filter(({ state }) => state !== "established");
    if (!this.#complete || (absent.length > 0 && this.#held !== undefined)) return undefined;
    const ended = absent.map(({ peer }): [string, Promise<Confirmation>] => [peer, Promise.resolve("ended")]);
    return new Map([...(this.#speaker?.confirm() ?? []), ...ended]);
  }

  sessions(): SessionInfo[] {
    return this.#speaker?.sessions() ?? [];
  }

  /** How many routers have taken all that they were told. */
  told(): DrainView["told"] {
    const done = this.#established().filter(({ waiting }) => waiting === 0);
    return { sessions: done.length, of: this.sessions().length };
  }

  /** Those that themselves announce one of the prefixes. */
  announcing(prefixes: readonly string[]): string[] {
    const does = ({ peer }: SessionInfo): boolean =>
      [...(this.#speaker?.adjRibIn(peer) ?? [])].some(({ prefix }) => prefixes.includes(prefix.toString()));
    return this.#established()
      .filter(does)
      .map(({ peer }) => peer);
  }

  /** Ends the session with one that BFD lost. */
  lost(peer: string): void {
    this.#speaker?.resetPeer(peer, CeaseReason.BfdDown);
  }

  /** @throws OptionsError, NetworkError; all is as before then */
  reload(config: AgentConfig): void {
    this.#speaker?.setPeers(peerOptions(config));
  }

  /** @param handover routers are to keep the routes for a successor */
  async stop(handover: boolean): Promise<void> {
    clearTimeout(this.#held);
    if (handover) await this.#speaker?.detach();
    else await this.#speaker?.stop("the agent stops");
  }

  #established(): SessionInfo[] {
    return this.sessions().filter(({ state }) => state === "established");
  }
}
