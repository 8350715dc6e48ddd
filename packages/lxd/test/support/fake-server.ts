import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FIXTURES = join(import.meta.dirname, "../fixtures");

/** A PEM file of the fixtures: certificates and keys of `server`, `other` and `client`. */
export function fixture(name: string): string {
  return readFileSync(join(FIXTURES, name), "utf8");
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that misbehaves as told: HTTP on a unix socket or TLS, WebSockets by hand. */
export class FakeServer implements AsyncDisposable {
  /** `GET /1.0?query`, in the order of arrival. */
  readonly requests: string[] = [];
  readonly sockets = new Set<Socket>();
  socketPath = "";
  url = "";
  handle: Handler = (_, response) => reply(response, 200, sync({}));
  /** An upgraded connection; its handshake is done unless this is `undefined`, which refuses it with 500. */
  onWebSocket: ((peer: Peer, request: IncomingMessage) => void) | undefined;
  readonly #server: Server;
  readonly #folder = mkdtempSync(join(tmpdir(), "trivet-fake-"));

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("error", () => undefined); // the client may reset it
      socket.on("close", () => this.sockets.delete(socket));
    });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.requests.push(`${request.method} ${request.url}`);
      this.handle(request, response);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
      this.requests.push(`WS ${request.url}`);
      if (this.onWebSocket === undefined) socket.end("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
      else this.onWebSocket(new Peer(request, socket), request);
    });
  }

  static async onSocket(): Promise<FakeServer> {
    const fake = new FakeServer(createServer());
    fake.socketPath = join(fake.#folder, "unix.socket");
    await fake.listen();
    return fake;
  }

  /** With the fixtures' server certificate; asks for a client certificate. */
  static async onTls(): Promise<FakeServer> {
    const tls = {
      cert: fixture("server.crt"),
      key: fixture("server.key"),
      requestCert: true,
      rejectUnauthorized: false,
    };
    const server = createTlsServer(tls);
    const fake = new FakeServer(server);
    server.on("tlsClientError", () => undefined); // the client refuses our certificate: that is what is tested
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    fake.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return fake;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.socketPath);
    await once(this.#server, "listening");
  }

  /** As a daemon that ends: its socket file is gone, its connections are closed. */
  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The server's end of a WebSocket. */
export class Peer {
  readonly socket: Socket;

  constructor(request: IncomingMessage, socket: Socket) {
    this.socket = socket;
    socket.on("end", () => socket.end()).resume();
    const key = `${request.headers["sec-websocket-key"] ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  }

  /** A text message. */
  send(text: string): void {
    const payload = Buffer.from(text);
    const length =
      payload.length < 126
        ? Buffer.from([payload.length])
        : Buffer.from([126, payload.length >> 8, payload.length & 0xff]);
    this.socket.write(Buffer.concat([Buffer.from([0x81]), length, payload]));
  }

  event(action: string): void {
    this.send(
      JSON.stringify({ type: "lifecycle", timestamp: "", metadata: { action, source: `/1.0/instances/${action}` } }),
    );
  }

  drop(): void {
    this.socket.destroy();
  }
}

export function reply(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}

export function sync(metadata: unknown): object {
  return { type: "sync", status: "Success", status_code: 200, metadata };
}

export function failure(code: number, error: string): object {
  return { type: "error", error_code: code, error };
}

export function operation(id: string, state: object): object {
  const whole = {
    id,
    class: "task",
    description: "",
    status: "Running",
    status_code: 103,
    metadata: null,
    err: "",
    may_cancel: true,
    ...state,
  };
  return { type: "async", operation: `/1.0/operations/${id}`, metadata: whole };
}
