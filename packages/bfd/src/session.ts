import { type ControlPacket, DIAGNOSTIC, type State } from "./wire/packet.ts";

/** What one side wants of a session. Intervals are in microseconds. */
export interface SessionTimers {
  /** How often we would send while the session is up (bfd.DesiredMinTxInterval). */
  readonly desiredMinTx: number;
  /** How often we can bear to receive (bfd.RequiredMinRxInterval). */
  readonly requiredMinRx: number;
  /** After how many of our lost packets the peer declares us dead (bfd.DetectMult). */
  readonly detectMultiplier: number;
}

/** The state variables of RFC 5880 §6.8.1 that asynchronous mode needs. A value: {@link step} returns the next one. */
export interface Session {
  readonly timers: SessionTimers;
  /** A passive system sends nothing before it has heard the peer (RFC 5880 §6.1). */
  readonly passive: boolean;
  readonly state: State;
  readonly diagnostic: number;
  readonly localDiscriminator: number;
  readonly remote: Remote | undefined;
  /** A Poll Sequence is under way; "again" when another must follow it (RFC 5880 §6.5). */
  readonly poll: "none" | "active" | "again";
  /** The values in force until a Poll Sequence ends, where they differ from `timers` (RFC 5880 §6.8.3). */
  readonly txInForce: number;
  readonly rxInForce: number;
}

/** What the peer's newest packet said. */
export type Remote = Pick<
  ControlPacket,
  "state" | "diagnostic" | "myDiscriminator" | "desiredMinTx" | "requiredMinRx" | "detectMultiplier"
>;

export type SessionEvent =
  | { readonly kind: "start" }
  | { readonly kind: "packet"; readonly packet: ControlPacket }
  | { readonly kind: "transmit" }
  | { readonly kind: "detection-expired" }
  | { readonly kind: "admin-down" }
  | { readonly kind: "admin-up" }
  | { readonly kind: "configure"; readonly timers: SessionTimers };

/** What the owner of sockets and timers must do; `after` is in microseconds, `undefined` stops the timer. */
export type SessionAction =
  | { readonly kind: "send"; readonly packet: ControlPacket }
  | { readonly kind: "transmit-timer"; readonly after: number | undefined }
  | { readonly kind: "detection-timer"; readonly after: number | undefined }
  | { readonly kind: "state"; readonly from: State; readonly to: State }
  | { readonly kind: "discard"; readonly reason: string };

/** While a session is not up its packets are at least a second apart (RFC 5880 §6.8.3). */
const SLOW = 1_000_000;

export function newSession(localDiscriminator: number, timers: SessionTimers, passive = false): Session {
  return {
    timers,
    passive,
    state: "Down",
    diagnostic: DIAGNOSTIC.none,
    localDiscriminator,
    remote: undefined,
    poll: "none",
    txInForce: Math.max(timers.desiredMinTx, SLOW),
    rxInForce: timers.requiredMinRx,
  };
}

/** The time without a packet after which the peer is dead, in microseconds; `undefined` before it was heard (RFC 5880 §6.8.4). */
export function detectionTime(session: Session): number | undefined {
  const { remote } = session;
  return remote && remote.detectMultiplier * Math.max(session.rxInForce, remote.desiredMinTx);
}

/** The time between our packets before jitter; `undefined` when none may be sent (RFC 5880 §6.8.7). */
export function transmitInterval(session: Session): number | undefined {
  if (session.passive && session.remote === undefined) return undefined;
  if (session.remote?.requiredMinRx === 0) return undefined;
  return Math.max(session.txInForce, session.remote?.requiredMinRx ?? 1);
}

/**
 * One step of the session: asynchronous mode, no echo, no authentication (RFC 5880 §6.8).
 *
 * @param random uniform in [0, 1), for the jitter
 */
export function step(
  session: Session,
  event: SessionEvent,
  random: () => number,
): { session: Session; actions: SessionAction[] } {
  switch (event.kind) {
    case "start":
      return { session, actions: transmitNow(session, random) };
    case "transmit":
      return { session, actions: transmitNow(session, random) };
    case "packet":
      return receive(session, event.packet, random);
    case "detection-expired": {
      const silent = { ...session, remote: undefined };
      // What it said of how often it may be sent to is forgotten, too: one that wanted nothing (0) may be back.
      if (session.state === "AdminDown" || session.state === "Down")
        return { session: silent, actions: reschedule(session, silent, random) };
      return change(silent, "Down", DIAGNOSTIC.detectionExpired, random);
    }
    case "admin-down":
      return session.state === "AdminDown"
        ? { session, actions: [] }
        : change(session, "AdminDown", DIAGNOSTIC.adminDown, random);
    case "admin-up":
      return session.state === "AdminDown"
        ? change(session, "Down", DIAGNOSTIC.none, random)
        : { session, actions: [] };
    case "configure":
      return configure(session, event.timers, random);
  }
}

/** RFC 5880 §6.8.6, from where the session is known. */
function receive(
  session: Session,
  packet: ControlPacket,
  random: () => number,
): { session: Session; actions: SessionAction[] } {
  if (packet.demand) return discard(session, "the peer asks for demand mode, which is not supported");
  if (packet.yourDiscriminator !== 0 && packet.yourDiscriminator !== session.localDiscriminator)
    return discard(session, `your discriminator ${packet.yourDiscriminator} is not ours`);
  if (session.state === "AdminDown") return discard(session, "the session is administratively down");

  const heard: Session = { ...session, remote: packet };
  const settled = packet.final && session.poll !== "none" ? endPoll(heard) : heard;
  const next = transition(session.state, packet.state);
  const changed =
    next === undefined
      ? { session: settled, actions: reschedule(session, settled, random) }
      : change(settled, next, next === "Down" ? DIAGNOSTIC.neighborDown : DIAGNOSTIC.none, random);
  const actions = [...changed.actions];
  if (packet.poll) actions.push({ kind: "send", packet: { ...toPacket(changed.session), poll: false, final: true } });
  actions.push({ kind: "detection-timer", after: detectionTime(changed.session) });
  return { session: changed.session, actions };
}

/** The state diagram of RFC 5880 §6.2, as §6.8.6 words it; `undefined` for no change. */
function transition(local: State, remote: State): State | undefined {
  if (remote === "AdminDown") return local === "Down" ? undefined : "Down";
  if (local === "Down") return remote === "Down" ? "Init" : remote === "Init" ? "Up" : undefined;
  if (local === "Init") return remote === "Init" || remote === "Up" ? "Up" : undefined;
  return remote === "Down" ? "Down" : undefined;
}

function change(
  session: Session,
  to: State,
  diagnostic: number,
  random: () => number,
): { session: Session; actions: SessionAction[] } {
  const { timers } = session;
  const up = to === "Up";
  const next: Session = {
    ...session,
    state: to,
    diagnostic,
    txInForce: up ? timers.desiredMinTx : Math.max(timers.desiredMinTx, SLOW),
    rxInForce: timers.requiredMinRx,
    // Our advertised transmit interval changes with the state, which calls for a Poll Sequence (§6.8.3).
    poll: up ? "active" : "none",
  };
  return { session: next, actions: [{ kind: "state", from: session.state, to }, ...transmitNow(next, random)] };
}

/** RFC 5880 §6.8.3: what a change of the timers means while the session is up. */
function configure(
  session: Session,
  timers: SessionTimers,
  random: () => number,
): { session: Session; actions: SessionAction[] } {
  if (session.state !== "Up") {
    const next = {
      ...session,
      timers,
      txInForce: Math.max(timers.desiredMinTx, SLOW),
      rxInForce: timers.requiredMinRx,
    };
    return { session: next, actions: reschedule(session, next, random) };
  }
  const next: Session = {
    ...session,
    timers,
    // A longer interval must not be used, nor a shorter detection time, before the peer knows of it.
    txInForce: Math.min(session.txInForce, timers.desiredMinTx),
    rxInForce: Math.max(session.rxInForce, timers.requiredMinRx),
    poll: session.poll === "none" ? "active" : "again",
  };
  const actions: SessionAction[] = [
    ...transmitNow(next, random),
    { kind: "detection-timer", after: detectionTime(next) },
  ];
  return { session: next, actions };
}

function endPoll(session: Session): Session {
  if (session.poll === "again") return { ...session, poll: "active" };
  const up = session.state === "Up";
  const { desiredMinTx, requiredMinRx } = session.timers;
  return {
    ...session,
    poll: "none",
    txInForce: up ? desiredMinTx : Math.max(desiredMinTx, SLOW),
    rxInForce: requiredMinRx,
  };
}

/** What the session says now. */
export function toPacket(session: Session): ControlPacket {
  const { timers, remote } = session;
  return {
    diagnostic: session.diagnostic,
    state: session.state,
    poll: session.poll !== "none",
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    detectMultiplier: timers.detectMultiplier,
    myDiscriminator: session.localDiscriminator,
    yourDiscriminator: remote?.myDiscriminator ?? 0,
    desiredMinTx: session.state === "Up" ? timers.desiredMinTx : Math.max(timers.desiredMinTx, SLOW),
    requiredMinRx: timers.requiredMinRx,
    requiredMinEchoRx: 0,
  };
}

/** Sends a packet, when one may be sent, and sets the timer for the next. A change is told at once (RFC 5880 §6.8.7). */
function transmitNow(session: Session, random: () => number): SessionAction[] {
  const interval = transmitInterval(session);
  if (interval === undefined) return [{ kind: "transmit-timer", after: undefined }];
  return [
    { kind: "send", packet: toPacket(session) },
    { kind: "transmit-timer", after: jittered(interval, session.timers.detectMultiplier, random) },
  ];
}

/** The peer's words changed how often we may send: a shorter interval is taken up at once, a longer one after the next packet. */
function reschedule(before: Session, after: Session, random: () => number): SessionAction[] {
  const [was, is] = [transmitInterval(before), transmitInterval(after)];
  if (is === undefined) return was === undefined ? [] : [{ kind: "transmit-timer", after: undefined }];
  if (was !== undefined && is >= was) return [];
  return [{ kind: "transmit-timer", after: jittered(is, after.timers.detectMultiplier, random) }];
}

/** Each interval is shortened by 0 to 25 %, or by 10 to 25 % when a single loss would be fatal (RFC 5880 §6.8.7). */
function jittered(interval: number, detectMultiplier: number, random: () => number): number {
  const longest = detectMultiplier === 1 ? 0.9 : 1;
  return Math.floor(interval * (0.75 + random() * (longest - 0.75)));
}

function discard(session: Session, reason: string): { session: Session; actions: SessionAction[] } {
  return { session, actions: [{ kind: "discard", reason }] };
}
