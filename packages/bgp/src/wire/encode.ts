import type { Message, WireContext } from "./message.ts";

/**
 * One message, as it goes on the wire.
 *
 * @throws EncodeError when it does not fit `context.maxSend`, or holds what has no encoding
 */
export function encodeMessage(message: Message, context: WireContext): Uint8Array {
  void message;
  void context;
  throw new Error("being written");
}
