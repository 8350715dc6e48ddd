import { Address, type Family, Prefix } from "@trivet/ip";

/** Where each family's prefixes begin: /24s from 20.0.0.0 on, /48s from 2a00:: on, one after the other. */
const FIRST = { 4: Address.parse("20.0.0.0").bytes, 6: Address.parse("2a00::").bytes } as const;
const LENGTH = { 4: 24, 6: 48 } as const;

/** The prefix's octets that count: the last two or four of them, as one number, hold its index. */
function* significant(family: Family, count: number): Generator<Uint8Array> {
  const octets = LENGTH[family] / 8;
  for (let i = 0; i < count; i++) {
    const bytes = FIRST[family].slice(0, octets);
    for (let at = octets - 1, rest = i; rest > 0; at--, rest >>>= 8) bytes[at] = (bytes[at] ?? 0) + (rest & 0xff);
    yield bytes;
  }
}

export function* prefixes(family: Family, count: number): Generator<Prefix> {
  for (const bytes of significant(family, count)) {
    const full = new Uint8Array(FIRST[family].length);
    full.set(bytes);
    yield Prefix.of(Address.fromBytes(full), LENGTH[family]);
  }
}

/** As text, for the other speakers' configuration. */
export function* texts(family: Family, count: number): Generator<string> {
  for (const prefix of prefixes(family, count)) yield prefix.toString();
}

/** In the NLRI encoding, one after the other. */
export function nlri(family: Family, count: number): Uint8Array {
  const octets = 1 + LENGTH[family] / 8;
  const bytes = new Uint8Array(octets * count);
  let at = 0;
  for (const one of significant(family, count)) {
    bytes[at] = LENGTH[family];
    bytes.set(one, at + 1);
    at += octets;
  }
  return bytes;
}
