import type { LargeCommunity } from "./path-attributes.ts";

/** RFC 1997, RFC 7999, RFC 8326, RFC 9494. */
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

/**
 * Reads `AS:VALUE` or a well-known name.
 *
 * @throws CommunityError
 */
export function parseCommunity(text: string): number {
  void text;
  throw new Error("being written");
}

/** The well-known name, else `AS:VALUE`. */
export function formatCommunity(community: number): string {
  void community;
  throw new Error("being written");
}

/**
 * Reads `GLOBAL:LOCAL1:LOCAL2` (RFC 8092 §5).
 *
 * @throws CommunityError
 */
export function parseLargeCommunity(text: string): LargeCommunity {
  void text;
  throw new Error("being written");
}

/** `GLOBAL:LOCAL1:LOCAL2`. */
export function formatLargeCommunity(community: LargeCommunity): string {
  void community;
  throw new Error("being written");
}

/**
 * Reads `rt:ADMINISTRATOR:VALUE` (route target), `ro:ADMINISTRATOR:VALUE` (route origin; both RFC 4360 §4-5, RFC 5668) or
 * `0x` and 16 digits. The administrator is an AS number or an IPv4 address.
 *
 * @throws CommunityError
 */
export function parseExtendedCommunity(text: string): bigint {
  void text;
  throw new Error("being written");
}

/** What `parseExtendedCommunity` reads. */
export function formatExtendedCommunity(community: bigint): string {
  void community;
  throw new Error("being written");
}
