import { setTimeout as pause } from "node:timers/promises";
import { type CallOptions, withQuery } from "./call.ts";
import { CALL_TIMEOUT, type Connection } from "./connection.ts";
import { AnswerError, LxdError, UnreachableError } from "./errors.ts";
import type { EventSubject, LifecycleEvent, LxdEvent, StreamItem } from "./types/event.ts";
import { type Heartbeat, openWebSocket } from "./websocket.ts";

export interface EventOptions extends Pick<CallOptions, "project" | "target" | "signal" | "timeout"> {
  /** All three unless told. */
  readonly types?: readonly LxdEvent["type"][];
  readonly allProjects?: boolean;
  /** Milliseconds between attempts to reconnect: the first, doubled up to the last; each randomly shortened by up to a half. */
  readonly backoff?: { readonly first: number; readonly last: number };
  readonly heartbeat?: Heartbeat;
  /** Events kept for a slow reader before they are dropped for a `resync`. */
  readonly buffer?: number;
}

const BACKOFF = { first: 250, last: 10_000 };
const BUFFER = 10_000;

/**
 * The daemon's events, for ever: it reconnects by itself. Ends, without an error, when `signal` fires or the reader leaves its loop.
 */
export async function* streamEvents(
  connection: Connection,
  options: EventOptions,
): AsyncGenerator<StreamItem, void, void> {
  const { first, last } = options.backoff ?? BACKOFF;
  const path = eventsPath(options);
  let reason: "connected" | "reconnected" = "connected";
  let delay = first;
  const left = (): boolean => options.signal?.aborted === true;
  while (!left()) {
    const queue = new EventQueue(connection.name, path, options.buffer ?? BUFFER);
    let failure: Error;
    try {
      const timeout = options.timeout ?? CALL_TIMEOUT;
      const limits = options.signal === undefined ? { timeout } : { timeout, signal: options.signal };
      const socket = await openWebSocket(connection, path, { ...limits, heartbeat: options.heartbeat }, queue);
      const stop = (): void => queue.closed("closed here");
      options.signal?.addEventListener("abort", stop, { once: true });
      try {
        delay = first;
        yield { type: "resync", reason };
        reason = "reconnected";
        failure = yield* queue.items();
      } finally {
        options.signal?.removeEventListener("abort", stop);
        socket.close();
      }
    } catch (error) {
      if (left()) return;
      if (!(error instanceof LxdError)) throw error;
      failure = error;
    }
    if (left()) return;
    const retryIn = Math.round(delay * (1 - Math.random() / 2));
    delay = Math.min(delay * 2, last);
    yield { type: "down", error: failure, retryIn };
    await sleep(retryIn, options.signal);
  }
}

/** Events between the socket and the reader. */
class EventQueue {
  readonly #site: { readonly server: string; readonly call: string };
  readonly #limit: number;
  #events: StreamItem[] = [];
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(server: string, path: string, limit: number) {
    this.#site = { server, call: `WebSocket ${path}` };
    this.#limit = limit;
  }

  readonly message = (data: string | Buffer): void => {
    let event: LxdEvent;
    try {
      event = parseEvent(data.toString());
    } catch (error) {
      this.#end(new AnswerError({ ...this.#site, cause: error }, "it sent an event that is none"));
      return;
    }
    if (this.#events.length >= this.#limit) this.#events = [{ type: "resync", reason: "overflow" }];
    this.#events.push(event);
    this.#wake?.();
  };

  readonly closed = (reason: string): void => {
    this.#end(new UnreachableError(this.#site, `the event stream ended: ${reason}`));
  };

  /** Until the socket is closed; returns why. */
  async *items(): AsyncGenerator<StreamItem, Error, void> {
    for (;;) {
      const batch = this.#events;
      this.#events = [];
      yield* batch;
      if (this.#events.length > 0) continue;
      if (this.#failure !== undefined) return this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    this.#wake?.();
  }
}

function parseEvent(text: string): LxdEvent {
  const event = JSON.parse(text) as LxdEvent;
  if (typeof event?.type !== "string" || typeof event.metadata !== "object") throw new TypeError("no type or metadata");
  return event;
}

function eventsPath({ types, allProjects, project, target }: EventOptions): string {
  const query = {
    ...(types === undefined ? {} : { type: types.join(",") }),
    ...(allProjects === true ? { "all-projects": "true" } : {}),
  };
  const scope = { ...(project === undefined ? {} : { project }), ...(target === undefined ? {} : { target }) };
  return withQuery("/1.0/events", { ...scope, query });
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/**
 * What a lifecycle event is about, from its source URL: one GET of it tells its new state.
 *
 * `/1.0/networks/n/forwards/192.0.2.1?project=p` is `{kind: "networks", name: "n", rest: ["forwards", "192.0.2.1"], project: "p"}`.
 */
export function eventSubject(event: LifecycleEvent): EventSubject {
  const url = new URL(event.metadata.source, "http://lxd");
  const [, ...parts] = url.pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const nested = parts[0] === "cluster" ? 2 : 1;
  return {
    kind: parts.slice(0, nested).join("/"),
    name: parts[nested] ?? "",
    rest: parts.slice(nested + 1),
    project: url.searchParams.get("project") ?? event.project ?? event.metadata.project ?? "default",
  };
}
