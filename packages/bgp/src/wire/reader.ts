import { INITIAL_CONTEXT, type Message, type WireContext } from "./message.ts";

/**
 * Turns a TCP stream into messages.
 *
 * ```ts
 * reader.push(chunk);
 * for (let message = reader.next(); message !== undefined; message = reader.next()) handle(message);
 * ```
 *
 * `next` reads each message under the context of that moment, so `context` may be set while the loop handles an OPEN.
 */
export class MessageReader {
  context: WireContext = INITIAL_CONTEXT;

  /** Takes the next octets of the stream. They are not copied where they hold whole messages: do not reuse `chunk`. */
  push(chunk: Uint8Array): void {
    void chunk;
  }

  /**
   * The next whole message, or `undefined` when more octets are needed.
   *
   * @throws WireError when the session must end; nothing can be read after it
   */
  next(): Message | undefined {
    return undefined;
  }
}
