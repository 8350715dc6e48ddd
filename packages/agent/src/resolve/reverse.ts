import { Name } from "@trivet/dns";
import type { Address, Prefix } from "@trivet/ip";
import type { ReverseZone } from "./config.ts";

/** Bits a label of a reverse name stands for (RFC 1035 §3.5, RFC 3596 §2.5). */
const BITS = { 4: 8, 6: 4 } as const;
const TOP = { 4: "in-addr.arpa.", 6: "ip6.arpa." } as const;

/** The labels of an address's reverse name, most significant first. */
function labelsOf(address: Address): string[] {
  const octets = [...address.bytes];
  if (address.family === 4) return octets.map(String);
  return octets.flatMap((octet) => [(octet >> 4).toString(16), (octet & 15).toString(16)]);
}

/** `1.2.0.192.in-addr.arpa.`, or 32 nibbles and `ip6.arpa.` */
export function reverseName(address: Address): Name {
  return Name.parse(`${labelsOf(address).toReversed().join(".")}.${TOP[address.family]}`);
}

/**
 * The zone of a prefix's PTR records. Where the prefix ends between two labels, IPv4 gets the form `64/27.2.0.192.in-addr.arpa.` that
 * RFC 2317 §4 shows, written `64-27` because a slash is troublesome in file names; IPv6 gets the zone of the next shorter nibble,
 * which also holds the neighbours of the prefix.
 */
export function reverseOrigin(prefix: Prefix): Name {
  const { family, length, address } = prefix;
  const labels = labelsOf(address).slice(0, Math.floor(length / BITS[family]));
  const parent = `${labels.toReversed().join(".")}${labels.length > 0 ? "." : ""}${TOP[family]}`;
  if (family === 6 || length % 8 === 0) return Name.parse(parent);
  return Name.parse(`${labelsOf(address)[labels.length] ?? "0"}-${length}.${parent}`);
}

/**
 * The owner of an address's PTR record in a reverse zone: its reverse name where the zone holds that, otherwise (a classless
 * delegation) the labels that the zone's prefix leaves, below its origin, as the provider's CNAME records expect.
 */
export function pointerOwner(zone: ReverseZone, address: Address): Name {
  const full = reverseName(address);
  if (full.isAtOrBelow(zone.origin)) return full;
  const rest = labelsOf(address).slice(Math.floor(zone.prefix.length / BITS[address.family]));
  return rest.reduce((owner, label) => owner.child(label), zone.origin);
}
