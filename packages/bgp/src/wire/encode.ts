import type { Family, Prefix } from "@trivet/ip";
import { EncodeError } from "../error.ts";
import { HEADER_LENGTH, MARKER, MAX_MESSAGE, MessageType } from "./codes.ts";
import { unicastFamily } from "./family.ts";
import type { Message, UpdateMessage, WireContext } from "./message.ts";
import { NlriBuffer } from "./nlri.ts";
import { OctetWriter, writeU16 } from "./octets.ts";
import { writeOpen } from "./open.ts";
import { encodeAttributes, encodeEndOfRib, packAnnouncements, packWithdrawals } from "./pack.ts";

/**
 * One message, as it goes on the wire. A NOTIFICATION's data is cut where it does not fit. An UPDATE either announces or withdraws,
 * and prefixes of one family (RFC 7606 §5.1); for many prefixes there are `packAnnouncements` and `packWithdrawals`.
 *
 * @throws EncodeError when it does not fit `context.maxSend`, or holds what has no encoding
 */
export function encodeMessage(message: Message, context: WireContext): Uint8Array {
  switch (message.kind) {
    case "open": {
      const writer = start(MessageType.Open);
      writeOpen(writer, message);
      return finish(writer, MAX_MESSAGE); // RFC 8654 §4: never longer
    }
    case "update":
      return encodeUpdate(message, context);
    case "notification": {
      const room = context.maxSend - HEADER_LENGTH - 2;
      const writer = start(MessageType.Notification).u8(message.code).u8(message.subcode);
      return finish(writer.bytes(message.data.subarray(0, room)), context.maxSend);
    }
    case "keepalive":
      return finish(start(MessageType.Keepalive), MAX_MESSAGE);
    case "route-refresh": {
      const { family, subtype } = message;
      const writer = start(MessageType.RouteRefresh).u16(family.afi).u8(subtype).u8(family.safi);
      return finish(writer, context.maxSend);
    }
  }
}

function encodeUpdate(message: UpdateMessage, context: WireContext): Uint8Array {
  const { withdrawn, announced, attributes, endOfRib } = message;
  const [announcement] = announced;
  if (announced.length + (withdrawn.length > 0 ? 1 : 0) + (endOfRib === undefined ? 0 : 1) !== 1)
    throw new EncodeError("an UPDATE holds one announcement, or withdrawals, or End-of-RIB (RFC 7606 §5.1)");
  if (endOfRib !== undefined) {
    const family = unicastFamily(endOfRib);
    if (family === undefined) throw new EncodeError(`End-of-RIB of AFI ${endOfRib.afi}, SAFI ${endOfRib.safi}`);
    return encodeEndOfRib(family);
  }
  if (announcement === undefined) {
    const { family, nlri } = encodePrefixes(withdrawn);
    return only(packWithdrawals(family, nlri, context));
  }
  if (attributes === undefined) throw new EncodeError("an announcement needs path attributes");
  const { family, nlri } = encodePrefixes(announcement.prefixes);
  return only(packAnnouncements(encodeAttributes(attributes, announcement.nextHop, family, context), nlri, context));
}

function encodePrefixes(prefixes: readonly Prefix[]): { family: Family; nlri: Uint8Array } {
  const family = prefixes[0]?.family;
  if (family === undefined || prefixes.some((prefix) => prefix.family !== family))
    throw new EncodeError("an UPDATE's prefixes are of one family, and at least one");
  const nlri = new NlriBuffer();
  for (const prefix of prefixes) nlri.add(prefix);
  return { family, nlri: nlri.bytes };
}

/** The message, when everything went into one. */
function only(chunks: Generator<Uint8Array, void, void>): Uint8Array {
  const [first, second] = chunks;
  const length = first === undefined ? 0 : ((first[16] ?? 0) << 8) | (first[17] ?? 0);
  if (first === undefined || second !== undefined || first.length !== length)
    throw new EncodeError("the prefixes do not fit one UPDATE");
  return first;
}

function start(type: number): OctetWriter {
  return new OctetWriter().bytes(MARKER).u16(0).u8(type);
}

function finish(writer: OctetWriter, max: number): Uint8Array {
  const bytes = writer.finish();
  if (bytes.length > max) throw new EncodeError(`a message of ${bytes.length} octets, where ${max} are allowed`);
  writeU16(bytes, 16, bytes.length);
  return bytes;
}
