import { EventEmitter } from "node:events";
import { type Family, parseScoped } from "@trivet/ip";
import { type Clock, systemClock } from "./clock.ts";
import type {
  Connection,
  ConnectionHandler,
  Endpoint,
  Listener,
  Network,
  Protections,
  SocketProtection,
} from "./network.ts";
import { type PeerOptions, type RangeOptions, type SpeakerOptions } from "./options.ts";
import {
  type ResolvedPeer,
  type ResolvedRange,
  type ResolvedSpeaker,
  memberOf,
  resolvePeers,
  resolveRanges,
  resolveSpeaker,
} from "./resolve.ts";
import type { PeerRoute } from "./rib/adj-rib-in.ts";
import { AdjRibOut } from "./rib/adj-rib-out.ts";
import type { Route, RouteChange } from "./route.ts";
import type { Confirmation } from "./session/confirmations.ts";
import { Peer, type PeerWorld } from "./session/peer.ts";
import type { SessionInfo, SpeakerEvents } from "./session-info.ts";
import { nodeNetwork } from "./socket/node-network.ts";
import { CeaseReason, INITIAL_CONTEXT, type NotificationMessage, cease, encodeMessage } from "./wire/index.ts";

/** What a speaker stands on; the real ones unless told. */
export interface SpeakerWorld {
  readonly clock?: Clock;
  readonly network?: Network;
  /** From 0 to 1, for the jitter of timers. */
  readonly random?: () => number;
}

/**
 * A BGP speaker that announces its own routes and passes nothing on.
 *
 * ```ts
 * const speaker = new Speaker({ asn: 65001, routerId: "192.0.2.1", peers: [{ address: "192.0.2.254", asn: 65000 }] });
 * speaker.announce([{ prefix: Prefix.parse("203.0.113.0/24") }]);
 * await speaker.start();
 * ```
 */
export class Speaker extends EventEmitter<SpeakerEvents> {
  readonly #options: ResolvedSpeaker;
  readonly #network: Network;
  readonly #world: PeerWorld;
  readonly #ribOut: AdjRibOut;
  readonly #peers = new Map<string, Peer>();
  #ranges: readonly ResolvedRange[];
  #listeners: Listener[] = [];
  #protections: Protections = new Map();
  #state: "new" | "running" | "stopped" = "new";
  #draining = false;
  #startedAt: number;
  #endOfRibHeld: boolean;
  /** Connections whose last octets are under way. */
  readonly #closing = new Set<Promise<void>>();

  /** @throws OptionsError */
  constructor(
    options: SpeakerOptions,
    { clock = systemClock, network = nodeNetwork, random = Math.random }: SpeakerWorld = {},
  ) {
    super();
    this.#options = resolveSpeaker(options);
    this.#network = network;
    this.#endOfRibHeld = this.#options.holdEndOfRib;
    this.#startedAt = clock.elapsed();
    this.#ribOut = new AdjRibOut((callback) => clock.soon(callback));
    this.#world = {
      speaker: this.#options,
      clock,
      network,
      random,
      ribOut: this.#ribOut,
      emit: (event, ...args) => {
        // The tuple of each event is checked where `emit` is called; the emitter's own type cannot follow a generic name.
        (this as EventEmitter).emit(event, ...args);
      },
      start: {
        forwardingKept: this.#options.forwardingKept,
        restarting: () => this.#options.restarting && (this.#state === "new" || this.#endOfRibHeld),
        running: () => clock.elapsed() - this.#startedAt,
      },
      draining: () => this.#draining,
      endOfRibHeld: () => this.#endOfRibHeld,
      closing: (closed) => {
        this.#closing.add(closed);
        void closed.then(() => this.#closing.delete(closed));
      },
      gone: (peer) => {
        if (this.#peers.get(peer.name) !== peer) return;
        this.#peers.delete(peer.name);
        peer.stop("the session is over");
      },
    };
    const protection = network.protectionUnavailable();
    for (const peer of resolvePeers(options.peers ?? [], protection))
      this.#peers.set(peer.name, new Peer(peer, this.#world));
    this.#ranges = resolveRanges(options.ranges ?? [], protection);
  }

  /**
   * Listens and connects. Resolves when all listeners are bound; sessions come up later (event `session`).
   *
   * @throws NetworkError when an address cannot be listened on; nothing is left open then
   */
  async start(): Promise<void> {
    this.#state = "running";
    this.#startedAt = this.#world.clock.elapsed();
    try {
      const peers = [...this.#peers.values()].map(({ options }) => options);
      this.#protections = protectionsOf(peers, this.#ranges);
      for (const at of this.#options.listen) {
        const accept = (connection: Connection): ConnectionHandler => this.#accept(connection);
        this.#listeners.push(await this.#network.listen(at, accept, this.#protections));
      }
    } catch (error) {
      await this.detach();
      throw error;
    }
    for (const peer of this.#peers.values()) peer.start();
  }

  /**
   * Ends all sessions with Cease/Administrative Shutdown (wrapped in a Hard Reset where the peer would keep the routes otherwise)
   * and closes everything. Peers forget the routes at once: `drain` first to move traffic away without loss.
   *
   * @param reason told to the peers' operators (RFC 9003); at most 255 octets
   */
  async stop(reason?: string): Promise<void> {
    await this.#end(reason ?? "shut down", cease(CeaseReason.AdministrativeShutdown, reason));
  }

  /**
   * Closes everything without a NOTIFICATION: peers with graceful restart keep the routes for the restart time, for a successor
   * started with `restarting`.
   */
  async detach(): Promise<void> {
    await this.#end("detached", undefined);
  }

  /**
   * Announces exactly these routes from now on: what differs from before is sent, everything else is not.
   *
   * @throws RouteError; the routes before the faulty one are taken, and none is withdrawn
   */
  announce(routes: Iterable<Route>): void {
    this.#ribOut.replace(routes);
  }

  /**
   * Announces and withdraws some routes; the others stay.
   *
   * @throws RouteError; the withdrawals and the routes before the faulty one are taken
   */
  update(change: RouteChange): void {
    this.#ribOut.change(change);
  }

  /** All routes were announced: End-of-RIB may be sent, now and in later sessions (see `holdEndOfRib`). */
  releaseEndOfRib(): void {
    this.#ribOut.flush();
    this.#endOfRibHeld = false;
    for (const peer of this.#peers.values()) peer.releaseEndOfRib();
  }

  /**
   * Graceful shutdown (RFC 8326): announces all routes again with the community GRACEFUL_SHUTDOWN and, within the AS, local
   * preference 0, so that routers move to other paths while these still work. {@link undrain} takes that back.
   */
  drain(): void {
    this.#setDraining(true);
  }

  undrain(): void {
    this.#setDraining(false);
  }

  /**
   * Makes these the peers: the new are started, the missing stopped (Cease/3), the changed restarted (Cease/6) where needed.
   *
   * @throws OptionsError, or NetworkError when the system refuses a password; the peers are as before then
   */
  setPeers(peers: readonly PeerOptions[], ranges: readonly RangeOptions[] = []): void {
    const protection = this.#network.protectionUnavailable();
    const wanted = new Map(resolvePeers(peers, protection).map((peer) => [peer.name, peer]));
    const resolved = resolveRanges(ranges, protection);
    // First what may refuse. A session keeps the key it began with, so its last word is still heard.
    this.#protect(protectionsOf(wanted.values(), resolved));
    this.#ranges = resolved;
    for (const [name, peer] of this.#peers) {
      const { dynamic, address, port } = peer.options;
      const range = dynamic ? this.#rangeOf(address) : undefined;
      const options = wanted.get(name) ?? (range && memberOf(range, address, port));
      if (options !== undefined && sameSession(peer.options, options)) {
        peer.adopt(options);
        wanted.delete(name);
        continue;
      }
      this.#peers.delete(name);
      if (options === undefined) peer.stop("no peer any more", cease(CeaseReason.PeerDeconfigured));
      else peer.stop("its configuration changed", cease(CeaseReason.OtherConfigurationChange));
    }
    for (const options of wanted.values()) {
      const peer = new Peer(options, this.#world);
      this.#peers.set(options.name, peer);
      if (this.#state === "running") peer.start();
    }
  }

  /**
   * Ends one peer's session with a Cease and lets it come up again.
   *
   * @param subcode of `CeaseReason`; Administrative Reset unless told. BFD Down is for a peer that BFD lost.
   */
  resetPeer(peer: string, subcode: number = CeaseReason.AdministrativeReset, text?: string): void {
    this.#peers.get(peer)?.reset(cease(subcode, text));
  }

  /** Asks a peer for all of its routes again (RFC 2918). @returns false when the session cannot */
  refresh(peer: string, family: Family): boolean {
    return this.#peers.get(peer)?.requestRefresh(family) ?? false;
  }

  /**
   * Asks every peer with a session whether it has read all that was announced and withdrawn until now, by the order in which it answers
   * (RFC 7313); not before End-of-RIB was sent. A peer without enhanced route refresh, or with so many routes of its own that they had
   * better not be sent again, is unable to say.
   *
   * @returns by peer; settled at the latest when its session ends
   */
  confirm(): ReadonlyMap<string, Promise<Confirmation>> {
    this.#ribOut.flush();
    const asked = new Map<string, Promise<Confirmation>>();
    for (const [name, peer] of this.#peers) {
      const confirmation = peer.confirm();
      if (confirmation !== undefined) asked.set(name, confirmation);
    }
    return asked;
  }

  sessions(): SessionInfo[] {
    return [...this.#peers.values()].map((peer) => peer.info());
  }

  /** What a peer announces. It is only kept to be seen. */
  *adjRibIn(peer: string): Generator<PeerRoute> {
    yield* this.#peers.get(peer)?.ribIn.routes() ?? [];
  }

  /** What is announced to a peer, as it is told: after its export policy, with the session's next hop and AS path. */
  *adjRibOut(peer: string): Generator<PeerRoute> {
    for (const { prefix, rendered } of this.#peers.get(peer)?.sender?.group?.routes() ?? [])
      yield { prefix, nextHop: rendered.nextHop, attributes: rendered.attributes };
  }

  /** Where it listens, with the ports that were given by the system for port 0. */
  listening(): Endpoint[] {
    return this.#listeners.map(({ local }) => local);
  }

  #accept(connection: Connection): ConnectionHandler {
    const { address, port } = connection.remote;
    const peer = this.#state === "running" ? this.#peerAt(address, port) : "this speaker is stopping";
    if (typeof peer !== "string") return peer.accept(connection);
    this.#world.emit("refused", { address, reason: peer });
    connection.write([encodeMessage(cease(CeaseReason.ConnectionRejected), INITIAL_CONTEXT)]);
    this.#world.closing(connection.end());
    return { connected: ignore, data: ignore, drained: ignore, closed: ignore };
  }

  /** The peer with an address, made if it is a member of a range; else why there is none. */
  #peerAt(address: string, port: number): Peer | string {
    for (const peer of this.#peers.values()) if (peer.options.address === address) return peer;
    const range = this.#rangeOf(address);
    if (range === undefined) return "no peer or range has this address";
    const members = [...this.#peers.values()].filter(
      ({ options }) => options.dynamic && this.#rangeOf(options.address) === range,
    );
    if (members.length >= range.limit) return `the range ${range.prefix.toString()} is full: ${range.limit} sessions`;
    const peer = new Peer(memberOf(range, address, port), this.#world);
    this.#peers.set(peer.name, peer);
    peer.start();
    return peer;
  }

  #rangeOf(text: string): ResolvedRange | undefined {
    const { address } = parseScoped(text);
    return this.#ranges
      .filter(({ prefix }) => prefix.contains(address))
      .reduce<ResolvedRange | undefined>(
        (best, range) => (best === undefined || range.prefix.length > best.prefix.length ? range : best),
        undefined,
      );
  }

  /** At all listeners, or at none. @throws NetworkError */
  #protect(protections: Protections): void {
    const before = this.#protections;
    try {
      for (const listener of this.#listeners) listener.protect(protections);
      this.#protections = protections;
    } catch (error) {
      for (const listener of this.#listeners) listener.protect(before);
      throw error;
    }
  }

  #setDraining(draining: boolean): void {
    if (this.#draining === draining) return;
    this.#draining = draining;
    for (const peer of this.#peers.values()) peer.rejoin();
  }

  async #end(reason: string, notification: NotificationMessage | undefined): Promise<void> {
    this.#state = "stopped";
    this.#ribOut.flush();
    for (const peer of this.#peers.values()) peer.stop(reason, notification);
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.all([...listeners.map(async (listener) => listener.close()), ...this.#closing]);
  }
}

function ignore(): void {}

function protectionsOf(peers: Iterable<ResolvedPeer>, ranges: readonly ResolvedRange[]): Protections {
  const protections = new Map<string, SocketProtection>();
  for (const options of peers) protections.set(options.address, options);
  for (const { prefix, options } of ranges) protections.set(prefix.toString(), options);
  return protections;
}

/** True when an established session can go on under the other options. */
function sameSession(a: ResolvedPeer, b: ResolvedPeer): boolean {
  const essence = (peer: ResolvedPeer): string => {
    const rest = { ...peer, exports: undefined, description: undefined, maxPrefix: undefined, connectRetry: undefined };
    return JSON.stringify(Object.entries(rest).toSorted(([x], [y]) => (x < y ? -1 : 1)));
  };
  return essence(a) === essence(b);
}
