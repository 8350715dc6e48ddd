import type { Address, Family, Prefix } from "@trivet/ip";
import type { AddressFamily } from "./family.ts";
import type { Capability } from "./capability.ts";
import type { PathAttributes } from "./path-attributes.ts";

/** What both ends agreed on in their OPENs, as far as reading and writing messages depends on it. */
export interface WireContext {
  /** Whose session it is: some attributes are only for one kind (RFC 7606 §7). */
  readonly peering: "internal" | "external";
  /** Both ends sent the four-octet AS capability (RFC 6793). */
  readonly fourOctetAs: boolean;
  /** The unicast families whose routes may be exchanged (RFC 4760 §8). */
  readonly families: readonly Family[];
  /** IPv4 routes may have an IPv6 next hop (RFC 8950). */
  readonly extendedNextHop: boolean;
  /** The longest message the peer takes: 4096, or 65535 when *it* sent the extended message capability (RFC 8654). */
  readonly maxSend: number;
  /** The longest message taken from the peer: 4096, or 65535 when *we* sent that capability. */
  readonly maxReceive: number;
}

/** What holds until the OPENs are exchanged. */
export const INITIAL_CONTEXT: WireContext = {
  peering: "external",
  fourOctetAs: false,
  families: [4],
  extendedNextHop: false,
  maxSend: 4096,
  maxReceive: 4096,
};

/** RFC 4271 §4.2. */
export interface OpenMessage {
  readonly kind: "open";
  /** The sender's AS: of its four-octet AS capability where it has one, else "My Autonomous System". */
  readonly asn: number;
  /** Seconds; 0 means no keepalives, and 1 or 2 cannot be. */
  readonly holdTime: number;
  /** The BGP identifier; an IPv4 address by shape, not by meaning. */
  readonly identifier: Address;
  /** In the order of the message; repeated ones are kept (RFC 5492 §4). */
  readonly capabilities: readonly Capability[];
}

/** An IPv6 next hop may have the link-local address of the same interface beside it (RFC 2545 §3). */
export interface NextHop {
  readonly address: Address;
  readonly linkLocal?: Address;
}

/** Prefixes of one family that share a next hop. */
export interface Announcement {
  readonly nextHop: NextHop;
  readonly prefixes: readonly Prefix[];
}

/**
 * RFC 4271 §4.3, RFC 4760: what changed, whichever field carried it. IPv4 prefixes with an IPv4 next hop travel in the message's
 * own fields, all others in MP_REACH_NLRI and MP_UNREACH_NLRI.
 */
export interface UpdateMessage {
  readonly kind: "update";
  /** Of either family. Where RFC 7606 asks for treat-as-withdraw, what was announced is here. */
  readonly withdrawn: readonly Prefix[];
  /** At most one of each family; all have the same `attributes`. */
  readonly announced: readonly Announcement[];
  /** Present exactly when something is announced. */
  readonly attributes?: PathAttributes;
  /** RFC 4724 §2: the message is the End-of-RIB marker of this family. */
  readonly endOfRib?: AddressFamily;
  /** What was wrong with a message that did not end the session (RFC 7606); absent when nothing was. Not written. */
  readonly problems?: readonly UpdateProblem[];
  /** With `problems`: the whole message as it came, for whoever looks into them (RFC 7606 §6). Not written. */
  readonly octets?: Uint8Array;
}

/** One fault in an UPDATE, and what was done about it (RFC 7606 §2). */
export interface UpdateProblem {
  readonly action: "attribute-discard" | "treat-as-withdraw" | "ignore-family";
  /** The attribute's type code; 0 for the message itself. */
  readonly attribute: number;
  /** With the clause. */
  readonly reason: string;
}

/** RFC 4271 §4.5. */
export interface NotificationMessage {
  readonly kind: "notification";
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

export interface KeepaliveMessage {
  readonly kind: "keepalive";
}

/** RFC 2918 §3, RFC 7313 §3.2. */
export interface RouteRefreshMessage {
  readonly kind: "route-refresh";
  readonly family: AddressFamily;
  /** Of `RefreshSubtype`; any other is to be ignored (RFC 7313 §5). */
  readonly subtype: number;
}

export type Message = OpenMessage | UpdateMessage | NotificationMessage | KeepaliveMessage | RouteRefreshMessage;
