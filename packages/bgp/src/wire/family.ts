import type { Family } from "@trivet/ip";

/** What a route is about, as BGP names it: an address family and a subsequent one (RFC 4760 §3). */
export interface AddressFamily {
  readonly afi: number;
  readonly safi: number;
}

export const IPV4_UNICAST: AddressFamily = { afi: 1, safi: 1 };
export const IPV6_UNICAST: AddressFamily = { afi: 2, safi: 1 };

/** The unicast address family of an IP version. */
export function unicast(family: Family): AddressFamily {
  return family === 4 ? IPV4_UNICAST : IPV6_UNICAST;
}

/** The IP version of a unicast address family; `undefined` for any other family. */
export function unicastFamily({ afi, safi }: AddressFamily): Family | undefined {
  if (safi !== 1) return undefined;
  return afi === 1 ? 4 : afi === 2 ? 6 : undefined;
}

export function sameFamily(a: AddressFamily, b: AddressFamily): boolean {
  return a.afi === b.afi && a.safi === b.safi;
}
