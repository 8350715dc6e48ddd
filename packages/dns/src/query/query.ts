import { CLASS, OPCODE, RCODE, TYPE } from "../wire/codes.ts";
import { OPTION } from "../wire/edns.ts";
import { foldOctet } from "../wire/name.ts";
import { Cookies } from "../limits/cookies.ts";

const HEADER = 12;
const MAX_NAME = 255;

/** Queries that get no answer at all. */
export const DROP = -1;

/**
 * A query, read in one pass and without allocating: one object serves all queries of a thread. Offsets are into the message.
 */
export class Query {
  id = 0;
  opcode = 0;
  /** The third and fourth octet of the header. */
  bits = 0;
  /** Where the question's name ends; 0 when there is no whole question. */
  nameEnd = 0;
  type = 0;
  class = 0;
  /** Of the name, without regard to case, and the type. */
  hash = 0;
  hasEdns = false;
  version = 0;
  udpSize = 512;
  dnssecOk = false;
  wantsNsid = false;
  /** The COOKIE option's data; length 0 when there is none. */
  cookieAt = 0;
  cookieLength = 0;
  /** Where the TSIG record begins; 0 when there is none. */
  tsigAt = 0;
  /** Where the authority section begins, with the client's SOA record in an IXFR query (RFC 1995 §3). */
  authorityAt = 0;
  readonly #seed: number;

  /** @param seed of the hash, so that nobody can choose names that collide */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Where the question ends. */
  get end(): number {
    return this.nameEnd === 0 ? HEADER : this.nameEnd + 4;
  }

  /**
   * Reads the query in `message[0..length)`.
   *
   * @returns {@link DROP}, NOERROR, or the RCODE of a query that cannot be answered
   */
  read(message: Uint8Array, length: number): number {
    this.nameEnd = 0;
    this.type = 0;
    this.hasEdns = false;
    this.version = 0;
    this.udpSize = 512;
    this.dnssecOk = false;
    this.wantsNsid = false;
    this.cookieLength = 0;
    this.tsigAt = 0;
    // An answer to an answer could go on forever.
    if (length < HEADER || ((message[2] ?? 0) & 0x80) !== 0) return DROP;
    this.id = word(message, 0);
    this.bits = word(message, 2);
    this.opcode = (this.bits >>> 11) & 0xf;
    if (this.opcode !== OPCODE.QUERY) return RCODE.NOTIMP;
    if (word(message, 4) !== 1 || word(message, 6) !== 0) return RCODE.FORMERR;
    if (!this.#readQuestion(message, length)) return RCODE.FORMERR;
    this.authorityAt = this.end;
    const authorities = word(message, 8);
    const additionals = word(message, 10);
    if (authorities > (this.type === TYPE.IXFR ? 1 : 0) || additionals > 3) return RCODE.FORMERR;
    if (authorities + additionals === 0) return this.end === length ? RCODE.NOERROR : RCODE.FORMERR;
    return this.#readRecords(message, length, authorities, additionals);
  }

  #readQuestion(message: Uint8Array, length: number): boolean {
    let at = HEADER;
    let hash = this.#seed;
    for (;;) {
      const label = at < length ? (message[at] ?? 0) : 0xff;
      if (label > 63 || at + label >= length || at - HEADER + label >= MAX_NAME) return false;
      hash = Math.imul(hash ^ label, 0x01000193);
      at++;
      if (label === 0) break;
      for (const last = at + label; at < last; at++) hash = Math.imul(hash ^ foldOctet(message[at] ?? 0), 0x01000193);
    }
    if (at + 4 > length) return false;
    this.nameEnd = at;
    this.type = word(message, at);
    this.class = word(message, at + 2);
    this.hash = Math.imul(hash ^ this.type, 0x01000193) >>> 0;
    return this.class !== CLASS.NONE && this.type !== TYPE.OPT && this.type !== TYPE.TSIG && this.type !== TYPE.TKEY;
  }

  #readRecords(message: Uint8Array, length: number, authorities: number, additionals: number): number {
    let at = this.end;
    for (let i = 0; i < authorities + additionals; i++) {
      const start = at;
      at = skipName(message, at, length);
      if (at < 0 || at + 10 > length || this.tsigAt !== 0) return RCODE.FORMERR;
      const type = word(message, at);
      const dataAt = at + 10;
      const dataLength = word(message, at + 8);
      if (dataAt + dataLength > length) return RCODE.FORMERR;
      if (type === TYPE.OPT && i >= authorities) {
        if (this.hasEdns || message[start] !== 0) return RCODE.FORMERR;
        this.hasEdns = true;
        this.udpSize = Math.max(512, word(message, at + 2));
        this.version = message[at + 5] ?? 0;
        this.dnssecOk = ((message[at + 6] ?? 0) & 0x80) !== 0;
        if (!this.#readOptions(message, dataAt, dataAt + dataLength)) return RCODE.FORMERR;
      } else if (type === TYPE.TSIG) this.tsigAt = start;
      at = dataAt + dataLength;
    }
    if (at !== length) return RCODE.FORMERR;
    return this.version > 0 ? RCODE.BADVERS : RCODE.NOERROR;
  }

  #readOptions(message: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at + 4 <= end) {
      const code = word(message, at);
      const length = word(message, at + 2);
      at += 4;
      if (at + length > end) return false;
      if (code === OPTION.NSID) this.wantsNsid = true;
      if (code === OPTION.COOKIE) {
        if (!Cookies.isWellFormed(length)) return false;
        this.cookieAt = at;
        this.cookieLength = length;
      }
      at += length;
    }
    return at === end;
  }
}

/** @returns the offset after the name, or a negative number when it is malformed; a pointer ends it */
function skipName(message: Uint8Array, start: number, length: number): number {
  let at = start;
  while (at < length && at - start <= MAX_NAME) {
    const label = message[at] ?? 0;
    if (label === 0) return at + 1;
    if (label >= 0xc0) return at + 2 <= length ? at + 2 : -1;
    if (label > 63) return -1;
    at += label + 1;
  }
  return -1;
}

function word(message: Uint8Array, at: number): number {
  return ((message[at] ?? 0) << 8) | (message[at + 1] ?? 0);
}
