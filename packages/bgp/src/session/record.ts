import type { Clock } from "../clock.ts";
import type { SessionFailure, SessionInfo, SessionState } from "../session-info.ts";
import type { Message, NotificationMessage } from "../wire/index.ts";

type Direction = "sent" | "received";
type Counters = Record<Message["kind"], number>;

/** What is remembered of a peer's sessions, for people. */
export class SessionRecord {
  readonly #clock: Clock;
  readonly #counters: Readonly<Record<Direction, Counters>> = { sent: noMessages(), received: noMessages() };
  #state: SessionState = "idle";
  #since: number;
  #established = 0;
  #lastFailure: SessionFailure | undefined;
  #notification: SessionFailure["notification"];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  get state(): SessionState {
    return this.#state;
  }

  move(to: SessionState): void {
    this.#state = to;
    this.#since = this.#clock.now();
    if (to === "established") this.#established++;
  }

  count(direction: Direction, kind: Message["kind"], messages: number): void {
    this.#counters[direction][kind] += messages;
  }

  /** A NOTIFICATION belongs to the failure that is noted next. */
  notification(direction: Direction, { code, subcode }: NotificationMessage): void {
    this.#notification = { direction, code, subcode };
  }

  /** @param harmless it says nothing about the peer, as a lost collision does */
  fail(reason: string, harmless: boolean): void {
    const notification = this.#notification;
    this.#notification = undefined;
    if (harmless) return;
    this.#lastFailure = { at: this.#clock.now(), reason, ...(notification === undefined ? {} : { notification }) };
  }

  info(): Pick<SessionInfo, "state" | "since" | "established" | "lastFailure" | "received" | "sent"> {
    return {
      state: this.#state,
      since: this.#since,
      established: this.#established,
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
      received: { ...this.#counters.received },
      sent: { ...this.#counters.sent },
    };
  }
}

function noMessages(): Counters {
  return { open: 0, update: 0, notification: 0, keepalive: 0, "route-refresh": 0 };
}
