import type { Cookies } from "../limits/cookies.ts";
import { FLAG, TYPE } from "../wire/codes.ts";
import { OPTION } from "../wire/edns.ts";
import type { Prepared } from "./prepared.ts";
import type { Query } from "./query.ts";
import type { Incoming } from "./responder.ts";

const HEADER = 12;
const RD_CD = FLAG.RD | FLAG.CD;
/** An OPT record without options, and a COOKIE option. */
const OPT_SIZE = 11;
const COOKIE_SIZE = 28;
const SHORT = 128;

/** Writes answers into a buffer that the caller owns: no message is made on the heap. */
export class Renderer {
  readonly #query: Query;
  readonly #udpSize: number;
  readonly #identity: Uint8Array;
  readonly #cookies: Cookies | undefined;
  readonly #now: () => number;

  /** @param query is read at the time of each answer */
  constructor(
    query: Query,
    options: {
      readonly udpSize: number;
      readonly identity: Uint8Array;
      readonly cookies: Cookies | undefined;
      readonly now: () => number;
    },
  ) {
    this.#query = query;
    this.#udpSize = options.udpSize;
    this.#identity = options.identity;
    this.#cookies = options.cookies;
    this.#now = options.now;
  }

  /** An answer without records. */
  empty(incoming: Incoming, out: Uint8Array, bits: number, rcode: number, extendedError?: number): number {
    this.#header(incoming.bytes, out, bits | (rcode & 0xf), 0, 0, 0);
    return this.#opt(incoming, out, this.#query.end, rcode, extendedError);
  }

  /** An answer with as much as `limit` octets hold; a truncated one when that is too little. */
  prepared(incoming: Incoming, out: Uint8Array, prepared: Prepared, limit: number): number {
    const { end } = this.#query;
    const { bits, length, neededLength } = prepared;
    const room = limit - end - this.#optSize();
    if (length <= room) {
      this.#header(incoming.bytes, out, bits, prepared.answers, prepared.authorities, prepared.additionals);
      return this.#opt(incoming, out, copyBody(prepared, length, out, end), 0, undefined);
    }
    if (neededLength <= room) {
      this.#header(incoming.bytes, out, bits, prepared.answers, prepared.authorities, prepared.neededAdditionals);
      return this.#opt(incoming, out, copyBody(prepared, neededLength, out, end), 0, undefined);
    }
    return this.empty(incoming, out, (bits & ~0xf) | FLAG.TC, bits & 0xf);
  }

  #header(
    bytes: Uint8Array,
    out: Uint8Array,
    bits: number,
    answers: number,
    authorities: number,
    additionals: number,
  ): void {
    const query = this.#query;
    const { end } = query;
    out[0] = bytes[0] ?? 0;
    out[1] = bytes[1] ?? 0;
    put16(out, 2, FLAG.QR | (query.opcode << 11) | (query.bits & RD_CD) | bits);
    put16(out, 4, end === HEADER ? 0 : 1);
    put16(out, 6, answers);
    put16(out, 8, authorities);
    put16(out, 10, additionals + (query.hasEdns ? 1 : 0));
    for (let i = HEADER; i < end; i++) out[i] = bytes[i] ?? 0;
  }

  #optSize(): number {
    const query = this.#query;
    if (!query.hasEdns) return 0;
    return OPT_SIZE + (this.#sendsCookie() ? COOKIE_SIZE : 0) + (this.#sendsIdentity() ? 4 + this.#identity.length : 0);
  }

  /** RFC 6891 §6.1.1: a query with an OPT record gets one back, others never do. */
  #opt({ bytes, client }: Incoming, out: Uint8Array, start: number, rcode: number, extendedError?: number): number {
    const query = this.#query;
    if (!query.hasEdns) return start;
    out[start] = 0;
    put16(out, start + 1, TYPE.OPT);
    put16(out, start + 3, this.#udpSize);
    out[start + 5] = rcode >>> 4;
    out[start + 6] = 0;
    put16(out, start + 7, query.dnssecOk ? 0x8000 : 0);
    let at = start + OPT_SIZE;
    if (this.#sendsIdentity()) at = option(out, at, OPTION.NSID, this.#identity);
    if (this.#cookies !== undefined && query.cookieLength > 0) {
      const sent = bytes.subarray(query.cookieAt, query.cookieAt + query.cookieLength);
      at = option(out, at, OPTION.COOKIE, this.#cookies.make(sent, client, this.#now() / 1000));
    }
    if (extendedError !== undefined)
      at = option(out, at, OPTION.EXTENDED_ERROR, [extendedError >>> 8, extendedError & 0xff]);
    put16(out, start + 9, at - start - OPT_SIZE);
    return at;
  }

  #sendsCookie(): boolean {
    return this.#cookies !== undefined && this.#query.cookieLength > 0;
  }

  #sendsIdentity(): boolean {
    return this.#query.wantsNsid && this.#identity.length > 0;
  }
}

/** Most answers are a few dozen octets, for which a view costs more than it saves. @returns where the copy ends */
function copyBody({ body, start }: Prepared, length: number, out: Uint8Array, at: number): number {
  if (length > SHORT) out.set(body.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) out[at + i] = body[start + i] ?? 0;
  return at + length;
}

function option(out: Uint8Array, at: number, code: number, data: ArrayLike<number>): number {
  put16(out, at, code);
  put16(out, at + 2, data.length);
  out.set(data, at + 4);
  return at + 4 + data.length;
}

function put16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}
