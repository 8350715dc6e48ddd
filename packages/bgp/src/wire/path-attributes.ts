import type { Address } from "@trivet/ip";

/** RFC 4271 §5.1.1, in the order of their codes. */
export const ORIGINS = ["igp", "egp", "incomplete"] as const;
export type Origin = (typeof ORIGINS)[number];

/** RFC 4271 §4.3, RFC 5065 §3. */
export interface AsPathSegment {
  readonly kind: "set" | "sequence" | "confed-sequence" | "confed-set";
  readonly asns: readonly number[];
}

/** RFC 4271 §5.1.7. */
export interface Aggregator {
  readonly asn: number;
  readonly address: Address;
}

/** RFC 8092 §3: Global Administrator, Local Data Part 1 and 2. */
export type LargeCommunity = readonly [global: number, local1: number, local2: number];

/** An optional transitive attribute that this library does not know; it is passed on as it came (RFC 4271 §5). */
export interface UnknownAttribute {
  readonly type: number;
  /** True once a speaker that does not know it has passed it on, which includes this one: always true when read. */
  readonly partial: boolean;
  readonly value: Uint8Array;
}

/** What is said of a route, besides its next hop. All numbers are unsigned. */
export interface PathAttributes {
  readonly origin: Origin;
  /** With four-octet AS numbers on every session (RFC 6793 is dealt with by the codec). */
  readonly asPath: readonly AsPathSegment[];
  readonly med?: number;
  readonly localPref?: number;
  readonly atomicAggregate?: boolean;
  readonly aggregator?: Aggregator;
  /** RFC 1997: `AS << 16 | value`; see `parseCommunity`. */
  readonly communities?: readonly number[];
  /** RFC 4456 §8. */
  readonly originatorId?: Address;
  /** RFC 4456 §8. */
  readonly clusterList?: readonly Address[];
  /** RFC 4360 §2: eight octets, as a number. */
  readonly extendedCommunities?: readonly bigint[];
  /** RFC 8092. */
  readonly largeCommunities?: readonly LargeCommunity[];
  /** RFC 9234 §5: the AS that let the route go to customers only. */
  readonly onlyToCustomer?: number;
  readonly unknown?: readonly UnknownAttribute[];
}
