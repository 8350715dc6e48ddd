import { type CallOptions, type Tagged, type WriteOptions, withQuery } from "./call.ts";
import { CALL_TIMEOUT, Connection, type RawAnswer, type RawRequest } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { AnswerError, type CallSite, UnreachableError, statusError } from "./errors.ts";
import { type EventOptions, streamEvents } from "./events.ts";
import { Operation } from "./operation.ts";
import type { StreamItem } from "./types/event.ts";
import type { OperationState } from "./types/operation.ts";
import type { Server } from "./types/server.ts";
import { type LiveSocket, type SocketHandlers, openWebSocket } from "./websocket.ts";

export interface ApiOptions {
  /** How errors name the server; its URL or socket path unless told. */
  readonly name?: string;
  /** The default time of a call, milliseconds; 15 s unless told. */
  readonly timeout?: number;
}

interface Sent {
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly longPoll?: boolean;
}

interface Envelope {
  readonly type: "sync" | "async" | "error";
  readonly metadata: unknown;
  readonly operation?: string;
  readonly error?: string;
  readonly error_code?: number;
}

/**
 * The REST API of one daemon: any path, typed by the caller. LXD and Incus answer alike.
 *
 * Every method throws an `LxdError` that names the server and the call, never later than its deadline.
 */
export class Api implements AsyncDisposable {
  /** How errors name the server. */
  readonly name: string;
  readonly #connection: Connection;
  readonly #timeout: number;
  #extensions: Promise<ReadonlySet<string>> | undefined;

  /** Opens nothing yet. */
  constructor(endpoint: Endpoint, options: ApiOptions = {}) {
    this.#connection = new Connection(endpoint, options.name);
    this.name = this.#connection.name;
    this.#timeout = options.timeout ?? CALL_TIMEOUT;
  }

  /** The answer's metadata. */
  async get<T>(path: string, options: CallOptions & { readonly longPoll?: boolean } = {}): Promise<T> {
    return (await this.read<T>(path, options)).value;
  }

  /** The answer's metadata and the ETag to change it with. */
  async read<T>(path: string, options: CallOptions & { readonly longPoll?: boolean } = {}): Promise<Tagged<T>> {
    const answer = await this.fetch("GET", path, { longPoll: options.longPoll === true }, options);
    const { metadata } = this.#envelope("GET", path, answer);
    const { etag } = answer.headers;
    return { value: metadata as T, etag: typeof etag === "string" ? etag : undefined };
  }

  /** Replaces. The operation has already succeeded where the daemon answers at once. */
  async put(path: string, json: unknown, options: WriteOptions = {}): Promise<Operation> {
    return await this.#change("PUT", path, json, options);
  }

  /** Merges; a configuration key set to `""` is removed. */
  async patch(path: string, json: unknown, options: WriteOptions = {}): Promise<Operation> {
    return await this.#change("PATCH", path, json, options);
  }

  async post(path: string, json: unknown, options: CallOptions = {}): Promise<Operation> {
    return await this.#change("POST", path, json, options);
  }

  async delete(path: string, options: CallOptions = {}): Promise<Operation> {
    return await this.#change("DELETE", path, undefined, options);
  }

  /** Sends bytes (a file, an image). */
  async upload(
    path: string,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    options: CallOptions = {},
  ): Promise<Operation> {
    return this.#operation("POST", path, await this.fetch("POST", path, { body, headers }, options));
  }

  /**
   * One exchange with any answer below 400, its body as bytes.
   *
   * @throws LxdError by the status otherwise
   */
  async fetch(method: RawRequest["method"], path: string, sent: Sent, options: CallOptions = {}): Promise<RawAnswer> {
    const target = withQuery(path, options);
    const json = sent.json === undefined ? undefined : JSON.stringify(sent.json);
    const body = json ?? sent.body;
    const headers = { ...(json === undefined ? {} : { "content-type": "application/json" }), ...sent.headers };
    try {
      const answer = await this.#connection.exchange({
        method,
        path: target,
        headers,
        ...(body === undefined ? {} : { body }),
        timeout: options.timeout ?? this.#timeout,
        signal: options.signal,
        longPoll: sent.longPoll === true,
      });
      if (answer.status < 400) return answer;
      throw statusError({ ...this.#site(method, target), status: answer.status }, reasonIn(answer.body));
    } catch (error) {
      // The daemon that comes back may be a newer one.
      if (error instanceof UnreachableError) this.#extensions = undefined;
      throw error;
    }
  }

  /**
   * The daemon's events, for ever, reconnecting by itself; each (re)connection begins with a `resync` item, because LXD does not
   * replay what was missed.
   *
   * Ends without an error when `signal` fires or the reader leaves its loop.
   */
  events(options: EventOptions = {}): AsyncGenerator<StreamItem, void, void> {
    return streamEvents(this.#connection, { timeout: this.#timeout, ...options });
  }

  /** A WebSocket of an operation (exec, console). */
  async socket(
    path: string,
    handlers: SocketHandlers,
    options: CallOptions & { readonly silent?: boolean } = {},
  ): Promise<LiveSocket> {
    const { timeout = this.#timeout, signal, silent = false } = options;
    const limits = signal === undefined ? { timeout, silent } : { timeout, silent, signal };
    return await openWebSocket(this.#connection, withQuery(path, options), limits, handlers);
  }

  /** Whether the daemon has an API extension. Asked once, and again after it was away. */
  async supports(extension: string, options: CallOptions = {}): Promise<boolean> {
    this.#extensions ??= this.get<Server>("/1.0", options).then(({ api_extensions }) => new Set(api_extensions));
    try {
      return (await this.#extensions).has(extension);
    } catch (error) {
      this.#extensions = undefined;
      throw error;
    }
  }

  /** Ends all connections; calls and streams under way fail. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #change(method: RawRequest["method"], path: string, json: unknown, options: WriteOptions): Promise<Operation> {
    const headers = options.etag === undefined ? {} : { "if-match": options.etag };
    return this.#operation(method, path, await this.fetch(method, path, { json, headers }, options));
  }

  #operation(method: string, path: string, answer: RawAnswer): Operation {
    const { type, metadata, operation } = this.#envelope(method, path, answer);
    const call = `${method} ${path}`;
    if (type !== "async") return new Operation(this, call, answered(metadata));
    const project = new URL(operation ?? "", "http://lxd").searchParams.get("project");
    return new Operation(this, call, metadata as OperationState, project ?? undefined);
  }

  #envelope(method: string, path: string, answer: RawAnswer): Envelope {
    const site = { ...this.#site(method, path), status: answer.status };
    let envelope: Envelope | null;
    try {
      envelope = JSON.parse(answer.body.toString("utf8")) as Envelope | null;
    } catch (cause) {
      throw new AnswerError({ ...site, cause }, "the answer is not JSON");
    }
    if (envelope?.type === "sync" || envelope?.type === "async") return envelope;
    if (envelope?.type !== "error") throw new AnswerError(site, "the answer is not of this API");
    // Incus says so of a failed operation that is waited for, with status 200.
    throw statusError({ ...site, status: envelope.error_code ?? 500 }, envelope.error ?? "no reason given");
  }

  #site(method: string, path: string): CallSite {
    return { server: this.name, call: `${method} ${path}` };
  }
}

/** The daemon's own words, or the beginning of whatever it said instead. */
function reasonIn(body: Buffer): string {
  const text = body.toString("utf8");
  try {
    const { error } = JSON.parse(text) as Envelope;
    if (typeof error === "string" && error !== "") return error;
  } catch {
    // Not LXD's envelope: a proxy's page, or a crash.
  }
  return text.slice(0, 200).trim() || "no reason given";
}

function answered(metadata: unknown): OperationState {
  const now = new Date().toISOString();
  return {
    id: "",
    class: "task",
    description: "answered at once",
    status: "Success",
    status_code: 200,
    metadata: metadata as OperationState["metadata"],
    resources: null,
    may_cancel: false,
    err: "",
    created_at: now,
    updated_at: now,
  };
}
