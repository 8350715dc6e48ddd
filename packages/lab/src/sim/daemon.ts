import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { rm } from "node:fs/promises";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { clusterRoutes } from "./api-cluster.ts";
import { instanceRoutes } from "./api-instances.ts";
import { networkRoutes } from "./api-networks.ts";
import { zoneRoutes } from "./api-zones.ts";
import type { FaultBoard } from "./faults.ts";
import { operationView } from "./operations.ts";
import { type Call, type Reply, createRouter } from "./router.ts";
import { ApiError, type ClusterState, type LxdEvent } from "./state.ts";

const route = createRouter(clusterRoutes, networkRoutes, instanceRoutes, zoneRoutes);

/** Who listens for which events. */
interface Subscriber {
  readonly socket: WebSocket;
  readonly project: string | undefined;
  readonly types: ReadonlySet<string>;
}

/** A request that a daemon was sent, for who watches the simulator. */
export interface SeenRequest {
  readonly server: string;
  readonly method: string;
  /** With its query. */
  readonly url: string;
}

/** One server's LXD: the API on a unix socket, answering from the shared state, with the server's own faults. */
export class Daemon {
  readonly name: string;
  readonly socket: string;
  readonly #cluster: ClusterState;
  readonly #faults: FaultBoard;
  readonly #seen: (request: SeenRequest, outcome: "received" | "abandoned") => void;
  readonly #websockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, autoPong: false });
  readonly #subscribers = new Set<Subscriber>();
  readonly #connections = new Set<Socket>();
  readonly #held: LxdEvent[] = [];
  #http: Server | undefined;

  /** @param seen told of each request, and of those whose client gave up before the answer */
  constructor(
    name: string,
    socket: string,
    cluster: ClusterState,
    faults: FaultBoard,
    seen: (request: SeenRequest, outcome: "received" | "abandoned") => void,
  ) {
    this.name = name;
    this.socket = socket;
    this.#cluster = cluster;
    this.#faults = faults;
    this.#seen = seen;
  }

  async start(): Promise<void> {
    await rm(this.socket, { force: true });
    const http = createServer((request, response) => void this.#serve(request, response));
    http.keepAliveTimeout = 0;
    http.on("connection", (connection: Socket) => {
      this.#connections.add(connection);
      connection.once("close", () => this.#connections.delete(connection));
    });
    http.on("upgrade", (request, socket: Duplex, head: Buffer) => void this.#subscribe(request, socket, head));
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(this.socket, resolve);
    });
    this.#http = http;
    this.#cluster.on("event", this.#publish);
    this.#faults.on("change", this.#flush);
  }

  /** Ends the daemon as a crash does: every connection breaks, the socket is gone. */
  async stop(): Promise<void> {
    const http = this.#http;
    if (http === undefined) return;
    this.#http = undefined;
    this.#cluster.off("event", this.#publish);
    this.#faults.off("change", this.#flush);
    this.#held.length = 0;
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  /** Breaks all event streams off, and nothing else. */
  dropEventStreams(): void {
    for (const { socket } of this.#subscribers) socket.terminate();
  }

  readonly #publish = (event: LxdEvent): void => {
    if (this.#faults.of(this.name).loseEvents === true) return;
    if (this.#hangs) this.#held.push(event);
    else this.#send(event);
  };

  readonly #flush = (): void => {
    if (this.#hangs) return;
    for (const event of this.#held.splice(0)) this.#send(event);
  };

  get #hangs(): boolean {
    const { hang, only } = this.#faults.of(this.name);
    return (hang === true && only === undefined) || !this.#cluster.quorum;
  }

  #send(event: LxdEvent): void {
    const text = JSON.stringify(event);
    for (const { socket, project, types } of this.#subscribers)
      if (types.has(event.type) && (project === undefined || project === event.project)) socket.send(text);
  }

  async #subscribe(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? "/", "http://lxd");
    socket.on("error", () => socket.destroy());
    if (url.pathname !== "/1.0/events") return void socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    if ((await this.#admit(request, socket)) !== undefined)
      return void socket.end("HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n");
    if (socket.destroyed) return;
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
      const { searchParams } = url;
      const everywhere = searchParams.get("all-projects") === "true";
      const subscriber: Subscriber = {
        socket: websocket,
        project: everywhere ? undefined : (searchParams.get("project") ?? "default"),
        types: new Set((searchParams.get("type") ?? "lifecycle,operation").split(",")),
      };
      this.#subscribers.add(subscriber);
      websocket.on("close", () => this.#subscribers.delete(subscriber));
      websocket.on("error", () => websocket.terminate()); // the client went away
      websocket.on("ping", (data) => {
        if (!this.#hangs) websocket.pong(data);
      });
    });
  }

  /** Lets a request through its faults. @returns the HTTP status it shall fail with, if it shall */
  async #admit(request: IncomingMessage, connection: Duplex): Promise<number | undefined> {
    const { method = "GET", url = "/" } = request;
    const seen = { server: this.name, method, url };
    this.#seen(seen, "received");
    const gone = new AbortController();
    const onClose = (): void => gone.abort();
    connection.once("close", onClose);
    const faults = (): ReturnType<FaultBoard["forCall"]> => this.#faults.forCall(this.name, method, url);
    try {
      await this.#faults.until(() => faults().hang === true || !this.#cluster.quorum, gone.signal);
      const { delay, status } = faults();
      if (delay !== undefined) await pause(delay, undefined, { signal: gone.signal });
      return status;
    } catch (error) {
      if (!gone.signal.aborted) throw error;
      this.#seen(seen, "abandoned");
      return 499;
    } finally {
      connection.off("close", onClose);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      const status = await this.#admit(request, request.socket);
      if (response.destroyed) return;
      if (status !== undefined) return answerError(response, status, "simulated fault");
      answer(response, await this.#handle(request, body));
    } catch (error) {
      if (request.destroyed && response.destroyed) return; // nobody waits for the answer any more
      // Whatever else is thrown is a bug of the simulator, and shall fail the test it runs in.
      if (!(error instanceof ApiError)) throw error;
      answerError(response, error.status, error.message);
    }
  }

  async #handle(request: IncomingMessage, body: Record<string, unknown>): Promise<Reply> {
    const url = new URL(request.url ?? "/", "http://lxd");
    const match = route(request.method ?? "GET", url.pathname);
    if (match === undefined) throw new ApiError(404, "not found");
    const call: Call = {
      cluster: this.#cluster,
      server: this.name,
      query: url.searchParams,
      project: url.searchParams.get("project") ?? "default",
      recursion: Number(url.searchParams.get("recursion") ?? 0),
      body,
      ifMatch: request.headers["if-match"],
      param: (name) => decodeURIComponent(match.params[name] ?? ""),
    };
    return await match.handler(call);
  }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  if (text === "") return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new ApiError(400, `invalid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function answer(response: ServerResponse, reply: Reply): void {
  if ("operation" in reply) {
    const metadata = operationView(reply.operation);
    const operation = `/1.0/operations/${metadata.id}`;
    const head = { type: "async", status: "Operation created", status_code: 100, operation, error_code: 0, error: "" };
    send(response, 202, JSON.stringify({ ...head, metadata }), { Location: operation });
    return;
  }
  const head = `{"type":"sync","status":"Success","status_code":200,"operation":"","error_code":0,"error":"","metadata":`;
  send(
    response,
    reply.created === true ? 201 : 200,
    `${head}${reply.json}}`,
    reply.etag === undefined ? {} : { Etag: reply.etag },
  );
}

function answerError(response: ServerResponse, status: number, error: string): void {
  const body = { type: "error", status: "", status_code: 0, operation: "", error_code: status, error, metadata: null };
  send(response, status, JSON.stringify(body), {});
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string>): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(`${body}\n`);
}
