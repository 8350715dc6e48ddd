import { Address, type Family, type Prefix } from "@trivet/ip";
import { EncodeError, WireError } from "../error.ts";
import { ErrorCode, UpdateError } from "./codes.ts";
import { type AddressFamily, unicastFamily } from "./family.ts";
import type { NextHop, WireContext } from "./message.ts";
import { readPrefixes } from "./nlri.ts";
import { readU16 } from "./octets.ts";

/** What MP_REACH_NLRI or MP_UNREACH_NLRI says; no prefixes where the family is not exchanged on the session. */
export interface MpNlri {
  readonly family: AddressFamily;
  readonly empty: boolean;
  readonly prefixes: readonly Prefix[] | undefined;
}

export interface MpReach extends MpNlri {
  readonly nextHop: NextHop | undefined;
}

/**
 * RFC 4760 §3. Any fault ends the session: RFC 7606 §5.3 and §7.11 leave that or ignoring the whole family from then on, and
 * only a new session brings its routes back.
 *
 * @param raw the attribute with its header, for the NOTIFICATION
 * @throws WireError
 */
export function readMpReach(value: Uint8Array, raw: Uint8Array, context: WireContext): MpReach {
  if (value.length < 5) throw malformed("MP_REACH_NLRI", "is shorter than 5 octets (RFC 7606 §5.3)", raw);
  const family = readFamily(value);
  const length = value[3] ?? 0;
  const end = 4 + length;
  if (end + 1 > value.length)
    throw malformed("MP_REACH_NLRI", "has a next hop longer than itself (RFC 7606 §7.11)", raw);
  const empty = end + 1 === value.length;
  const ip = exchanged(family, context);
  if (ip === undefined) return { family, empty, prefixes: undefined, nextHop: undefined };
  const lengths = ip === 6 ? [16, 32] : context.extendedNextHop ? [4, 16, 32] : [4];
  if (!lengths.includes(length))
    throw malformed("MP_REACH_NLRI", `has a next hop of ${length} octets for IPv${ip} (RFC 7606 §7.11)`, raw);
  const prefixes = readPrefixes(value.subarray(end + 1), ip);
  if (prefixes === undefined) throw malformed("MP_REACH_NLRI", "has an incorrect prefix (RFC 7606 §5.3)", raw);
  return { family, empty, prefixes, nextHop: readNextHop(value.subarray(4, end)) };
}

/**
 * RFC 4760 §4; as `readMpReach`.
 *
 * @throws WireError
 */
export function readMpUnreach(value: Uint8Array, raw: Uint8Array, context: WireContext): MpNlri {
  if (value.length < 3) throw malformed("MP_UNREACH_NLRI", "is shorter than 3 octets (RFC 7606 §5.3)", raw);
  const family = readFamily(value);
  const empty = value.length === 3;
  const ip = exchanged(family, context);
  if (ip === undefined) return { family, empty, prefixes: undefined };
  const prefixes = readPrefixes(value.subarray(3), ip);
  if (prefixes === undefined) throw malformed("MP_UNREACH_NLRI", "has an incorrect prefix (RFC 7606 §5.3)", raw);
  return { family, empty, prefixes };
}

/**
 * The next hop field of MP_REACH_NLRI for prefixes of `family`; `undefined` for IPv4 through IPv4, which needs none.
 *
 * @throws EncodeError when the session cannot carry it
 */
export function encodeMpNextHop(
  { address, linkLocal }: NextHop,
  family: Family,
  context: WireContext,
): Uint8Array | undefined {
  if (address.family === 4) {
    if (family === 4) return undefined;
    throw new EncodeError(`an IPv6 route cannot have the IPv4 next hop ${address.toString()}`);
  }
  if (family === 4 && !context.extendedNextHop)
    throw new EncodeError(
      `an IPv4 route cannot have the IPv6 next hop ${address.toString()}: the peer takes none (RFC 8950)`,
    );
  if (linkLocal === undefined) return address.bytes;
  const both = new Uint8Array(32);
  both.set(address.bytes);
  both.set(linkLocal.bytes, 16);
  return both;
}

function readFamily(value: Uint8Array): AddressFamily {
  return { afi: readU16(value, 0), safi: value[2] ?? 0 };
}

function exchanged(family: AddressFamily, context: WireContext): Family | undefined {
  const ip = unicastFamily(family);
  return ip !== undefined && context.families.includes(ip) ? ip : undefined;
}

/** RFC 2545 §3; a second address of all zeros, which some send, is none. */
function readNextHop(field: Uint8Array): NextHop {
  if (field.length !== 32) return { address: Address.fromBytes(field) };
  const address = Address.fromBytes(field.subarray(0, 16));
  const linkLocal = Address.fromBytes(field.subarray(16));
  return linkLocal.isUnspecified ? { address } : { address, linkLocal };
}

function malformed(name: string, reason: string, raw: Uint8Array): WireError {
  return new WireError(ErrorCode.Update, UpdateError.OptionalAttribute, `${name} ${reason}`, raw.slice());
}
