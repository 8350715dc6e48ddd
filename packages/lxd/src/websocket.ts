import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { Client, WebSocket, ping } from "undici";
import type { Connection, Limits } from "./connection.ts";

/** Milliseconds: how often a peer is asked whether it lives, and how long it may be silent. */
export interface Heartbeat {
  readonly every: number;
  readonly deadAfter: number;
}

const HEARTBEAT: Heartbeat = { every: 10_000, deadAfter: 25_000 };
const PONG = "undici:websocket:pong";

export interface SocketHandlers {
  readonly message: (data: string | Buffer) => void;
  /** Once, with why. */
  readonly closed: (reason: string) => void;
}

export interface SocketOptions extends Limits {
  /** To open it, milliseconds. */
  readonly timeout: number;
  readonly heartbeat?: Heartbeat | undefined;
}

/** An open WebSocket whose peer is known to live: one that neither sends nor answers pings is closed. */
export interface LiveSocket {
  send(data: string | Uint8Array): void;
  /** Ends it at once, also when the peer no longer answers. */
  close(): void;
}

/**
 * Opens a WebSocket to the daemon.
 *
 * @throws DeadlineError, UnreachableError, UntrustedServerError; the reason of `signal`
 */
export async function openWebSocket(
  connection: Connection,
  path: string,
  options: SocketOptions,
  handlers: SocketHandlers,
): Promise<LiveSocket> {
  let tcp: Socket | undefined;
  // The standard's WebSocket cannot be ended without the peer's consent, so its TCP connection is kept at hand.
  const dispatcher = new Client(connection.origin, {
    connect: (target, done) => {
      connection.connector(target, (...result) => {
        tcp = result[1] ?? undefined;
        done(...result);
      });
    },
    headersTimeout: 0,
  });
  const end = (): void => {
    tcp?.destroy();
    void dispatcher.destroy();
  };
  const socket = new WebSocket(new URL(path, connection.origin.replace(/^http/, "ws")), { dispatcher });
  socket.binaryType = "arraybuffer";
  const live = attach(socket, end, options.heartbeat ?? HEARTBEAT, handlers);
  try {
    await connection.timed("WebSocket", { path, timeout: options.timeout, signal: options.signal }, async () => {
      await new Promise<void>((resolve, reject) => {
        socket.addEventListener("open", () => resolve(), { once: true });
        socket.addEventListener("error", (event) => reject(rootCause(event.error)), { once: true });
      });
    });
  } catch (error) {
    live.close();
    throw error;
  }
  return live;
}

function attach(socket: WebSocket, end: () => void, heartbeat: Heartbeat, handlers: SocketHandlers): LiveSocket {
  let heard = performance.now();
  const closed = (reason: string): void => {
    if (over) return;
    over = true;
    clearInterval(timer);
    unsubscribe(PONG, pong);
    end();
    if (opened) handlers.closed(reason);
  };
  let over = false;
  let opened = false;
  const pong = (message: unknown): void => {
    if ((message as { websocket: unknown }).websocket === socket) heard = performance.now();
  };
  subscribe(PONG, pong);
  const timer = setInterval(() => {
    if (!opened) return;
    if (performance.now() - heard > heartbeat.deadAfter) closed(`no sign of life for ${heartbeat.deadAfter} ms`);
    else ping(socket);
  }, heartbeat.every);
  socket.addEventListener("open", () => {
    opened = true;
    heard = performance.now();
  });
  socket.addEventListener("message", ({ data }) => {
    heard = performance.now();
    if (!over) handlers.message(typeof data === "string" ? data : Buffer.from(data as ArrayBuffer));
  });
  socket.addEventListener("close", ({ code, reason }) => closed(reason === "" ? `closed with code ${code}` : reason));
  return {
    send: (data) => socket.send(data),
    close: () => closed("closed here"),
  };
}

function rootCause(error: unknown): Error {
  let root = error as Error;
  while (root.cause instanceof Error) root = root.cause;
  return root;
}
