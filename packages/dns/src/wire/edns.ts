import { WireError } from "../error.ts";
import { TYPE } from "./codes.ts";
import { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Options of EDNS (IANA "DNS EDNS0 Option Codes") that the code names. */
export const OPTION = { NSID: 3, COOKIE: 10, EXTENDED_ERROR: 15 } as const;

export interface EdnsOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** The content of an OPT record (RFC 6891 §6.1). */
export interface Edns {
  /** The greatest UDP message the sender takes, in octets. */
  readonly udpSize: number;
  /** The upper eight bits of the message's RCODE. */
  readonly extendedRcode: number;
  readonly version: number;
  /** "DNSSEC OK" (RFC 3225). */
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

/** Takes apart an OPT record whose class and TTL carry its header. */
export function readEdns(klass: number, ttl: number, rdata: Uint8Array): Edns {
  const options = [];
  const from = new Reader(rdata);
  while (from.left > 0) {
    const code = from.u16();
    options.push({ code, data: from.take(from.u16()) });
  }
  return {
    udpSize: klass,
    extendedRcode: ttl >>> 24,
    version: (ttl >>> 16) & 0xff,
    dnssecOk: (ttl & 0x8000) !== 0,
    options,
  };
}

export function writeEdns(to: Writer, edns: Edns): void {
  to.u8(0);
  to.u16(TYPE.OPT);
  to.u16(edns.udpSize);
  to.u8(edns.extendedRcode);
  to.u8(edns.version);
  to.u16(edns.dnssecOk ? 0x8000 : 0);
  to.u16(edns.options.reduce((sum, { data }) => sum + 4 + data.length, 0));
  for (const { code, data } of edns.options) {
    to.u16(code);
    to.u16(data.length);
    to.bytes(data);
  }
}

/** An extended error (RFC 8914 §2). */
export function readExtendedError(data: Uint8Array): { code: number; text: string } {
  if (data.length < 2) throw new WireError("an extended error without a code");
  return { code: new Reader(data).u16(), text: Buffer.from(data.subarray(2)).toString("utf8") };
}
