import { WireError } from "../error.ts";
import { ErrorCode, HEADER_LENGTH, HeaderError, MAX_MESSAGE, MessageType, RouteRefreshError } from "./codes.ts";
import type { Message, NotificationMessage, RouteRefreshMessage, WireContext } from "./message.ts";
import { readU16 } from "./octets.ts";
import { readOpen } from "./open.ts";
import { readUpdate } from "./update.ts";

/** The least octets of a message of each type (RFC 4271 §6.1, RFC 2918 §3). */
const LEAST: Readonly<Record<number, number>> = {
  [MessageType.Open]: 29,
  [MessageType.Update]: 23,
  [MessageType.Notification]: 21,
  [MessageType.Keepalive]: HEADER_LENGTH,
  [MessageType.RouteRefresh]: 23,
};

/**
 * Checks the header at `offset`, of which all 19 octets must be there (RFC 4271 §6.1).
 *
 * @returns the message's length
 * @throws WireError
 */
export function readHeader(bytes: Uint8Array, offset: number, { maxReceive }: WireContext): number {
  for (let i = offset; i < offset + 16; i++)
    if (bytes[i] !== 0xff)
      throw new WireError(ErrorCode.MessageHeader, HeaderError.ConnectionNotSynchronized, "the marker is not all ones");
  const length = readU16(bytes, offset + 16);
  const type = bytes[offset + 18] ?? 0;
  const least = LEAST[type];
  if (least === undefined)
    throw new WireError(
      ErrorCode.MessageHeader,
      HeaderError.BadMessageType,
      `message type ${type} is not known here`,
      Uint8Array.of(type),
    );
  // RFC 8654 §4: OPEN and KEEPALIVE are never longer than before.
  const most = type === MessageType.Keepalive ? HEADER_LENGTH : type === MessageType.Open ? MAX_MESSAGE : maxReceive;
  if (length < least || length > most)
    throw new WireError(
      ErrorCode.MessageHeader,
      HeaderError.BadMessageLength,
      `a message of type ${type} has ${length} octets, outside ${least} to ${most}`,
      bytes.slice(offset + 16, offset + 18),
    );
  return length;
}

/**
 * Reads one whole message, whose header has been checked.
 *
 * @throws WireError
 */
export function readMessage(message: Uint8Array, context: WireContext): Message {
  const body = message.subarray(HEADER_LENGTH);
  switch (message[18] ?? 0) {
    case MessageType.Open:
      return readOpen(body);
    case MessageType.Update: {
      const update = readUpdate(body, context);
      return update.problems === undefined ? update : { ...update, octets: message.slice() };
    }
    case MessageType.Notification:
      return readNotification(body);
    case MessageType.RouteRefresh:
      return readRouteRefresh(message, body);
    default:
      return { kind: "keepalive" };
  }
}

function readNotification(body: Uint8Array): NotificationMessage {
  return { kind: "notification", code: body[0] ?? 0, subcode: body[1] ?? 0, data: body.slice(2) };
}

function readRouteRefresh(message: Uint8Array, body: Uint8Array): RouteRefreshMessage {
  if (body.length !== 4)
    throw new WireError(
      ErrorCode.RouteRefresh,
      RouteRefreshError.InvalidMessageLength,
      `a ROUTE-REFRESH has ${message.length} octets, not 23 (RFC 7313 §5)`,
      message.slice(),
    );
  return { kind: "route-refresh", family: { afi: readU16(body, 0), safi: body[3] ?? 0 }, subtype: body[2] ?? 0 };
}
