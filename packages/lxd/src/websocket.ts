import { WebSocket } from "ws";
import type { Connection, Limits } from "./connection.ts";
import { statusError } from "./errors.ts";

/** Milliseconds: how often a peer is asked whether it lives, and how long it may be silent. */
export interface Heartbeat {
  readonly every: number;
  readonly deadAfter: number;
}

const HEARTBEAT: Heartbeat = { every: 10_000, deadAfter: 25_000 };

export interface SocketHandlers {
  readonly message: (data: string | Buffer) => void;
  /** Once, with why. */
  readonly closed: (reason: string) => void;
}

export interface SocketOptions extends Limits {
  /** To open it, milliseconds. */
  readonly timeout: number;
  readonly heartbeat?: Heartbeat | undefined;
  /**
   * Only listens: neither pings nor answers pings. The daemon may close such a socket at once after its last data, and a write to
   * a closed socket (EPIPE) would destroy what is not yet read.
   */
  readonly silent?: boolean;
}

/** An open WebSocket whose peer is known to live: unless it is silent, one that neither sends nor answers pings is closed. */
export interface LiveSocket {
  /** A string as a text frame, bytes as a binary one. */
  send(data: string | Buffer): void;
  /** Ends it at once, also when the peer no longer answers. */
  close(): void;
}

/**
 * Opens a WebSocket to the daemon.
 *
 * @throws DeadlineError, UnreachableError, UntrustedServerError, the error of a refusing status; the reason of `signal`
 */
export async function openWebSocket(
  connection: Connection,
  path: string,
  { timeout, signal, heartbeat = HEARTBEAT, silent = false }: SocketOptions,
  handlers: SocketHandlers,
): Promise<LiveSocket> {
  return await connection.timed("WebSocket", { path, timeout, signal }, async (ended) => {
    const socket = new WebSocket(new URL(path, connection.origin.replace(/^http/, "ws")), {
      createConnection: () => connection.dial(),
      perMessageDeflate: false,
      autoPong: !silent,
    });
    const giveUp = (): void => socket.terminate();
    ended.addEventListener("abort", giveUp, { once: true });
    return await new Promise<LiveSocket>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("unexpected-response", (_, { statusCode = 500 }) => {
        const site = { server: connection.name, call: `WebSocket ${path}`, status: statusCode };
        reject(statusError(site, `refused with status ${statusCode}`));
        socket.terminate();
      });
      // What follows the handshake at once must find its listeners.
      socket.on("open", () => {
        ended.removeEventListener("abort", giveUp);
        resolve(attach(socket, silent ? undefined : heartbeat, handlers));
      });
    });
  });
}

function attach(socket: WebSocket, heartbeat: Heartbeat | undefined, handlers: SocketHandlers): LiveSocket {
  let reason: string | undefined;
  let heard = performance.now();
  const alive = (): void => {
    heard = performance.now();
  };
  const end = (why: string): void => {
    reason ??= why;
    socket.terminate();
  };
  const beat = ({ deadAfter }: Heartbeat): void => {
    if (performance.now() - heard > deadAfter) end(`no sign of life for ${deadAfter} ms`);
    else socket.ping();
  };
  const timer = heartbeat === undefined ? undefined : setInterval(beat, heartbeat.every, heartbeat);
  socket.on("pong", alive);
  socket.on("ping", alive);
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    alive();
    if (reason === undefined) handlers.message(isBinary ? data : data.toString("utf8"));
  });
  socket.on("error", (error) => (reason ??= error.message));
  socket.on("close", (code, text) => {
    clearInterval(timer);
    handlers.closed(reason ?? (text.length > 0 ? text.toString("utf8") : `closed with code ${code}`));
  });
  return { send: (data) => socket.send(data), close: () => end("closed here") };
}
