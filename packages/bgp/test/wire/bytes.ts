import { Address, Prefix } from "@trivet/ip";
import { WireError } from "../../src/error.ts";
import {
  INITIAL_CONTEXT,
  type Message,
  MessageReader,
  type UpdateMessage,
  type WireContext,
} from "../../src/wire/index.ts";

/** Octets from hexadecimal text; blanks are for the eye. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** An eBGP session between today's speakers. */
export const external: WireContext = { ...INITIAL_CONTEXT, fourOctetAs: true, families: [4, 6] };
export const internal: WireContext = { ...external, peering: "internal" };
export const twoOctet: WireContext = { ...external, fourOctetAs: false };
export const extendedNextHop: WireContext = { ...external, extendedNextHop: true };
export const extended: WireContext = { ...external, maxSend: 65535, maxReceive: 65535 };

/** A message with its header, from its body. */
export function frame(type: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(19 + body.length);
  message.fill(0xff, 0, 16);
  message[16] = message.length >> 8;
  message[17] = message.length & 0xff;
  message[18] = type;
  message.set(body, 19);
  return message;
}

export function readAll(bytes: Uint8Array, context: WireContext = external): Message[] {
  const reader = new MessageReader();
  reader.context = context;
  reader.push(bytes);
  const messages: Message[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
  return messages;
}

export function readOne(bytes: Uint8Array, context: WireContext = external): Message {
  const [message, ...others] = readAll(bytes, context);
  if (message === undefined || others.length > 0) throw new Error("the bytes are not exactly one message");
  return message;
}

/** The NOTIFICATION that the bytes earn: code, subcode, data as hexadecimal text. */
export function fault(read: () => unknown): [code: number, subcode: number, data: string] {
  try {
    read();
  } catch (error) {
    if (error instanceof WireError) return [error.code, error.subcode, toHex(error.data)];
    throw error;
  }
  throw new Error("nothing was wrong");
}

/** One path attribute, with the length octets its value needs. */
export function attribute(flags: number, type: number, value: string): string {
  const length = hex(value).length;
  const header = length > 255 ? [flags | 0x10, type, length >> 8, length & 0xff] : [flags, type, length];
  return toHex(Uint8Array.from(header)) + value;
}

export interface UpdateParts {
  readonly withdrawn?: string;
  readonly attributes?: string;
  readonly nlri?: string;
}

/** An UPDATE from its three fields. */
export function updateBytes({ withdrawn = "", attributes = "", nlri = "" }: UpdateParts): Uint8Array {
  const sized = (field: string): string => hex(field).length.toString(16).padStart(4, "0") + field;
  return frame(2, hex(sized(withdrawn) + sized(attributes.replaceAll(/\s/g, "")) + nlri));
}

export function readUpdateParts(parts: UpdateParts, context: WireContext = external): UpdateMessage {
  const message = readOne(updateBytes(parts), context);
  if (message.kind !== "update") throw new Error("no UPDATE");
  return message;
}

export const prefixes = (...texts: string[]): Prefix[] => texts.map((text) => Prefix.parse(text));
export const address = (text: string): Address => Address.parse(text);

/** What every announcement must have: ORIGIN igp, AS_PATH 64496, NEXT_HOP 192.0.2.1. */
export const ORIGIN = attribute(0x40, 1, "00");
export const AS_PATH = attribute(0x40, 2, "02010000fbf0");
export const NEXT_HOP = attribute(0x40, 3, "c0000201");
export const MANDATORY = ORIGIN + AS_PATH + NEXT_HOP;
/** 198.51.100.0/24 */
export const NLRI = "18c63364";
