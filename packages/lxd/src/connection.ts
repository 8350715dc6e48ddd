import { type Socket, connect as connectSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Pool } from "undici";
import type { CallOptions } from "./call.ts";
import type { Endpoint } from "./endpoint.ts";
import { type CallSite, DeadlineError, LxdError, UnreachableError, UntrustedServerError } from "./errors.ts";
import { PinMismatch, pinned } from "./pin.ts";

/** Ordinary calls at once; long polls and WebSockets are not counted. */
const CONNECTIONS = 32;

export interface RawRequest {
  readonly method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Meant to be answered late, so it must not take a place from ordinary calls. */
  readonly longPoll?: boolean;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** The way to one daemon: HTTP with keep-alive over its socket or TLS, a deadline on everything. Opened by the first call. */
export class Connection {
  readonly name: string;
  readonly #endpoint: Endpoint;
  #pools: { readonly calls: Pool; readonly longPolls: Pool } | undefined;

  constructor(endpoint: Endpoint, name?: string) {
    this.#endpoint = endpoint;
    this.name = name ?? ("url" in endpoint ? endpoint.url : endpoint.socketPath);
  }

  /** `http://lxd` or `https://host:port`. */
  get origin(): string {
    return "url" in this.#endpoint ? new URL(this.#endpoint.url).origin : "http://lxd";
  }

  /** A connection of its own, for a WebSocket. */
  dial(): Socket {
    const endpoint = this.#endpoint;
    if (!("url" in endpoint)) return connectSocket({ path: endpoint.socketPath });
    const { hostname, port } = new URL(endpoint.url);
    return connectTls({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port === "" ? "443" : port),
      ...pinned(endpoint),
    });
  }

  /**
   * One exchange, whatever its status.
   *
   * @throws DeadlineError, UnreachableError, UntrustedServerError; the reason of `signal`
   */
  async exchange(request: RawRequest): Promise<RawAnswer> {
    const { calls, longPolls } = this.#open();
    const pool = request.longPoll === true ? longPolls : calls;
    return await this.timed(request.method, request, async (signal) => {
      const response = await pool.request({
        method: request.method,
        path: request.path,
        headers: { ...request.headers },
        body: request.body ?? null,
        signal,
      });
      const body = Buffer.from(await response.body.arrayBuffer());
      return { status: response.statusCode, headers: response.headers, body };
    });
  }

  /**
   * Gives `work` a signal that fires at the deadline or with the caller's own, waits for no longer than that, and names failures.
   *
   * @param verb how the call reads in an error: `GET`, `WebSocket`
   */
  async timed<T>(
    verb: string,
    call: { readonly path: string; readonly timeout: number; readonly signal?: AbortSignal | undefined },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    call.signal?.throwIfAborted();
    const timeout = Math.ceil(call.timeout);
    const deadline = AbortSignal.timeout(timeout);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
    try {
      // undici notices an abort only once it is connected, hence the race.
      return await Promise.race([work(signal), aborted(signal)]);
    } catch (error) {
      if (call.signal?.aborted === true) throw call.signal.reason;
      const site = { server: this.name, call: `${verb} ${call.path}`, cause: error };
      if (deadline.aborted) throw new DeadlineError(site, timeout);
      throw error instanceof LxdError ? error : transportError(site, error);
    }
  }

  /** Ends all connections; calls under way fail. */
  async close(): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    await Promise.all([pools?.calls.destroy(), pools?.longPolls.destroy()]);
  }

  #open(): { readonly calls: Pool; readonly longPolls: Pool } {
    const endpoint = this.#endpoint;
    const connect = "url" in endpoint ? { ...pinned(endpoint), ...POOLED } : { socketPath: endpoint.socketPath };
    // Time limits are the calls' own.
    const options = { connect, headersTimeout: 0, bodyTimeout: 0 };
    this.#pools ??= {
      calls: new Pool(this.origin, { ...options, connections: CONNECTIONS }),
      longPolls: new Pool(this.origin, options),
    };
    return this.#pools;
  }
}

/** A resumed TLS session would carry no certificate to compare with the pin; HTTP/2 would bring nothing here. */
const POOLED = { maxCachedSessions: 0, allowH2: false };

/** The default time of a call, milliseconds. */
export const CALL_TIMEOUT = 15_000;

export type Limits = Pick<CallOptions, "timeout" | "signal">;

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

const REASONS: Readonly<Record<string, readonly [what: string, remedy?: string]>> = {
  ENOENT: ["there is no such socket"],
  ECONNREFUSED: ["connection refused"],
  EACCES: ["no permission to open the socket", "run as root or as a member of its group"],
  ECONNRESET: ["the connection was reset"],
  UND_ERR_SOCKET: ["the daemon closed the connection"],
  UND_ERR_CONNECT_TIMEOUT: ["no connection in time", "is the address right and the server up?"],
};

/** OpenSSL's verdicts on a certificate that is not, and was not issued by, the pinned one. */
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|^CERT_/;

function transportError(site: CallSite, error: unknown): LxdError {
  if (error instanceof PinMismatch) return new UntrustedServerError(site, error.message);
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (UNTRUSTED.test(code)) return new UntrustedServerError(site, `its certificate is not the pinned one (${code})`);
  const [what, remedy] = REASONS[code] ?? [message];
  return remedy === undefined ? new UnreachableError(site, what) : new UnreachableError(site, what, remedy);
}
