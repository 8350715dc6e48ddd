import type { Family, Prefix } from "@trivet/ip";
import type { NextHop, WireContext } from "./message.ts";
import type { PathAttributes } from "./path-attributes.ts";

/** All of an announcement but its prefixes, encoded once for all peers whose sessions have the same `WireContext`. */
export interface AttributeBlock {
  /** Of the prefixes. */
  readonly family: Family;
  /** The path attributes without MP_REACH_NLRI. */
  readonly attributes: Uint8Array;
  /** The next hop field of MP_REACH_NLRI; `undefined` where the prefixes go into the UPDATE's own NLRI field. */
  readonly mpNextHop: Uint8Array | undefined;
}

/**
 * Encodes attributes and next hop for prefixes of one family. IPv4 prefixes with an IPv6 next hop become MP_REACH_NLRI (RFC 8950).
 *
 * @throws EncodeError when IPv4 has an IPv6 next hop and the session cannot say so, or when IPv6 has an IPv4 one
 */
export function encodeAttributes(
  attributes: PathAttributes,
  nextHop: NextHop,
  family: Family,
  context: WireContext,
): AttributeBlock {
  void [attributes, nextHop, family, context];
  throw new Error("being written");
}

/** Encoded prefixes, one after the other, in a buffer that grows. */
export class NlriBuffer {
  /** Adds a prefix in its NLRI encoding (RFC 4271 §4.3). */
  add(prefix: Prefix): void {
    void prefix;
  }

  /** What was added so far: a view, valid until the next `add`. */
  get bytes(): Uint8Array {
    return new Uint8Array();
  }
}

/**
 * The fewest UPDATEs that announce all of `nlri`, lazily, in chunks of whole messages for one `write` each; a chunk is never
 * touched again, so that several peers can be given the same.
 *
 * @param nlri encoded prefixes, one after the other
 * @throws EncodeError when the attributes leave no room for a prefix
 */
export function packAnnouncements(
  block: AttributeBlock,
  nlri: Uint8Array,
  context: WireContext,
): Generator<Uint8Array, void, void> {
  void [block, nlri, context];
  throw new Error("being written");
}

/** As `packAnnouncements`, for withdrawals of one family. IPv4 goes into MP_UNREACH_NLRI where `context.extendedNextHop`. */
export function packWithdrawals(
  family: Family,
  nlri: Uint8Array,
  context: WireContext,
): Generator<Uint8Array, void, void> {
  void [family, nlri, context];
  throw new Error("being written");
}

/** RFC 4724 §2: the End-of-RIB marker of a family. */
export function encodeEndOfRib(family: Family): Uint8Array {
  void family;
  throw new Error("being written");
}
