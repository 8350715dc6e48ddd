import { FLAG, Name, RCODE, TYPE, WireError, decodeMessage, encodeMessage } from "@trivet/dns";

/** Asks what is sent over a flow and reads what comes back. */
export interface Wire {
  /** The bytes of the probe with this number; the buffer is used again for the next. */
  readonly request: (number: number) => Uint8Array;
  /** The lowest 16 bits of the number that an answer answers, and the instance that sent it; `undefined` when it is no answer. */
  readonly answer: (bytes: Buffer) => { readonly number: number; readonly by: string } | undefined;
}

const CHAOS = 3;

/** Who answers an anycast address: `id.server` CH TXT (RFC 4892). */
export function dnsWire(): Wire {
  const question = { name: Name.parse("id.server."), type: TYPE.TXT, class: CHAOS };
  const bytes = Buffer.from(encodeMessage({ id: 0, question }));
  // A name server says the same every time.
  const known = new Map<string, string | undefined>();
  return {
    request(number) {
      bytes.writeUInt16BE(number & 0xffff, 0);
      return bytes;
    },
    answer(message) {
      if (message.length < 12) return undefined;
      const rest = message.toString("latin1", 2);
      if (!known.has(rest)) known.set(rest, identity(message));
      const by = known.get(rest);
      return by === undefined ? undefined : { number: message.readUInt16BE(0), by };
    },
  };
}

/** The name server's name in an answer that has one. */
function identity(message: Buffer): string | undefined {
  try {
    const { flags, rcode, answers } = decodeMessage(message);
    const text = answers.find(({ type }) => type === TYPE.TXT)?.rdata;
    if ((flags & FLAG.QR) === 0 || rcode !== RCODE.NOERROR || text === undefined) return undefined;
    return Buffer.from(text.subarray(1, 1 + (text[0] ?? 0))).toString("utf8");
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

const ECHO = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;

/**
 * Echo request and reply (RFC 792, RFC 4443 §4); identifier and checksum are the kernel's.
 *
 * @param by who answers at the address
 */
export function echoWire(family: 4 | 6, by: string): Wire {
  const bytes = Buffer.alloc(16);
  bytes[0] = ECHO[family].request;
  return {
    request(number) {
      bytes.writeUInt16BE(number & 0xffff, 6);
      return bytes;
    },
    answer: (message) =>
      message.length >= 8 && message[0] === ECHO[family].reply ? { number: message.readUInt16BE(6), by } : undefined,
  };
}

/** The latest number, before `next`, with these lowest 16 bits. */
export function fullNumber(low: number, next: number): number {
  return next - 1 - ((next - 1 - low) & 0xffff);
}
