import type { Socket } from "node:net";
import { Address } from "@trivet/ip";
import type { Connection, ConnectionHandler, Endpoint } from "../network.ts";

/** Milliseconds that a closed connection may take to send what was written. */
const LINGER = 5_000;

/** A connection on a socket of Node. */
export class TcpConnection implements Connection {
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #local: Endpoint = { address: "", port: 0 };
  #error: Error | undefined;
  #ended = false;

  constructor(socket: Socket, remote: Endpoint, handler?: ConnectionHandler) {
    this.#socket = socket;
    this.remote = remote;
    socket.setNoDelay(true);
    if (handler !== undefined) this.handle(handler);
  }

  handle(handler: ConnectionHandler): void {
    const socket = this.#socket;
    socket.on("connect", () => handler.connected());
    socket.on("data", (chunk: Buffer) => {
      // After `end`, reading on lets the last message arrive: closing with unread data would reset the connection.
      if (!this.#ended) handler.data(chunk);
    });
    socket.on("drain", () => handler.drained());
    socket.on("error", (error) => (this.#error = error));
    socket.on("close", () => handler.closed(this.#error));
  }

  /** Nothing could be tried. */
  fail(error: Error): void {
    setImmediate(() => this.#socket.destroy(error));
  }

  get local(): Endpoint {
    const { localAddress, localPort } = this.#socket;
    // Node forgets it when the connection closes.
    if (localAddress !== undefined && localPort !== undefined)
      this.#local = { address: plain(localAddress), port: localPort };
    return this.#local;
  }

  get waiting(): number {
    return this.#socket.writableLength;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (this.#ended || socket.destroyed) return false;
    let writable = true;
    socket.cork();
    for (const chunk of chunks) writable = socket.write(chunk);
    socket.uncork();
    return writable;
  }

  async end(): Promise<void> {
    const socket = this.#socket;
    if (socket.closed) return;
    const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
    this.#close(socket);
    await closed;
  }

  #close(socket: Socket): void {
    if (this.#ended) return;
    this.#ended = true;
    if (socket.connecting) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), LINGER);
    socket.once("close", () => clearTimeout(timer));
    socket.end();
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }
}

/** Without the IPv4-mapped form, and canonical. */
export function plain(address: string): string {
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice(7);
  const [bare = "", zone] = address.split("%");
  const text = Address.parse(bare).toString();
  return zone === undefined ? text : `${text}%${zone}`;
}
