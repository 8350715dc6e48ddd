import { bitmap } from "./bitmap.ts";
import {
  type Field,
  base64,
  eui,
  hex,
  ipv4,
  ipv6,
  name,
  period,
  salt,
  string,
  strings,
  tag,
  text,
  time,
  u16,
  u32,
  u8,
} from "./field.ts";
import { hash, typeCovered } from "./dnssec.ts";
import { parseType } from "./mnemonic.ts";
import { serviceParameters } from "./svcb.ts";

/** The layout of a record type's data. */
export interface RecordType {
  readonly type: number;
  readonly fields: readonly Field[];
  /** Names in the data may be compressed: only in the types of RFC 1035 (RFC 3597 §4). */
  readonly compresses: boolean;
}

const old = (mnemonic: string, ...fields: Field[]): RecordType => ({
  type: parseType(mnemonic),
  fields,
  compresses: true,
});
const plain = (mnemonic: string, ...fields: Field[]): RecordType => ({
  type: parseType(mnemonic),
  fields,
  compresses: false,
});

/** Every type with a text form of its own; all others have that of RFC 3597. */
export const RECORD_TYPES: readonly RecordType[] = [
  plain("A", ipv4),
  old("NS", name),
  old("CNAME", name),
  old("SOA", name, name, u32, period, period, period, period),
  old("PTR", name),
  plain("HINFO", string, string),
  old("MINFO", name, name),
  old("MX", u16, name),
  plain("TXT", strings),
  plain("RP", name, name),
  plain("AFSDB", u16, name),
  plain("AAAA", ipv6),
  plain("SRV", u16, u16, u16, name),
  plain("NAPTR", u16, u16, string, string, string, name),
  plain("KX", u16, name),
  plain("CERT", u16, u16, u8, base64),
  plain("DNAME", name),
  plain("DS", u16, u8, u8, hex),
  plain("SSHFP", u8, u8, hex),
  plain("RRSIG", typeCovered, u8, u8, u32, time, time, u16, name, base64),
  plain("NSEC", name, bitmap),
  plain("DNSKEY", u16, u8, u8, base64),
  plain("DHCID", base64),
  plain("NSEC3", u8, u8, u16, salt, hash, bitmap),
  plain("NSEC3PARAM", u8, u8, u16, salt),
  plain("TLSA", u8, u8, u8, hex),
  plain("SMIMEA", u8, u8, u8, hex),
  plain("CDS", u16, u8, u8, hex),
  plain("CDNSKEY", u16, u8, u8, base64),
  plain("OPENPGPKEY", base64),
  plain("CSYNC", u32, u16, bitmap),
  plain("ZONEMD", u32, u8, u8, hex),
  plain("SVCB", u16, name, serviceParameters),
  plain("HTTPS", u16, name, serviceParameters),
  plain("SPF", strings),
  plain("EUI48", eui(6)),
  plain("EUI64", eui(8)),
  plain("URI", u16, u16, text),
  plain("CAA", u8, tag, text),
];
