import { type Address, Prefix } from "@trivet/ip";

/**
 * Planned addresses. Each is made from nothing but the pool and the number or name of what gets it, so none moves when something
 * is added later; two that fall together are an error, settled by writing one down (docs/adr/0061).
 */

// Not imported: to offer all its exports Node would load Web Crypto, which costs every start more than the rest of the file.
const { createHash } = process.getBuiltinModule("node:crypto");

/** Host numbers in every subnet, as they are read: server 1 is `::101` or `.101`. */
export const HOST = { gateway: 1, router: 10, server: 100, bmc: 200, mesh: 1 } as const;

/** Subnet numbers from here on belong to networks that are planned by name; below are VLANs, by their tag. */
const NAMED_FROM = 0x5000;

/** VRRP priorities: of the master, of who takes over from it, of the last. */
const PRIORITY = { master: 250, next: 240, last: 20 } as const;

/**
 * VRRP priority of the router at place `index` of `count`. Those that wait for the master to die are as far apart as can be: how long they
 * wait differs by that in 256 parts of the advertisement interval (RFC 9568 §6.1), and two that take over at once confuse switches.
 */
export function vrrpPriority(index: number, count: number): number {
  if (index === 0) return PRIORITY.master;
  return Math.round(PRIORITY.next - ((PRIORITY.next - PRIORITY.last) * (index - 1)) / Math.max(count - 2, 1));
}

/** Of a script's `weight` (keepalived.conf(5)). */
const MOST_WEIGHT = 253;

/** What a router loses of its VRRP priority without a provider: enough to be behind all of `priorities` that have one. */
export function vrrpPenalty(priorities: readonly number[]): number {
  return Math.min(Math.max(...priorities) - Math.min(...priorities) + 10, MOST_WEIGHT);
}

/** The address number `n` of a subnet: in IPv6 the decimal digits are written as they are. `undefined` when it has no room. */
export function host(prefix: Prefix, n: number): Address | undefined {
  const offset = prefix.family === 6 ? digits(n) : BigInt(n);
  const last = prefix.family === 6 ? prefix.size : prefix.size - 1n;
  return offset > 0n && offset < last ? prefix.at(offset) : undefined;
}

/** The /64 of `pool` whose subnet number reads as the decimal `n`: VLAN 100 of 2001:db8::/48 is 2001:db8:0:100::/64. */
export function numberedSubnet(pool: Prefix, n: number): Prefix | undefined {
  return subnet(pool, digits(n));
}

/** The /64 of `pool` for a network of this name. */
export function namedSubnet(pool: Prefix, name: string): Prefix | undefined {
  const bits = 64 - pool.length;
  if (pool.family !== 6 || bits < 4) return undefined;
  const span = 1n << BigInt(bits);
  const from = (span * BigInt(NAMED_FROM)) >> 16n;
  const hash = BigInt(`0x${createHash("sha256").update(name).digest("hex").slice(0, 16)}`);
  return subnet(pool, from + (hash % (span - from)));
}

/** The private /24 for a network of this name, behind NAT: in the upper half of 10.0.0.0/8. */
export function privateSubnet(name: string): Prefix {
  const hash = createHash("sha256").update(name).digest().readUInt16BE(0);
  return Prefix.parse(`10.${128 + ((hash >> 8) & 127)}.${hash & 255}.0/24`);
}

/** A UUID that is always the same for one name (RFC 9562 §5.8, version 8). */
export function namedUuid(name: string): string {
  const hex = createHash("sha256").update(`trivet:${name}`).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

function subnet(pool: Prefix, number: bigint): Prefix | undefined {
  if (pool.family !== 6 || pool.length > 64 || number >= 1n << BigInt(64 - pool.length)) return undefined;
  return Prefix.of(pool.address.plus(number << 64n), 64);
}

function digits(n: number): bigint {
  return BigInt(`0x${n}`);
}
