import { EventEmitter } from "node:events";
import type { Family, Prefix } from "@trivet/ip";
import type { Clock } from "./clock.ts";
import type { Network } from "./network.ts";
import type { PeerOptions, RangeOptions, SpeakerOptions } from "./options.ts";
import type { Route, RouteChange } from "./route.ts";
import type { SessionInfo, SpeakerEvents } from "./session-info.ts";
import type { PathAttributes } from "./wire/index.ts";

/** A route as a peer sent it. */
export interface ReceivedRoute {
  readonly prefix: Prefix;
  readonly nextHop: import("@trivet/ip").Address;
  readonly attributes: PathAttributes;
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
  /** @throws OptionsError */
  constructor(options: SpeakerOptions, world: { readonly clock?: Clock; readonly network?: Network } = {}) {
    super();
    void [options, world];
  }

  /**
   * Listens and connects. Resolves when all listeners are bound; sessions come up later (event `session`).
   *
   * @throws NetworkError when an address cannot be listened on
   */
  async start(): Promise<void> {}

  /**
   * Ends all sessions with Cease/Administrative Shutdown (wrapped in a Hard Reset where the peer would keep the routes otherwise)
   * and closes everything. Peers forget the routes at once: `drain` first to move traffic away without loss.
   *
   * @param reason told to the peers' operators (RFC 9003); at most 255 octets
   */
  async stop(reason?: string): Promise<void> {
    void reason;
  }

  /**
   * Closes everything without a NOTIFICATION: peers with graceful restart keep the routes for the restart time, for a successor
   * started with `restarting`.
   */
  async detach(): Promise<void> {}

  /** Announces exactly these routes from now on: what differs from before is sent, everything else is not. */
  announce(routes: Iterable<Route>): void {
    void routes;
  }

  /** Announces and withdraws some routes; the others stay. */
  update(change: RouteChange): void {
    void change;
  }

  /** All routes were announced: End-of-RIB may be sent, now and in later sessions (see `holdEndOfRib`). */
  releaseEndOfRib(): void {}

  /**
   * Graceful shutdown (RFC 8326): announces all routes again with the community GRACEFUL_SHUTDOWN and, within the AS, local
   * preference 0, so that routers move to other paths while these still work. {@link undrain} takes that back.
   */
  drain(): void {}

  undrain(): void {}

  /** Makes these the peers: the new are started, the missing stopped (Cease/3), the changed restarted (Cease/6) where needed. */
  setPeers(peers: readonly PeerOptions[], ranges?: readonly RangeOptions[]): void {
    void [peers, ranges];
  }

  /**
   * Ends one peer's session with a Cease and lets it come up again.
   *
   * @param subcode of `CeaseReason`; Administrative Reset unless told. BFD Down is for a peer that BFD lost.
   */
  resetPeer(peer: string, subcode?: number, text?: string): void {
    void [peer, subcode, text];
  }

  /** Asks a peer for all of its routes again (RFC 2918). @returns false when the session cannot */
  refresh(peer: string, family: Family): boolean {
    void [peer, family];
    return false;
  }

  sessions(): SessionInfo[] {
    return [];
  }

  /** What a peer announces. It is only kept to be seen. */
  *adjRibIn(peer: string): Generator<ReceivedRoute> {
    void peer;
  }

  /** What is announced to a peer, as it is told: after its export policy, with the session's next hop and AS path. */
  *adjRibOut(peer: string): Generator<ReceivedRoute> {
    void peer;
  }

  /** Where it listens, with the ports that were given by the system for port 0. */
  listening(): { address: string; port: number }[] {
    return [];
  }
}
