import type { Family } from "@trivet/ip";
import type { Message, NotificationMessage, Role, UpdateMessage, UpdateProblem } from "./wire/index.ts";

/** RFC 4271 §8.2.2. */
export type SessionState = "idle" | "connect" | "active" | "open-sent" | "open-confirm" | "established";

/** What both OPENs agreed on. */
export interface Negotiated {
  readonly asn: number;
  readonly routerId: string;
  /** Seconds; 0 for no hold timer. */
  readonly holdTime: number;
  readonly keepalive: number;
  readonly families: readonly Family[];
  readonly fourOctetAs: boolean;
  readonly extendedNextHop: boolean;
  /** The peer has the capability, asked for or not: GoBGP then uses it without waiting for this end's. */
  readonly peerExtendedNextHop: boolean;
  readonly extendedMessage: boolean;
  readonly routeRefresh: boolean;
  readonly enhancedRefresh: boolean;
  /** Both ends' NOTIFICATIONs leave routes in place, except a Hard Reset (RFC 8538). */
  readonly gracefulNotification: boolean;
  /** What the peer said of its own restarts; absent without the capability. */
  readonly peerRestart?: {
    readonly restarting: boolean;
    readonly restartTime: number;
    readonly families: readonly Family[];
  };
  /** What the peer is to this speaker. */
  readonly role?: Role;
}

/** Why a session is not, or no longer, established. */
export interface SessionFailure {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** For people, in one line. */
  readonly reason: string;
  /** The NOTIFICATION, where one was sent or received. */
  readonly notification?: { readonly direction: "sent" | "received"; readonly code: number; readonly subcode: number };
}

export type MessageCounters = Readonly<Record<Message["kind"], number>>;

/** One peer, as it is now. */
export interface SessionInfo {
  readonly peer: string;
  readonly address: string;
  readonly asn: number;
  readonly description?: string;
  /** A member of a range. */
  readonly dynamic: boolean;
  readonly state: SessionState;
  /** When it came into this state: milliseconds since 1970. */
  readonly since: number;
  readonly local?: string;
  /** While established. */
  readonly negotiated?: Negotiated;
  /** Times the session was established. */
  readonly established: number;
  readonly lastFailure?: SessionFailure;
  readonly received: MessageCounters;
  readonly sent: MessageCounters;
  /** Prefixes that the peer announces. */
  readonly prefixesReceived: Readonly<Record<Family, number>>;
  /** Prefixes announced to the peer; it may not have read all of them yet. */
  readonly prefixesSent: Readonly<Record<Family, number>>;
  /** Prefixes that cannot be told to this peer: no next hop of a family that it takes, or too many attributes for a message. */
  readonly unsendable: Readonly<Record<Family, number>>;
  /** Octets waiting for the peer to read. */
  readonly waiting: number;
  /** The families whose End-of-RIB came. */
  readonly endOfRib: readonly Family[];
}

/** What a speaker tells its listeners, by event name. */
export interface SpeakerEvents {
  session: [
    event: { readonly peer: string; readonly from: SessionState; readonly to: SessionState; readonly reason?: string },
  ];
  /** The peer announced or withdrew routes. */
  update: [event: { readonly peer: string; readonly update: UpdateMessage }];
  endOfRib: [event: { readonly peer: string; readonly family: Family }];
  notification: [
    event: {
      readonly peer: string;
      readonly direction: "sent" | "received";
      readonly message: NotificationMessage;
      readonly text: string;
    },
  ];
  /** The peer asked for all routes again. */
  refresh: [event: { readonly peer: string; readonly family: Family }];
  /** The peer broke the protocol without ending the session (RFC 7606). */
  problem: [event: { readonly peer: string; readonly problem: UpdateProblem }];
  /** Someone who is no peer connected. */
  refused: [event: { readonly address: string; readonly reason: string }];
}
