import { once } from "node:events";
import { type Server, type Socket, createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Address } from "@trivet/ip";
import type { Counters } from "../query/counters.ts";
import type { Endpoint } from "./udp.ts";

/** Octets a query may have; nothing longer makes sense here. */
const MAX_QUERY = 4096;
/** Octets of a transfer that are handed to the kernel between two turns of the event loop. */
const TURN = 256 * 1024;

export interface TcpLimits {
  /** Connections at a time; 256 unless told. A new one then takes the place of one that has not asked, or has been idle longest. */
  readonly connections?: number;
  /** Of one client, which is an IPv4 address or a /64 of IPv6; 32 unless told. */
  readonly perClient?: number;
  /** Milliseconds without a whole query or answer after which a connection ends, whatever drips in; 10,000 unless told. */
  readonly idleTimeout?: number;
}

export interface TcpListenerOptions {
  readonly listen: readonly Endpoint[];
  readonly limits: TcpLimits;
  readonly counters: Counters;
  /** The messages that answer a query, valid until the next is asked for; none when the connection is to be closed. */
  readonly answer: (query: Uint8Array, client: Uint8Array) => Iterable<Uint8Array>;
  /** An answer could not be made, which is a fault of ours; the connection is closed. */
  readonly onFault: (error: unknown) => void;
}

/** The TCP side (RFC 7766): queries of a connection are answered in their order, as many as come, until it is idle too long. */
export class TcpListener {
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();

  async start(options: TcpListenerOptions): Promise<void> {
    for (const { address, port: wanted } of options.listen) {
      // All addresses get the port that the first one got.
      const port = wanted === 0 ? this.port : wanted;
      const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket, options));
      this.#servers.push(server);
      server.listen({ host: address, port, ipv6Only: true });
      await once(server, "listening");
    }
  }

  /** The port of the first address. */
  get port(): number {
    const address = this.#servers[0]?.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async stop(): Promise<void> {
    const closed = this.#servers.splice(0).map(async (server) => {
      server.close();
      await once(server, "close");
    });
    for (const connection of this.#connections) connection.close();
    await Promise.all(closed);
  }

  #accept(socket: Socket, options: TcpListenerOptions): void {
    const { counters } = options;
    const { connections = 256, perClient = 32, idleTimeout = 10_000 } = options.limits;
    const address = Address.tryParse((socket.remoteAddress ?? "").replace(/%.*$/, ""));
    if (address === undefined) {
      socket.destroy(); // it is gone already
      return;
    }
    const client = address.bytes.subarray(0, 8).join(".");
    if ([...this.#connections].filter((other) => other.client === client).length >= perClient) {
      counters.add("tcpRejected");
      socket.destroy();
      return;
    }
    if (this.#connections.size >= connections) {
      counters.add("tcpRejected");
      [...this.#connections].reduce((a, b) => (b.isRatherClosedThan(a) ? b : a)).close();
    }
    counters.add("tcpConnections");
    const connection = new Connection(socket, client, {
      idleTimeout,
      answer: (query) => options.answer(query, address.bytes),
      onTimeout: () => counters.add("tcpTimeouts"),
      onFault: options.onFault,
    });
    this.#connections.add(connection);
    socket.on("close", () => this.#connections.delete(connection));
  }
}

interface ConnectionOptions {
  readonly idleTimeout: number;
  readonly answer: (query: Uint8Array) => Iterable<Uint8Array>;
  readonly onTimeout: () => void;
  readonly onFault: (error: unknown) => void;
}

class Connection {
  readonly client: string;
  /** Milliseconds, for comparison only. */
  #lastActive = performance.now();
  #hasAsked = false;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  /** Not the socket's own, which single octets would put off forever. */
  readonly #timer: NodeJS.Timeout;
  #input: Buffer = Buffer.alloc(0);
  #busy = false;
  #ended = false;

  constructor(socket: Socket, client: string, options: ConnectionOptions) {
    this.client = client;
    this.#socket = socket;
    this.#options = options;
    this.#timer = setTimeout(() => {
      options.onTimeout();
      this.close();
    }, options.idleTimeout);
    socket.on("close", () => clearTimeout(this.#timer));
    // A client that resets its connection has got what it wanted, or has given up.
    socket.on("error", () => this.close());
    // A client that has asked all it wants still waits for the answers.
    socket.on("end", () => {
      this.#ended = true;
      if (!this.#busy) socket.end();
    });
    socket.on("data", (chunk: Buffer) => {
      this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
      if (!this.#busy) void this.#serve();
    });
  }

  /** One that has never asked goes before one that has, and of two alike the one that has been idle longer. */
  isRatherClosedThan(other: Connection): boolean {
    return this.#hasAsked === other.#hasAsked ? this.#lastActive < other.#lastActive : !this.#hasAsked;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #serve(): Promise<void> {
    this.#busy = true;
    const socket = this.#socket;
    // While answers wait, the kernel's buffer is what holds the client back.
    socket.pause();
    try {
      for (let query = this.#next(); query !== undefined && !socket.destroyed; query = this.#next()) {
        this.#progress();
        if (!(await this.#send(this.#options.answer(query)))) socket.destroy();
      }
    } catch (error) {
      // It must not take the other connections along; the client sees a closed one and asks elsewhere.
      socket.destroy();
      this.#options.onFault(error);
    }
    this.#busy = false;
    if (this.#ended) socket.end();
    else socket.resume();
  }

  #next(): Buffer | undefined {
    const input = this.#input;
    if (input.length < 2) return undefined;
    const length = input.readUInt16BE(0);
    if (length > MAX_QUERY) {
      this.close();
      return undefined;
    }
    if (input.length < 2 + length) return undefined;
    this.#input = input.subarray(2 + length);
    return input.subarray(2, 2 + length);
  }

  #progress(): void {
    this.#lastActive = performance.now();
    this.#hasAsked = true;
    this.#timer.refresh();
  }

  /** @returns false when there was nothing to send */
  async #send(messages: Iterable<Uint8Array>): Promise<boolean> {
    const socket = this.#socket;
    let any = false;
    let sinceTurn = 0;
    for (const message of messages) {
      any = true;
      const frame = Buffer.allocUnsafe(message.length + 2);
      frame.writeUInt16BE(message.length);
      frame.set(message, 2);
      if (!socket.write(frame)) await writable(socket);
      if (socket.destroyed) return true;
      this.#progress();
      sinceTurn += frame.length;
      if (sinceTurn > TURN) {
        sinceTurn = 0;
        await nextTurn();
      }
    }
    return any;
  }
}

/** Waits until the socket takes more, or is gone. */
async function writable(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}
