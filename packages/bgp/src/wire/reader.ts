import { WireError } from "../error.ts";
import { HEADER_LENGTH } from "./codes.ts";
import { readHeader, readMessage } from "./decode.ts";
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
  #bytes: Uint8Array = new Uint8Array();
  /** The buffer is ours to write to; else it is a chunk as it was pushed. */
  #own = false;
  #start = 0;
  #end = 0;
  #failure: WireError | undefined;

  /** Takes the next octets of the stream. They are kept, not copied, until `next` has read them; messages hold copies. */
  push(octets: Uint8Array): void {
    // A socket's Buffer, unlike a Uint8Array, would give messages views instead of copies: its slice() is one.
    const chunk = new Uint8Array(octets.buffer, octets.byteOffset, octets.length);
    const left = this.#end - this.#start;
    if (left === 0) {
      this.#bytes = chunk;
      this.#own = false;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    if (!this.#own || this.#end + chunk.length > this.#bytes.length) {
      // Twice what is needed, so that a stream of small chunks is copied a constant number of times.
      const grown = new Uint8Array(2 * (left + chunk.length));
      grown.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = grown;
      this.#own = true;
      this.#start = 0;
      this.#end = left;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /**
   * The next whole message, or `undefined` when more octets are needed.
   *
   * @throws WireError when the session must end; nothing can be read after it
   */
  next(): Message | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#end - this.#start < HEADER_LENGTH) return undefined;
    try {
      const end = this.#start + readHeader(this.#bytes, this.#start, this.context);
      if (end > this.#end) return undefined;
      const message = readMessage(this.#bytes.subarray(this.#start, end), this.context);
      this.#start = end;
      return message;
    } catch (error) {
      if (error instanceof WireError) this.#failure = error;
      throw error;
    }
  }
}
