import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;
/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * The server's end of a WebSocket (RFC 6455) that sends text and reads nothing but the peer's pings and close: all that an event
 * stream needs.
 */
export class EventSocket {
  readonly #socket: Duplex;
  readonly #answers: () => boolean;
  #unread: Buffer;

  /**
   * Answers the upgrade.
   *
   * @param head what came after the request's headers
   * @param answers whether pings are answered
   * @param onClose called once
   */
  constructor(request: IncomingMessage, socket: Duplex, head: Buffer, answers: () => boolean, onClose: () => void) {
    this.#socket = socket;
    this.#answers = answers;
    this.#unread = head;
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${GUID}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => socket.destroy()); // the peer went away; `close` follows
    socket.once("close", onClose);
  }

  send(text: string): void {
    this.#write(OPCODE.text, Buffer.from(text));
  }

  /** Breaks the connection off, without a close frame. */
  drop(): void {
    this.#socket.destroy();
  }

  #write(opcode: number, payload: Buffer): void {
    if (this.#socket.writable) this.#socket.write(Buffer.concat([header(opcode, payload.length), payload]));
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (let frame = readFrame(this.#unread); frame !== undefined; frame = readFrame(this.#unread)) {
      this.#unread = this.#unread.subarray(frame.length);
      if (frame.opcode === OPCODE.ping && this.#answers()) this.#write(OPCODE.pong, frame.payload);
      if (frame.opcode === OPCODE.close) {
        this.#write(OPCODE.close, frame.payload);
        this.#socket.end();
      }
    }
  }
}

/** RFC 6455 §5.2; a server does not mask. */
function header(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.from([first, length]);
  const extended = Buffer.alloc(length < 65_536 ? 4 : 10);
  extended[0] = first;
  if (length < 65_536) {
    extended[1] = 126;
    extended.writeUInt16BE(length, 2);
  } else {
    extended[1] = 127;
    extended.writeBigUInt64BE(BigInt(length), 2);
  }
  return extended;
}

/** A masked frame of fewer than 126 bytes: clients send no other here. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const size = second & 0x7f;
  const length = 6 + size;
  if (bytes.length < length) return undefined;
  const mask = bytes.subarray(2, 6);
  const payload = Buffer.from(bytes.subarray(6, length).map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
  return { opcode: first & 0x0f, payload, length };
}
