import type { Family } from "@trivet/ip";
import { EncodeError } from "../error.ts";
import { AttributeFlag, AttributeType, HEADER_LENGTH, MARKER, MessageType } from "./codes.ts";
import { writeAttributes } from "./encode-attributes.ts";
import { unicast } from "./family.ts";
import type { NextHop, WireContext } from "./message.ts";
import { encodeMpNextHop } from "./mp-nlri.ts";
import { OctetWriter, writeU16 } from "./octets.ts";
import type { PathAttributes } from "./path-attributes.ts";

// UPDATEs for many prefixes are one template and many prefixes: everything before the prefixes, everything after, and the few
// length fields that depend on how many octets of prefixes there are. Packing is walking the encoded prefixes to find where the
// next one would not fit, and two or three block copies a message, into chunks big enough that a system call each is cheap.

/** Octets a chunk has room for: of the size that TCP takes at once, and any message fits. */
const CHUNK = 128 * 1024;
/** Offsets in an UPDATE. */
const AT_LENGTH = 16;
const AT_WITHDRAWN_LENGTH = HEADER_LENGTH;
const AT_ATTRIBUTES_LENGTH = HEADER_LENGTH + 2;
/** The first attribute, with two octets of length. */
const AT_MP_LENGTH = HEADER_LENGTH + 4 + 2;
const MP_HEADER = 4;

/** All of an announcement but its prefixes, encoded once for all peers whose sessions have the same `WireContext`. */
export interface AttributeBlock {
  /** Of the prefixes. */
  readonly family: Family;
  /** The path attributes without MP_REACH_NLRI. */
  readonly attributes: Uint8Array;
  /** The next hop field of MP_REACH_NLRI; `undefined` where the prefixes go into the UPDATE's own NLRI field. */
  readonly mpNextHop: Uint8Array | undefined;
}

interface Template {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  /** Two-octet fields to fill in, and what each is when there are no prefixes. */
  readonly lengths: readonly { readonly at: number; readonly base: number }[];
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
  const mpNextHop = encodeMpNextHop(nextHop, family, context);
  const classic = mpNextHop === undefined ? nextHop.address.bytes : undefined;
  return { family, attributes: writeAttributes(attributes, classic, context), mpNextHop };
}

/**
 * The fewest UPDATEs that announce all of `nlri`, lazily, in chunks of whole messages for one `write` each; a chunk is never
 * touched again, so that several peers can be given the same.
 *
 * @param nlri encoded prefixes, one after the other; must not change before the last chunk is taken
 * @throws EncodeError when the attributes leave no room for a prefix
 */
export function packAnnouncements(
  block: AttributeBlock,
  nlri: Uint8Array,
  context: WireContext,
): Generator<Uint8Array, void, void> {
  return pack(announcementTemplate(block), nlri, context.maxSend);
}

/** As `packAnnouncements`, for withdrawals of one family. IPv4 goes into MP_UNREACH_NLRI where `context.extendedNextHop`. */
export function packWithdrawals(
  family: Family,
  nlri: Uint8Array,
  context: WireContext,
): Generator<Uint8Array, void, void> {
  return pack(withdrawalTemplate(family, context), nlri, context.maxSend);
}

/** RFC 4724 §2: the End-of-RIB marker of a family. */
export function encodeEndOfRib(family: Family): Uint8Array {
  return family === 4 ? fill(CLASSIC_WITHDRAWAL, new Uint8Array()) : fill(mpWithdrawal(6), new Uint8Array());
}

function announcementTemplate({ family, attributes, mpNextHop }: AttributeBlock): Template {
  const body = startUpdate();
  if (mpNextHop === undefined) {
    const head = body.u16(attributes.length).bytes(attributes).finish();
    return { head, tail: new Uint8Array(), lengths: [{ at: AT_LENGTH, base: head.length }] };
  }
  // RFC 7606 §5.1: MP_REACH_NLRI comes first. It holds the prefixes, so the other attributes follow them.
  const { afi, safi } = unicast(family);
  const fixed = 3 + 1 + mpNextHop.length + 1;
  startMp(body, AttributeType.MpReachNlri).u16(afi).u8(safi).u8(mpNextHop.length).bytes(mpNextHop).u8(0);
  return {
    head: body.finish(),
    tail: attributes,
    lengths: [
      { at: AT_LENGTH, base: body.length + attributes.length },
      { at: AT_ATTRIBUTES_LENGTH, base: MP_HEADER + fixed + attributes.length },
      { at: AT_MP_LENGTH, base: fixed },
    ],
  };
}

function withdrawalTemplate(family: Family, context: WireContext): Template {
  return family === 4 && !context.extendedNextHop ? CLASSIC_WITHDRAWAL : mpWithdrawal(family);
}

const CLASSIC_WITHDRAWAL: Template = {
  head: startUpdate().finish(),
  tail: new Uint8Array(2),
  lengths: [
    { at: AT_LENGTH, base: HEADER_LENGTH + 4 },
    { at: AT_WITHDRAWN_LENGTH, base: 0 },
  ],
};

function mpWithdrawal(family: Family): Template {
  const { afi, safi } = unicast(family);
  const body = startMp(startUpdate(), AttributeType.MpUnreachNlri).u16(afi).u8(safi);
  return {
    head: body.finish(),
    tail: new Uint8Array(),
    lengths: [
      { at: AT_LENGTH, base: body.length },
      { at: AT_ATTRIBUTES_LENGTH, base: MP_HEADER + 3 },
      { at: AT_MP_LENGTH, base: 3 },
    ],
  };
}

/** An UPDATE up to and with an empty WITHDRAWN ROUTES field. */
function startUpdate(): OctetWriter {
  return new OctetWriter().bytes(MARKER).u16(0).u8(MessageType.Update).u16(0);
}

/** The total length of attributes, and the header of the one that holds the prefixes; its length is filled in later. */
function startMp(body: OctetWriter, type: number): OctetWriter {
  return body
    .u16(0)
    .u8(AttributeFlag.Optional | AttributeFlag.ExtendedLength)
    .u8(type)
    .u16(0);
}

function fill(template: Template, nlri: Uint8Array): Uint8Array {
  const message = new Uint8Array(template.head.length + nlri.length + template.tail.length);
  writeMessage(message, 0, template, nlri, 0, nlri.length);
  return message;
}

function* pack(template: Template, nlri: Uint8Array, max: number): Generator<Uint8Array, void, void> {
  const room = max - template.head.length - template.tail.length;
  if (nlri.length === 0) return;
  if (nlri.length <= room) {
    yield fill(template, nlri);
    return;
  }
  let chunk = Buffer.allocUnsafeSlow(CHUNK);
  let used = 0;
  for (let from = 0; from < nlri.length;) {
    const to = lastThatFits(nlri, from, room);
    if (to === from)
      throw new EncodeError(`the path attributes leave no room for a prefix in a message of ${max} octets`);
    if (used + max > CHUNK) {
      yield chunk.subarray(0, used);
      chunk = Buffer.allocUnsafeSlow(CHUNK);
      used = 0;
    }
    used = writeMessage(chunk, used, template, nlri, from, to);
    from = to;
  }
  yield chunk.subarray(0, used);
}

/** The end of the last prefix after `from` within `room` octets; `from` when not even one fits. */
function lastThatFits(nlri: Uint8Array, from: number, room: number): number {
  const limit = Math.min(from + room, nlri.length);
  let end = from;
  for (;;) {
    const next = end + 1 + (((nlri[end] ?? 0) + 7) >> 3);
    if (next > limit) return end;
    end = next;
  }
}

function writeMessage(
  into: Uint8Array,
  at: number,
  { head, tail, lengths }: Template,
  nlri: Uint8Array,
  from: number,
  to: number,
): number {
  into.set(head, at);
  into.set(nlri.subarray(from, to), at + head.length);
  into.set(tail, at + head.length + to - from);
  for (const field of lengths) writeU16(into, at + field.at, field.base + to - from);
  return at + head.length + to - from + tail.length;
}
