import { RecordError } from "../error.ts";
import { parseGeneric } from "./codes.ts";

/** Names of record types, as zone files and tools write them (IANA "DNS Parameters"). */
const NUMBERS: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  NULL: 10,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  EUI48: 108,
  EUI64: 109,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  URI: 256,
  CAA: 257,
};

const NAMES = new Map(Object.entries(NUMBERS).map(([mnemonic, type]) => [type, mnemonic]));

/** `AAAA`, or `TYPE65280` for a type without a name (RFC 3597 §5). */
export function typeText(type: number): string {
  return NAMES.get(type) ?? `TYPE${type}`;
}

/** @throws RecordError when it is neither a known name nor TYPE and a number */
export function parseType(text: string): number {
  const type = tryParseType(text);
  if (type === undefined)
    throw new RecordError(text, "is no record type; write one without a name as TYPE and its number");
  return type;
}

export function tryParseType(text: string): number | undefined {
  const upper = text.toUpperCase();
  return Object.hasOwn(NUMBERS, upper) ? NUMBERS[upper] : parseGeneric("TYPE", upper);
}
