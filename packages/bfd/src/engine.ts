import { SocketError } from "@trivet/sockopt";
import { BfdSocketError, type SessionFailure } from "./error.ts";
import {
  type Session,
  type SessionAction,
  type SessionEvent,
  type SessionTimers,
  detectionTime,
  newSession,
  step,
  toPacket,
  transmitInterval,
} from "./session.ts";
import { DIAGNOSTICS, type State, decodePacket, encodePacket } from "./wire/packet.ts";

/** One session as the engine is told of it; plain data, so that it can cross to a worker thread. */
export interface SessionSpec {
  /** Unique; how the owner speaks of the session. */
  readonly name: string;
  /** Address text, with `%zone` for link-local. */
  readonly peer: string;
  /** The local address to use; `undefined` lets the routing table choose. */
  readonly local: string | undefined;
  readonly multihop: boolean;
  readonly passive: boolean;
  /** Held administratively down (RFC 5880 §6.8.16). */
  readonly adminDown: boolean;
  readonly timers: SessionTimers;
}

/** What can be seen of a session. Times are in milliseconds. */
export interface SessionStatus {
  readonly name: string;
  readonly peer: string;
  readonly state: State;
  readonly diagnostic: string;
  readonly remoteState: State | undefined;
  readonly remoteDiagnostic: string | undefined;
  /** When the state was entered, on the engine's clock. */
  readonly since: number;
  /** Silence after which the peer is declared dead; `undefined` before it was heard. */
  readonly detectionTime: number | undefined;
  readonly transmitInterval: number | undefined;
  /** How often the session left Up. */
  readonly flaps: number;
  readonly sent: number;
  readonly received: number;
  readonly discarded: number;
  readonly lastDiscard: string | undefined;
}

/** Time and chance, injected. */
export interface Clock {
  /** Microseconds on a clock that never steps. */
  now(): number;
  /** Calls `run` once, `after` microseconds from now; returns what calls it off. */
  schedule(after: number, run: () => void): () => void;
  /** As `schedule`, for the time by which a packet must have come: those that have come are received first. */
  deadline(after: number, run: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
}

/** How packets leave: one port for each session (RFC 5881 §4). */
export interface Port {
  send(bytes: Uint8Array): void;
  close(): void;
}

/** How often, after the first time, a session that was up tells its peer that it is gone, and with how many microseconds between. */
const FAREWELLS = 2;
const FAREWELL_GAP = 50_000;

interface Entry {
  spec: SessionSpec;
  session: Session;
  readonly port: Port;
  cancelTransmit: (() => void) | undefined;
  cancelDetection: (() => void) | undefined;
  since: number;
  flaps: number;
  sent: number;
  received: number;
  discarded: number;
  lastDiscard: string | undefined;
}

/** All sessions of one endpoint: finds a packet's session, runs the timers, reports changes. Knows no socket. */
export class Engine {
  readonly #clock: Clock;
  readonly #open: (spec: SessionSpec) => Port;
  readonly #changed: (status: SessionStatus, from: State) => void;
  readonly #byName = new Map<string, Entry>();
  readonly #byDiscriminator = new Map<number, Entry>();
  readonly #byAddress = new Map<string, Entry>();
  /** Sessions that are gone and still tell their peers so. */
  readonly #leaving = new Set<{ readonly spec: SessionSpec; readonly end: () => void }>();
  #discards = 0;

  constructor(clock: Clock, open: (spec: SessionSpec) => Port, changed: (status: SessionStatus, from: State) => void) {
    this.#clock = clock;
    this.#open = open;
    this.#changed = changed;
  }

  /** Packets that belonged to no session. */
  get discards(): number {
    return this.#discards;
  }

  /**
   * Makes the sessions be exactly these. One whose timers or administrative state changed goes on; one whose addresses changed
   * starts anew; one that is gone tells its peer, for a tenth of a second.
   *
   * @throws BfdSocketError naming the sessions that could not be opened, after all the others were
   */
  setSessions(specs: readonly SessionSpec[]): void {
    const wanted = new Map(specs.map((spec) => [spec.name, spec]));
    for (const [name, entry] of this.#byName) {
      const spec = wanted.get(name);
      if (spec === undefined || addressKey(spec) !== addressKey(entry.spec) || spec.passive !== entry.spec.passive)
        this.#remove(entry);
    }
    const failures: SessionFailure[] = [];
    for (const spec of specs) {
      const entry = this.#byName.get(spec.name);
      try {
        if (entry === undefined) this.#add(spec);
        else this.#modify(entry, spec);
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
        failures.push({ name: spec.name, reason: error.message });
      }
    }
    if (failures.length > 0) throw new BfdSocketError(failures);
  }

  /**
   * Takes a received payload.
   *
   * @param peer the sender's address text, with zone for link-local
   * @param local the address of the socket it came to, where that is bound to one
   */
  receive(payload: Uint8Array, peer: string, local: string | undefined, multihop: boolean): void {
    const packet = decodePacket(payload);
    if ("discard" in packet) {
      this.#discards++;
      return;
    }
    const entry =
      packet.yourDiscriminator === 0
        ? (this.#byAddress.get(addressKey({ peer, local, multihop })) ??
          this.#byAddress.get(addressKey({ peer, local: undefined, multihop })))
        : this.#byDiscriminator.get(packet.yourDiscriminator);
    // The discriminator alone would let anyone on the link speak for the peer; and the multihop port anyone beyond it, since only the
    // other one is behind a filter (RFC 5881 §5).
    if (entry === undefined || entry.spec.peer !== peer || entry.spec.multihop !== multihop) {
      this.#discards++;
      return;
    }
    entry.received++;
    this.#apply(entry, { kind: "packet", packet });
  }

  statuses(): SessionStatus[] {
    return [...this.#byName.values()].map(toStatus);
  }

  /** Tells every peer that its session goes down by intent, for a tenth of a second, and forgets all. */
  close(): void {
    for (const entry of this.#byName.values()) this.#remove(entry);
  }

  #add(spec: SessionSpec): void {
    // The peer would take an older session's last words for this one's.
    for (const { spec: left, end } of this.#leaving)
      if (left.peer === spec.peer && left.multihop === spec.multihop) end();
    const entry: Entry = {
      spec,
      session: newSession(this.#freeDiscriminator(), spec.timers, spec.passive),
      port: this.#open(spec),
      cancelTransmit: undefined,
      cancelDetection: undefined,
      since: this.#clock.now(),
      flaps: 0,
      sent: 0,
      received: 0,
      discarded: 0,
      lastDiscard: undefined,
    };
    this.#byName.set(spec.name, entry);
    this.#byDiscriminator.set(entry.session.localDiscriminator, entry);
    this.#byAddress.set(addressKey(spec), entry);
    this.#apply(entry, { kind: spec.adminDown ? "admin-down" : "start" });
  }

  #modify(entry: Entry, spec: SessionSpec): void {
    const before = entry.spec;
    entry.spec = spec;
    const [was, is] = [before.timers, spec.timers];
    const same =
      was.desiredMinTx === is.desiredMinTx &&
      was.requiredMinRx === is.requiredMinRx &&
      was.detectMultiplier === is.detectMultiplier;
    if (!same) this.#apply(entry, { kind: "configure", timers: spec.timers });
    if (before.adminDown !== spec.adminDown) this.#apply(entry, { kind: spec.adminDown ? "admin-down" : "admin-up" });
  }

  #remove(entry: Entry): void {
    const { state } = entry.session;
    const interval = transmitInterval(entry.session);
    this.#apply(entry, { kind: "admin-down" });
    entry.cancelTransmit?.();
    entry.cancelDetection?.();
    this.#byName.delete(entry.spec.name);
    this.#byDiscriminator.delete(entry.session.localDiscriminator);
    this.#byAddress.delete(addressKey(entry.spec));
    if (state === "Up" && interval !== undefined) this.#sayAgain(entry, Math.min(interval, FAREWELL_GAP));
    else entry.port.close();
  }

  /**
   * A single packet may be lost, and the peer then takes what is meant for a failure. RFC 5880 §6.8.16 asks for packets over a detection
   * time; these are few and soon, so that they are sent also when the program ends.
   */
  #sayAgain({ spec, session, port }: Entry, gap: number): void {
    let cancel: () => void;
    const leaving = {
      spec,
      end: (): void => {
        cancel();
        this.#leaving.delete(leaving);
        port.close();
      },
    };
    const schedule = (left: number): void => {
      cancel = this.#clock.schedule(gap, () => {
        port.send(encodePacket(toPacket(session)));
        if (left > 1) schedule(left - 1);
        else leaving.end();
      });
    };
    schedule(FAREWELLS);
    this.#leaving.add(leaving);
  }

  #apply(entry: Entry, event: SessionEvent): void {
    const { session, actions } = step(entry.session, event, () => this.#clock.random());
    entry.session = session;
    for (const action of actions) this.#perform(entry, action);
  }

  #perform(entry: Entry, action: SessionAction): void {
    switch (action.kind) {
      case "send":
        entry.sent++;
        entry.port.send(encodePacket(action.packet));
        return;
      case "transmit-timer":
        entry.cancelTransmit?.();
        entry.cancelTransmit =
          action.after === undefined
            ? undefined
            : this.#clock.schedule(action.after, () => this.#apply(entry, { kind: "transmit" }));
        return;
      case "detection-timer":
        entry.cancelDetection?.();
        entry.cancelDetection =
          action.after === undefined
            ? undefined
            : this.#clock.deadline(action.after, () => this.#apply(entry, { kind: "detection-expired" }));
        return;
      case "state":
        entry.since = this.#clock.now();
        if (action.from === "Up") entry.flaps++;
        this.#changed(toStatus(entry), action.from);
        return;
      case "discard":
        entry.discarded++;
        entry.lastDiscard = action.reason;
    }
  }

  /** Nonzero, unique here, and not to be guessed (RFC 5880 §6.3, §10). */
  #freeDiscriminator(): number {
    for (;;) {
      const candidate = 1 + Math.floor(this.#clock.random() * 0xffff_ffff);
      if (!this.#byDiscriminator.has(candidate)) return candidate;
    }
  }
}

/** What a packet without a discriminator is told apart by. */
export function addressKey({ peer, local, multihop }: Pick<SessionSpec, "peer" | "local" | "multihop">): string {
  return `${multihop ? "multi" : "single"} ${local ?? "*"} ${peer}`;
}

function toStatus({ spec, session, since, flaps, sent, received, discarded, lastDiscard }: Entry): SessionStatus {
  const [detection, transmit] = [detectionTime(session), transmitInterval(session)];
  return {
    name: spec.name,
    peer: spec.peer,
    state: session.state,
    diagnostic: diagnosticText(session.diagnostic),
    remoteState: session.remote?.state,
    remoteDiagnostic: session.remote && diagnosticText(session.remote.diagnostic),
    since: since / 1000,
    detectionTime: detection === undefined ? undefined : detection / 1000,
    transmitInterval: transmit === undefined ? undefined : transmit / 1000,
    flaps,
    sent,
    received,
    discarded,
    lastDiscard,
  };
}

function diagnosticText(code: number): string {
  return DIAGNOSTICS[code] ?? `diagnostic ${code}`;
}
