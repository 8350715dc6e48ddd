import type { Clock } from "../clock.ts";
import { WireError } from "../error.ts";
import type { FsmAction, FsmEvent } from "../fsm/events.ts";
import { transition } from "../fsm/machine.ts";
import type { FsmConfig, FsmState } from "../fsm/state.ts";
import type { Connection, ConnectionHandler } from "../network.ts";
import type { Negotiated, SessionState } from "../session-info.ts";
import {
  HEADER_LENGTH,
  INITIAL_CONTEXT,
  MAX_EXTENDED_MESSAGE,
  MAX_MESSAGE,
  type Message,
  MessageReader,
  MessageType,
  type NotificationMessage,
  type OpenMessage,
  type RouteRefreshMessage,
  type UpdateMessage,
  type WireContext,
  encodeMessage,
} from "../wire/index.ts";
import { Timers } from "./timers.ts";

/** A peer's two links, the one that connects and the one that was accepted, tell it what happens on them. */
export interface LinkOwner {
  connect(handler: ConnectionHandler): Connection;
  /** Each step of the machine that changed its state. */
  moved(link: Link, from: SessionState, reason: string | undefined): void;
  /** An OPEN came. @returns false when this connection lost a collision */
  mayOpen(link: Link, message: OpenMessage): boolean;
  update(link: Link, message: UpdateMessage): void;
  refresh(link: Link, message: RouteRefreshMessage): void;
  notification(direction: "sent" | "received", message: NotificationMessage): void;
  /** All that was written has been handed to the system. */
  drained(link: Link): void;
  count(direction: "sent" | "received", kind: Message["kind"], messages: number): void;
  /** A connection is being closed. */
  closing(closed: Promise<void>): void;
}

/** One connection, or the attempt to make one: a state machine with its timers, and the TCP stream as messages. */
export class Link {
  state: FsmState;
  readonly #config: () => FsmConfig;
  readonly #localAsn: number;
  readonly #owner: LinkOwner;
  readonly #timers: Timers;
  #connection: Connection | undefined;
  #reader = new MessageReader();

  constructor(state: FsmState, config: () => FsmConfig, owner: LinkOwner, clock: Clock) {
    this.state = state;
    this.#config = config;
    this.#localAsn = config().localAsn;
    this.#owner = owner;
    this.#timers = new Timers(clock, (timer) => this.dispatch({ type: "timer", timer }));
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Takes a connection that the peer made. */
  accept(connection: Connection): ConnectionHandler {
    const handler = this.#handle(() => connection);
    this.#connection = connection;
    this.dispatch({ type: "tcp-established" });
    return handler;
  }

  dispatch(event: FsmEvent): void {
    const from = this.state.phase;
    const { state, actions } = transition(this.state, event, this.#config());
    this.state = state;
    let reason: string | undefined;
    for (const action of actions) {
      if (action.do === "failed") reason = action.reason;
      else this.#perform(action);
    }
    if (state.negotiated !== undefined && from === "open-sent")
      this.#reader.context = { ...this.context, extendedNextHop: state.negotiated.peerExtendedNextHop };
    if (from !== state.phase || reason !== undefined) this.#owner.moved(this, from, reason);
  }

  /** How messages are written, by what was negotiated. */
  get context(): WireContext {
    const { negotiated } = this.state;
    return negotiated === undefined ? INITIAL_CONTEXT : wireContext(negotiated, this.#localAsn);
  }

  /** Writes whole UPDATEs and the like. @returns false when the caller should wait for `drained` */
  write(chunks: readonly Uint8Array[]): boolean {
    const connection = this.#connection;
    if (connection === undefined) return false;
    for (const chunk of chunks) this.#countMessages(chunk);
    const writable = connection.write(chunks);
    if (connection.waiting === 0) this.dispatch({ type: "sent" });
    return writable;
  }

  send(message: Message): void {
    if (message.kind === "notification") this.#owner.notification("sent", message);
    this.#owner.count("sent", message.kind, 1);
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.write([encodeMessage(message, this.context)]);
    if (connection.waiting === 0) this.dispatch({ type: "sent" });
  }

  #perform(action: Exclude<FsmAction, { do: "failed" }>): void {
    switch (action.do) {
      case "connect": {
        const connection: Connection = this.#owner.connect(this.#handle(() => connection));
        this.#connection = connection;
        break;
      }
      case "close":
        if (this.#connection !== undefined) this.#owner.closing(this.#connection.end());
        this.#connection = undefined;
        this.#reader = new MessageReader();
        break;
      case "send":
        this.send(action.message);
        break;
      case "start-timer":
        this.#timers.start(action.timer, action.milliseconds);
        break;
      case "stop-timer":
        this.#timers.stop(action.timer);
        break;
    }
  }

  /** What happens on a connection that was given up is nobody's business any more. */
  #handle(which: () => Connection): ConnectionHandler {
    const current = (): boolean => this.#connection === which();
    return {
      connected: () => {
        if (current()) this.dispatch({ type: "tcp-established" });
      },
      data: (chunk) => {
        if (current()) this.#read(chunk, current);
      },
      drained: () => {
        if (!current()) return;
        this.dispatch({ type: "sent" });
        this.#owner.drained(this);
      },
      closed: (error) => {
        if (!current()) return;
        const reason = error === undefined ? "the peer closed the connection" : `connection: ${error.message}`;
        this.dispatch({ type: "tcp-failed", reason });
      },
    };
  }

  #read(chunk: Uint8Array, current: () => boolean): void {
    try {
      this.#reader.push(chunk);
      while (current()) {
        const message = this.#reader.next();
        if (message === undefined) return;
        this.#receive(message);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.dispatch({ type: "error", error });
    }
  }

  #receive(message: Message): void {
    this.#owner.count("received", message.kind, 1);
    switch (message.kind) {
      case "open":
        if (this.#owner.mayOpen(this, message)) this.dispatch({ type: "open", message });
        else this.dispatch({ type: "collision" });
        break;
      case "keepalive":
        this.dispatch({ type: "keepalive" });
        break;
      case "notification":
        this.#owner.notification("received", message);
        this.dispatch({ type: "notification", message });
        break;
      case "update":
        this.dispatch({ type: "update" });
        if (this.state.phase === "established") this.#owner.update(this, message);
        break;
      case "route-refresh":
        this.dispatch({ type: "route-refresh" });
        if (this.state.phase === "established") this.#owner.refresh(this, message);
        break;
    }
  }

  #countMessages(chunk: Uint8Array): void {
    let updates = 0;
    let refreshes = 0;
    for (let at = 0; at + HEADER_LENGTH <= chunk.length;) {
      if (chunk[at + 18] === MessageType.Update) updates++;
      else refreshes++;
      at += ((chunk[at + 16] as number) << 8) | (chunk[at + 17] as number);
    }
    if (updates > 0) this.#owner.count("sent", "update", updates);
    if (refreshes > 0) this.#owner.count("sent", "route-refresh", refreshes);
  }
}

function wireContext(negotiated: Negotiated, localAsn: number): WireContext {
  const { asn, families, fourOctetAs, extendedNextHop, extendedMessage } = negotiated;
  return {
    peering: asn === localAsn ? "internal" : "external",
    fourOctetAs,
    families,
    extendedNextHop,
    maxSend: extendedMessage ? MAX_EXTENDED_MESSAGE : MAX_MESSAGE,
    // This end's OPEN always has the capability.
    maxReceive: MAX_EXTENDED_MESSAGE,
  };
}
