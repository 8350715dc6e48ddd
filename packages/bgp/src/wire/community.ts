import { Address } from "@trivet/ip";
import { CommunityError } from "../error.ts";
import type { LargeCommunity } from "./path-attributes.ts";

/** RFC 1997, RFC 3765, RFC 7611, RFC 7999, RFC 8326, RFC 9494. */
export const WELL_KNOWN_COMMUNITIES = {
  "graceful-shutdown": 0xffff0000,
  "accept-own": 0xffff0001,
  "llgr-stale": 0xffff0006,
  "no-llgr": 0xffff0007,
  blackhole: 0xffff029a,
  "no-export": 0xffffff01,
  "no-advertise": 0xffffff02,
  "no-export-subconfed": 0xffffff03,
  "no-peer": 0xffffff04,
} as const;

const NAMES = new Map<number, string>(Object.entries(WELL_KNOWN_COMMUNITIES).map(([name, value]) => [value, name]));

/** RFC 4360 §3-5, RFC 5668 §2: the types with a route target's or origin's administrator, and the sub-types. */
const TWO_OCTET_AS = 0x00;
const IPV4_ADDRESS = 0x01;
const FOUR_OCTET_AS = 0x02;
const SUBTYPES = { rt: 0x02, ro: 0x03 } as const;

/**
 * Reads `AS:VALUE` or a well-known name.
 *
 * @throws CommunityError
 */
export function parseCommunity(text: string): number {
  const known = Object.entries(WELL_KNOWN_COMMUNITIES).find(([name]) => name === text);
  if (known !== undefined) return known[1];
  const [high, low] = numbers(text, text.split(":"), 2, 0xffff) ?? [];
  if (high === undefined || low === undefined)
    throw new CommunityError(
      text,
      `is no community: write AS:VALUE, or one of ${Object.keys(WELL_KNOWN_COMMUNITIES).join(", ")}`,
    );
  return ((high << 16) | low) >>> 0;
}

/** The well-known name, else `AS:VALUE`. */
export function formatCommunity(community: number): string {
  return NAMES.get(community) ?? `${community >>> 16}:${community & 0xffff}`;
}

/**
 * Reads `GLOBAL:LOCAL1:LOCAL2` (RFC 8092 §5).
 *
 * @throws CommunityError
 */
export function parseLargeCommunity(text: string): LargeCommunity {
  const [global, local1, local2] = numbers(text, text.split(":"), 3, 0xffff_ffff) ?? [];
  if (global === undefined || local1 === undefined || local2 === undefined)
    throw new CommunityError(text, "is no large community: write GLOBAL:LOCAL1:LOCAL2");
  return [global, local1, local2];
}

/** `GLOBAL:LOCAL1:LOCAL2`. */
export function formatLargeCommunity(community: LargeCommunity): string {
  return community.join(":");
}

/**
 * Reads `rt:ADMINISTRATOR:VALUE` (route target), `ro:ADMINISTRATOR:VALUE` (route origin; both RFC 4360 §4-5, RFC 5668) or
 * `0x` and 16 digits. The administrator is an AS number or an IPv4 address.
 *
 * @throws CommunityError
 */
export function parseExtendedCommunity(text: string): bigint {
  if (/^0x[0-9a-fA-F]{16}$/.test(text)) return BigInt(text);
  const [kind, administrator = "", value = "", ...rest] = text.split(":");
  if ((kind !== "rt" && kind !== "ro") || rest.length > 0)
    throw new CommunityError(text, "is no extended community: write rt:AS:VALUE, ro:AS:VALUE or 0x and 16 digits");
  const address = Address.tryParse(administrator);
  if (address !== undefined) {
    const [local] = numbers(text, [value], 1, 0xffff) ?? [];
    if (local !== undefined) return compose(IPV4_ADDRESS, kind, (address.toBigInt() << 16n) | BigInt(local));
  } else {
    const [asn] = numbers(text, [administrator], 1, 0xffff_ffff) ?? [];
    const wide = asn !== undefined && asn > 0xffff;
    const [local] = numbers(text, [value], 1, wide ? 0xffff : 0xffff_ffff) ?? [];
    if (asn !== undefined && local !== undefined)
      return compose(wide ? FOUR_OCTET_AS : TWO_OCTET_AS, kind, (BigInt(asn) << (wide ? 16n : 32n)) | BigInt(local));
  }
  throw new CommunityError(
    text,
    "has an administrator that is no AS number or IPv4 address, or no number as its value",
  );
}

/** What `parseExtendedCommunity` reads. */
export function formatExtendedCommunity(community: bigint): string {
  const type = Number(community >> 56n);
  const kind = (["rt", "ro"] as const).find((name) => SUBTYPES[name] === Number((community >> 48n) & 0xffn));
  const wide = Number((community >> 16n) & 0xffff_ffffn);
  const local = community & 0xffffn;
  if (kind !== undefined && type === TWO_OCTET_AS) return `${kind}:${wide >>> 16}:${community & 0xffff_ffffn}`;
  if (kind !== undefined && type === IPV4_ADDRESS)
    return `${kind}:${Address.fromBigInt(4, BigInt(wide)).toString()}:${local}`;
  if (kind !== undefined && type === FOUR_OCTET_AS && wide > 0xffff) return `${kind}:${wide}:${local}`;
  return `0x${community.toString(16).padStart(16, "0")}`;
}

function compose(type: number, kind: keyof typeof SUBTYPES, rest: bigint): bigint {
  return (BigInt(type) << 56n) | (BigInt(SUBTYPES[kind]) << 48n) | rest;
}

/** Plain decimal numbers, as many as asked for; `undefined` when one is none, and an error when one is too great. */
function numbers(text: string, parts: readonly string[], count: number, max: number): number[] | undefined {
  if (parts.length !== count || !parts.every((part) => /^(0|[1-9]\d{0,9})$/.test(part))) return undefined;
  const values = parts.map(Number);
  const great = values.find((value) => value > max);
  if (great !== undefined) throw new CommunityError(text, `has ${great}, which is over ${max}`);
  return values;
}
