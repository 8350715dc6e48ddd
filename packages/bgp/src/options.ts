import type { Family } from "@trivet/ip";
import type { Route } from "./route.ts";
import type { Role } from "./wire/index.ts";

/** A BGP speaker. Addresses are text, because a link-local one needs its interface: `fe80::1%br-mesh`. */
export interface SpeakerOptions {
  /** The local AS number. */
  readonly asn: number;
  /** The BGP identifier, written as an IPv4 address; unique in the AS. */
  readonly routerId: string;
  /** Where sessions are accepted; nowhere unless told. */
  readonly listen?: readonly ListenOptions[];
  readonly peers?: readonly PeerOptions[];
  /** Whole networks from which sessions are accepted. */
  readonly ranges?: readonly RangeOptions[];
  /**
   * This speaker took over the forwarding state of one that just ended without a NOTIFICATION (see `detach`): its first sessions say
   * so (RFC 4724 §4.1, Restart State bit), and peers keep the old routes until End-of-RIB. Only said within the restart time, and to
   * peers that `setPeers` adds only while End-of-RIB is held.
   */
  readonly restarting?: boolean;
  /**
   * What peers may still keep of a predecessor at this address, of whatever make, leads to where it led (RFC 4724 §3, Forwarding State
   * bit): peers keep it until End-of-RIB. True unless told. False after the machine was booted, when nothing forwards yet: they forget it
   * at once. Counts for the restart time; what this speaker itself announced stays with the peers when a session is lost.
   */
  readonly forwardingKept?: boolean;
  /** No End-of-RIB is sent before {@link Speaker.releaseEndOfRib}: for a speaker that does not know all of its routes yet. */
  readonly holdEndOfRib?: boolean;
}

export interface ListenOptions {
  readonly address: string;
  /** 179 unless told. */
  readonly port?: number;
}

/** What a configured peer and the peers of a range have in common. Times are in seconds. */
export interface SessionOptions {
  /** The peer's AS number. */
  readonly asn: number;
  /** Both unless told; what is exchanged is what both ends name. */
  readonly families?: readonly Family[];
  /** Proposed; the lower of both ends' counts. 0 (never) or at least 3; 90 unless told (RFC 4271 §10). */
  readonly holdTime?: number;
  /** IPv4 routes may have an IPv6 next hop (RFC 8950); false unless told. */
  readonly extendedNextHop?: boolean;
  /** What the *peer* shall do when this speaker restarts (RFC 4724): keep its routes for `restartTime`. Absent: forget them. */
  readonly gracefulRestart?: GracefulRestartOptions;
  /** Prefixes of one family that the peer may announce; the session ends when it announces more (Cease/1). */
  readonly maxPrefix?: number;
  /** What this speaker is to the peer (RFC 9234). */
  readonly role?: Role;
  /** With `role`: a peer that names no role of its own is refused. */
  readonly strictRole?: boolean;
  /**
   * TCP-MD5 (RFC 2385); at most 80 octets in UTF-8. A range's holds for all of its addresses without another: a peer without one in
   * it is not heard when it connects.
   */
  readonly password?: string;
  /** GTSM (RFC 5082): packets from more than this many hops away are dropped; 1 for a neighbour on the same link. */
  readonly ttlSecurity?: number;
  /**
   * What this peer is told of each route: the route, a changed one, or `undefined` for nothing. Must always answer alike for the same
   * route. Peers with the same function share their tables and encoded messages; so do the peers without.
   */
  readonly exports?: ExportPolicy;
  readonly description?: string;
}

export type ExportPolicy = (route: Route) => Route | undefined;

export interface GracefulRestartOptions {
  /** Seconds, 0 to 4095; as short as a restart of this speaker takes, because a dead one's routes linger as long. 30 unless told. */
  readonly restartTime?: number;
}

/** One router. */
export interface PeerOptions extends SessionOptions {
  /** Unique; the address unless told. */
  readonly name?: string;
  /** May be link-local with its interface, `fe80::1%br-mesh`. */
  readonly address: string;
  /** 179 unless told. */
  readonly port?: number;
  /** The local end of outgoing sessions. */
  readonly localAddress?: string;
  /** Seconds between attempts to connect, less up to a quarter (RFC 4271 §10); 5 unless told. */
  readonly connectRetry?: number;
  /** Waits for the peer to connect. */
  readonly passive?: boolean;
}

/** Any router in a network; such a peer exists as long as its session. */
export interface RangeOptions extends SessionOptions {
  readonly prefix: string;
  /** Sessions at the same time; 100 unless told. */
  readonly limit?: number;
}

/** Options with which no speaker can run. The message says which, what is wrong and what is right. */
export class OptionsError extends Error {
  override readonly name = "OptionsError";
  readonly fault = "input";
  /** As `peers[2].holdTime`. */
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`${path} ${reason}`);
    this.path = path;
  }
}
