import { Cookies } from "../src/limits/cookies.ts";
import { Responder, type ResponderOptions } from "../src/query/responder.ts";
import { type Message, type MessageParts, decodeMessage, encodeMessage } from "../src/wire/message.ts";
import { parseType } from "../src/wire/mnemonic.ts";
import { Name } from "../src/wire/name.ts";
import { recordText } from "../src/wire/record.ts";
import { Zone } from "../src/zone/zone.ts";
import { ZoneStore } from "../src/zone/store.ts";
import { readZoneFile } from "../src/zonefile/reader.ts";

export const NOW = 1_700_000_000_000;
export const CLIENT = Uint8Array.of(192, 0, 2, 53);

export function zoneOf(origin: string, text: string): Zone {
  const name = Name.parse(origin);
  return Zone.build(name, readZoneFile(text, { origin: name }));
}

export function storeOf(...zones: Zone[]): ZoneStore {
  const store = new ZoneStore();
  for (const zone of zones) store.replace(zone);
  return store;
}

export function responderOf(zones: ZoneStore, options: Partial<ResponderOptions> = {}): Responder {
  return new Responder({ zones, now: () => NOW, ...options });
}

export const COOKIES = new Cookies(Buffer.from("e5e973e5a6b2a43f48e7dc849e37bfcf", "hex"));

export const EDNS = { udpSize: 1232, extendedRcode: 0, version: 0, dnssecOk: false, options: [] } as const;

/** The answer to raw octets; `undefined` when there is none. */
export function exchange(
  responder: Responder,
  bytes: Uint8Array,
  { tcp = false, client = CLIENT }: { tcp?: boolean; client?: Uint8Array } = {},
): Uint8Array | undefined {
  const out = new Uint8Array(0xffff);
  const length = responder.respond({ bytes, length: bytes.length, client, tcp }, out);
  return length === 0 ? undefined : out.slice(0, length);
}

/** Asks and takes the answer apart. */
export function ask(
  responder: Responder,
  name: string,
  type: string,
  parts: Partial<MessageParts> & { tcp?: boolean; client?: Uint8Array } = {},
): Message {
  const { tcp, client, ...rest } = parts;
  const query = encodeMessage({ id: 4711, question: { name: Name.parse(name), type: parseType(type) }, ...rest });
  const answer = exchange(responder, query, { ...(tcp === undefined ? {} : { tcp }), ...(client && { client }) });
  if (answer === undefined) throw new TypeError("no answer");
  return decodeMessage(answer);
}

/** An answer as people read it. */
export function shown({ rcode, flags, answers, authorities, additionals }: Message): {
  rcode: number;
  aa: boolean;
  answer: string[];
  authority: string[];
  additional: string[];
} {
  return {
    rcode,
    aa: (flags & 0x0400) !== 0,
    answer: answers.map(recordText),
    authority: authorities.map(recordText),
    additional: additionals.map(recordText),
  };
}
