import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { type Socket, connect } from "node:net";
import { systemClock } from "../clock.ts";
import { ExchangeError, WireError } from "../error.ts";
import type { TsigKey } from "../tsig/key.ts";
import { ResponseVerifier, signQuery } from "../tsig/tsig.ts";
import { FLAG, OPCODE, RCODE, TYPE, rcodeText } from "../wire/codes.ts";
import type { Edns } from "../wire/edns.ts";
import { type Message, decodeMessage, encodeMessage } from "../wire/message.ts";
import type { Name } from "../wire/name.ts";
import { readSoa } from "../wire/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";

export interface ClientOptions {
  readonly address: string;
  readonly port: number;
  readonly key?: TsigKey;
  /** Milliseconds for an answer, over whatever it comes; in a transfer for each message. 5,000 unless told. */
  readonly timeout?: number;
}

export interface QueryOptions extends ClientOptions {
  readonly tcp?: boolean;
  readonly edns?: Partial<Edns>;
  readonly flags?: number;
}

const TIMEOUT = 5_000;

/**
 * Asks one server one question, over UDP, and by TCP when the answer is truncated.
 *
 * @throws ExchangeError when there is no answer in time, or none to this question
 */
export async function query(name: Name, type: number, options: QueryOptions): Promise<Message> {
  const edns = { udpSize: 1232, extendedRcode: 0, version: 0, dnssecOk: false, options: [], ...options.edns };
  const plain = encodeMessage({ id: randomInt(0x10000), flags: options.flags ?? 0, question: { name, type }, edns });
  const exchange = prepare(plain, { name, type }, options);
  if (options.tcp === true) return exchange.check(await tcpExchange(exchange.message, options));
  const began = performance.now();
  const message = await udpExchange(exchange, options);
  if ((message.flags & FLAG.TC) === 0) return message;
  const left = Math.max(1, (options.timeout ?? TIMEOUT) - (performance.now() - began));
  return await query(name, type, { ...options, tcp: true, timeout: left });
}

/**
 * Tells a server that a zone has changed (RFC 1996).
 *
 * @throws ExchangeError when it does not acknowledge
 */
export async function notify(zone: Name, options: ClientOptions): Promise<void> {
  const plain = encodeMessage({
    id: randomInt(0x10000),
    flags: FLAG.AA,
    opcode: OPCODE.NOTIFY,
    question: { name: zone, type: TYPE.SOA },
  });
  const message = await udpExchange(prepare(plain, { name: zone, type: TYPE.SOA }, options), options);
  if (message.rcode !== RCODE.NOERROR) throw failure(options, `answered ${rcodeText(message.rcode)}`, message.rcode);
}

/**
 * Transfers a zone (RFC 5936): its records as they come, between two copies of the SOA record.
 *
 * @throws ExchangeError when the server refuses, stops before the end, or its signatures are wrong
 */
export async function* axfr(zone: Name, options: ClientOptions): AsyncGenerator<ResourceRecord> {
  let soas = 0;
  for await (const records of transfer(zone, TYPE.AXFR, undefined, options)) {
    for (const record of records) {
      yield record;
      if (record.type === TYPE.SOA) soas++;
    }
    if (soas >= 2) return;
  }
}

/**
 * Transfers what has changed since a version (RFC 1995).
 *
 * @param since the SOA record of that version
 * @returns the records as they came: one SOA record alone when there is nothing new; the whole zone when the second record is no
 *   SOA record; changes otherwise
 * @throws ExchangeError as {@link axfr}
 */
export async function ixfr(zone: Name, since: ResourceRecord, options: ClientOptions): Promise<ResourceRecord[]> {
  const all: ResourceRecord[] = [];
  for await (const records of transfer(zone, TYPE.IXFR, since, options)) {
    all.push(...records);
    if (isWhole(all)) return all;
  }
  return all;
}

/** RFC 1995 §4: the newest SOA record comes first, where the newest version's part begins, and last. */
function isWhole(records: readonly ResourceRecord[]): boolean {
  const [head, next] = records;
  if (head === undefined) return false;
  const newest = readSoa(head.rdata).serial;
  // A server that has nothing newer sends just its SOA record.
  if (next === undefined) return true;
  const copies = records.filter(({ type, rdata }) => type === TYPE.SOA && readSoa(rdata).serial === newest).length;
  return records.at(-1)?.type === TYPE.SOA && copies >= (next.type === TYPE.SOA ? 3 : 2);
}

async function* transfer(
  zone: Name,
  type: number,
  since: ResourceRecord | undefined,
  options: ClientOptions,
): AsyncGenerator<readonly ResourceRecord[]> {
  const authorities = since === undefined ? [] : [since];
  const plain = encodeMessage({ id: randomInt(0x10000), question: { name: zone, type }, authorities });
  const exchange = prepare(plain, { name: zone, type }, options);
  for await (const bytes of tcpMessages(exchange.message, options)) {
    const { answers, rcode } = exchange.check(bytes);
    if (rcode !== RCODE.NOERROR) throw failure(options, `transfer refused: ${rcodeText(rcode)}`, rcode);
    yield answers;
  }
  throw failure(options, "closed the connection before the transfer's end");
}

interface Exchange {
  /** To send. */
  readonly message: Uint8Array;
  /** @throws ExchangeError when these octets are no answer to it */
  readonly check: (bytes: Uint8Array) => Message;
}

/** Signs a query if there is a key, and makes the check of its answers. */
function prepare(
  plain: Uint8Array,
  question: { readonly name: Name; readonly type: number },
  options: ClientOptions,
): Exchange {
  const now = (): number => systemClock.now() / 1000;
  const signed = options.key && signQuery(plain, options.key, now());
  const verifier = options.key && signed && new ResponseVerifier(options.key, signed.mac);
  const id = ((plain[0] ?? 0) << 8) | (plain[1] ?? 0);
  return {
    message: signed?.message ?? plain,
    check(bytes) {
      try {
        const message = decodeMessage(bytes);
        if (message.id !== id || (message.flags & FLAG.QR) === 0 || !repeats(message, question))
          throw new WireError("an answer to another question");
        verifier?.verify(bytes, now());
        return message;
      } catch (error) {
        if (error instanceof WireError) throw failure(options, error.message);
        throw error;
      }
    },
  };
}

/** An error, and a further message of a transfer (RFC 5936 §2.2), may leave the question out. */
function repeats({ questions: [asked] }: Message, { name, type }: { name: Name; type: number }): boolean {
  return asked === undefined || (asked.type === type && asked.name.equals(name));
}

/** Waits for the answer; what else comes meanwhile is told only when nothing better does. */
async function udpExchange({ message, check }: Exchange, options: ClientOptions): Promise<Message> {
  const socket = createSocket(options.address.includes(":") ? "udp6" : "udp4");
  let late: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      let stray: unknown;
      const giveUp = (): void => reject(stray ?? failure(options, "did not answer in time"));
      late = setTimeout(giveUp, options.timeout ?? TIMEOUT);
      socket.on("message", (bytes) => {
        try {
          resolve(check(bytes));
        } catch (error) {
          stray = error;
        }
      });
      socket.on("error", (error) => reject(failure(options, error.message)));
      // Without a callback a connect that fails, for want of a route, is an error event.
      socket.on("connect", () => socket.send(message));
      socket.connect(options.port, options.address);
    });
  } finally {
    clearTimeout(late);
    socket.close();
  }
}

/** The first message, however slowly it comes, but no later than the timeout. */
async function tcpExchange(message: Uint8Array, options: ClientOptions): Promise<Uint8Array> {
  const messages = tcpMessages(message, options, AbortSignal.timeout(Math.ceil(options.timeout ?? TIMEOUT)));
  const { value } = await messages.next();
  await messages.return(undefined);
  return value ?? new Uint8Array();
}

/** @param deadline for all of them; the timeout is for the silence before each */
async function* tcpMessages(
  message: Uint8Array,
  options: ClientOptions,
  deadline?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const socket = connect(options.port, options.address);
  const late = (): void => {
    socket.destroy(failure(options, "did not answer in time"));
  };
  socket.setTimeout(options.timeout ?? TIMEOUT, late);
  deadline?.addEventListener("abort", late, { once: true });
  socket.write(Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 0xff), message]));
  try {
    yield* frames(socket);
  } catch (error) {
    if (error instanceof ExchangeError) throw error;
    throw failure(options, error instanceof Error ? error.message : String(error));
  } finally {
    socket.destroy();
  }
}

async function* frames(socket: Socket): AsyncGenerator<Uint8Array> {
  let input: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    input = input.length === 0 ? chunk : Buffer.concat([input, chunk]);
    while (input.length >= 2 && input.length >= 2 + input.readUInt16BE(0)) {
      const end = 2 + input.readUInt16BE(0);
      yield input.subarray(2, end);
      input = input.subarray(end);
    }
  }
}

function failure({ address, port }: ClientOptions, problem: string, rcode?: number): ExchangeError {
  return new ExchangeError(`${address} port ${port}`, problem, rcode);
}
