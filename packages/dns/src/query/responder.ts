import { WireError } from "../error.ts";
import type { Cookies } from "../limits/cookies.ts";
import type { RateLimit, Verdict } from "../limits/rate-limit.ts";
import { type TransferRule, mayTransfer } from "../transfer/access.ts";
import {
  type Keyring,
  type Rejected,
  ResponseSigner,
  type Verified,
  signRejection,
  verifyQuery,
} from "../tsig/tsig.ts";
import { CLASS, EDE, FLAG, RCODE, TYPE } from "../wire/codes.ts";
import { Name } from "../wire/name.ts";
import type { ZoneStore } from "../zone/store.ts";
import { AnswerCache } from "./cache.ts";
import { Counters, INDEX, rcodeIndex } from "./counters.ts";
import { type Prepared, prepare } from "./prepared.ts";
import { DROP, Query } from "./query.ts";
import { Renderer } from "./render.ts";
import { copyOf } from "../wire/copy.ts";

export interface ResponderOptions {
  readonly zones: ZoneStore;
  readonly keys?: Keyring;
  /** Nobody may transfer anything unless told. */
  readonly transfers?: readonly TransferRule[];
  readonly cookies?: Cookies | undefined;
  readonly rateLimit?: RateLimit | undefined;
  /** Told to clients that ask (RFC 5001): which server of an anycast address answers. */
  readonly identity?: string | undefined;
  /** The greatest UDP answer, in octets; 1,232 (which fits every path) unless told. */
  readonly maxUdpSize?: number | undefined;
  /** Octets of encoded answers that are kept; 32 MiB unless told. */
  readonly cacheSize?: number | undefined;
  readonly counters?: Counters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of the hash of names; random in a server. */
  readonly seed?: number;
}

/** A query as it came. */
export interface Incoming {
  /** Holds the message at its beginning. */
  readonly bytes: Uint8Array;
  readonly length: number;
  /** The sender's address, 4 or 16 octets. */
  readonly client: Uint8Array;
  readonly tcp: boolean;
}

const MAX_TCP = 0xffff;
const CACHE_SIZE = 32 << 20;

/**
 * Answers queries: bytes in, bytes out, no state but the caches. The common case, a name that was asked for before, is a hash, a
 * comparison and a copy.
 */
export class Responder {
  /** The query that was answered last. */
  readonly query: Query;
  readonly counters: Counters;
  readonly #options: ResponderOptions;
  readonly #maxUdpSize: number;
  readonly #keys: Keyring;
  readonly #cache: AnswerCache;
  readonly #render: Renderer;
  readonly #unsubscribe: () => void;

  constructor(options: ResponderOptions) {
    const { identity = "", cookies, now, zones } = options;
    this.query = new Query(options.seed ?? 0x811c9dc5);
    this.counters = options.counters ?? new Counters();
    this.#options = options;
    this.#maxUdpSize = options.maxUdpSize ?? 1232;
    this.#keys = options.keys ?? new Map();
    this.#cache = new AnswerCache(options.cacheSize ?? CACHE_SIZE);
    this.#render = new Renderer(this.query, {
      udpSize: this.#maxUdpSize,
      identity: Buffer.from(identity, "utf8"),
      cookies,
      now,
    });
    this.#unsubscribe = zones.subscribe(() => this.#cache.clear());
  }

  /** Lets go of the zones. */
  close(): void {
    this.#unsubscribe();
  }

  /**
   * Answers one query.
   *
   * @param out where the answer goes: room for 65,535 octets with TCP, else for the greatest UDP answer
   * @returns the answer's length; 0 when there is none to send
   */
  respond(incoming: Incoming, out: Uint8Array): number {
    const { query, counters } = this;
    counters.addAt(incoming.tcp ? INDEX.tcpQueries : INDEX.udpQueries);
    const status = query.read(incoming.bytes, incoming.length);
    if (status === DROP) {
      counters.addAt(INDEX.unanswered);
      return 0;
    }
    if (status !== RCODE.NOERROR) return this.#answer(incoming, out, status, undefined);
    if (query.tsigAt !== 0) return this.#respondSigned(incoming, out);
    const prepared = this.#find(incoming, undefined);
    return this.#answer(incoming, out, prepared === undefined ? RCODE.REFUSED : RCODE.NOERROR, prepared);
  }

  /** An answer to the query that was read last which is nothing but an RCODE. */
  refuse(incoming: Incoming, out: Uint8Array, rcode: number): number {
    return this.#answer(incoming, out, rcode, undefined);
  }

  /**
   * Checks the signature of the query that was read last.
   *
   * @throws WireError when its TSIG record is malformed
   */
  verify({ bytes, length }: Incoming): Verified | Rejected {
    return verifyQuery(bytes.subarray(0, length), this.query.tsigAt, this.#keys, this.#options.now() / 1000);
  }

  /** The answer to a query whose signature is not good (RFC 8945 §5.2). */
  reject(incoming: Incoming, rejected: Rejected, out: Uint8Array): number {
    this.counters.add("tsigFailures");
    const length = this.#answer(incoming, out, RCODE.NOTAUTH, undefined);
    if (length === 0) return 0;
    const signed = signRejection(out.slice(0, length), rejected, this.#options.now() / 1000);
    out.set(signed);
    return signed.length;
  }

  /** Whether the client may transfer a zone. */
  mayTransfer(zone: Name, { client }: Incoming, verified: Verified | undefined): boolean {
    return mayTransfer(this.#options.transfers ?? [], zone, client, verified?.key);
  }

  #respondSigned(incoming: Incoming, out: Uint8Array): number {
    let verified: Verified | Rejected;
    try {
      verified = this.verify(incoming);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#answer(incoming, out, error.rcode, undefined);
    }
    if ("error" in verified) return this.reject(incoming, verified, out);
    const prepared = this.#find(incoming, verified);
    const size = verified.key.signatureSize;
    const length = this.#answer(incoming, out, prepared === undefined ? RCODE.REFUSED : RCODE.NOERROR, prepared, size);
    if (length === 0) return 0;
    const signed = new ResponseSigner(verified).sign(out.slice(0, length), this.#options.now() / 1000);
    out.set(signed);
    return signed.length;
  }

  #answer(incoming: Incoming, out: Uint8Array, rcode: number, prepared: Prepared | undefined, reserved = 0): number {
    const { counters } = this;
    const verdict = this.#judge(incoming, rcode, prepared);
    if (verdict !== "send") counters.addAt(INDEX.rateLimited);
    if (verdict === "drop") return 0;
    let length;
    if (verdict === "slip") length = this.#render.empty(incoming, out, FLAG.TC, rcode);
    else if (prepared === undefined)
      length = this.#render.empty(incoming, out, 0, rcode, rcode === RCODE.REFUSED ? EDE.NOT_AUTHORITATIVE : undefined);
    else {
      const limit = incoming.tcp ? MAX_TCP : Math.min(this.query.udpSize, this.#maxUdpSize);
      length = this.#render.prepared(incoming, out, prepared, limit - reserved);
    }
    if (((out[2] ?? 0) & (FLAG.TC >> 8)) !== 0) counters.addAt(INDEX.truncated);
    counters.addAt(rcodeIndex((prepared?.bits ?? rcode) & 0xf));
    return length;
  }

  /** TCP clients and those with a good cookie have shown that they are where they say they are. */
  #judge({ bytes, client, tcp }: Incoming, rcode: number, prepared: Prepared | undefined): Verdict {
    const { rateLimit, cookies, now } = this.#options;
    if (rateLimit === undefined || tcp) return "send";
    const { query } = this;
    const time = now();
    if (cookies !== undefined && query.cookieLength > 0) {
      const cookie = bytes.subarray(query.cookieAt, query.cookieAt + query.cookieLength);
      if (cookies.isValid(cookie, client, time / 1000)) return "send";
    }
    // Names that do not exist are endless, so all answers about them count as one; so do errors.
    const answer = prepared === undefined ? rcode : prepared.exists ? query.hash : 0x100;
    return rateLimit.judge(client, answer, time);
  }

  #find(incoming: Incoming, verified: Verified | undefined): Prepared | undefined {
    const { query } = this;
    const { bytes } = incoming;
    if (query.class !== CLASS.IN) return undefined;
    const cached = this.#cache.get(bytes, query);
    if (cached !== undefined) {
      this.counters.addAt(INDEX.cacheHits);
      return cached;
    }
    const name = Name.fromWire(copyOf(bytes, 12, query.nameEnd));
    if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) return this.#soaForTransfer(name, incoming, verified);
    const zone = this.#zoneFor(name, query.type);
    if (zone === undefined) return undefined;
    const prepared = prepare(zone, name, query.type);
    if (prepared.exists) this.#cache.set(bytes, query, prepared);
    return prepared;
  }

  /** RFC 1995 §4: over UDP the SOA record alone tells an IXFR client to come by TCP. RFC 5936 §4.2: there is no AXFR over UDP. */
  #soaForTransfer(name: Name, incoming: Incoming, verified: Verified | undefined): Prepared | undefined {
    const zone = this.#options.zones.get(name);
    const answered = zone !== undefined && this.query.type === TYPE.IXFR && this.mayTransfer(name, incoming, verified);
    return answered ? prepare(zone, name, TYPE.SOA) : undefined;
  }

  /** RFC 4035 §3.1.4.1: a DS record is of the parent's side of a zone cut. */
  #zoneFor(name: Name, type: number): ReturnType<ZoneStore["find"]> {
    const { zones } = this.#options;
    const zone = zones.find(name.key);
    if (type !== TYPE.DS || zone?.origin.equals(name) !== true || name.isRoot) return zone;
    return zones.find(name.parent.key) ?? zone;
  }
}
