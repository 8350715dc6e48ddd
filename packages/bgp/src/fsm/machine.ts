/**
 * The finite state machine of RFC 4271 §8, one a connection: pure, (state, event, config) to (state, actions).
 *
 * §8.2.1.1 asks for one machine a connection until a collision is resolved. Here the *primary* machine of a peer connects and retries;
 * each accepted connection has a machine of its own that begins in Active and is thrown away when it falls to Idle. Collisions between
 * the two are the peer's business (`collision.ts`), which sends the loser the event `collision`.
 *
 * Where the RFC is not followed to the letter:
 * - a NOTIFICATION in OpenSent ends the session as in the later states; the text (§8.2.2, OpenSent, "any other event") would answer
 *   it with a NOTIFICATION, against §6.4;
 * - a passive primary never connects, not even when the ConnectRetryTimer would expire in Active;
 * - of the optional attributes (§8.1.1), DampPeerOscillations is always on; SendNOTIFICATIONwithoutOPEN and
 *   CollisionDetectEstablishedState are off.
 */
import { WireError } from "../error.ts";
import type { Negotiated, SessionState } from "../session-info.ts";
import {
  CeaseReason,
  ErrorCode,
  FsmError,
  type NotificationMessage,
  OpenError,
  cease,
  describeNotification,
  hardReset,
} from "../wire/index.ts";
import {
  jittered,
  restartHold,
  send,
  start,
  startConnectRetry,
  startIdleHold,
  startKeepalive,
  startSendHold,
  stop,
} from "./actions.ts";
import type { FsmAction, FsmEvent, TimerName } from "./events.ts";
import { buildOpen, negotiate } from "./open.ts";
import { type FsmConfig, type FsmState, IDLE_HOLD, type Step } from "./state.ts";

/** Seconds; RFC 4271 §8.2.2 suggests four minutes until the peer's OPEN says better. */
const LARGE_HOLD_TIME = 240;
/** RFC 8538 §5: the peer must forget the routes of a session that ends for one of these reasons, graceful restart or not. */
const HARD: ReadonlySet<number> = new Set([
  CeaseReason.MaximumPrefixes,
  CeaseReason.AdministrativeShutdown,
  CeaseReason.PeerDeconfigured,
  CeaseReason.BfdDown,
]);

/** One step of the machine. */
export function transition(state: FsmState, event: FsmEvent, config: FsmConfig): Step {
  switch (state.phase) {
    case "idle":
      return inIdle(state, event, config);
    case "connect":
    case "active":
      return beforeOpen(state, event, config);
    case "open-sent":
      return inOpenSent(state, event, config);
    case "open-confirm":
      return inOpenConfirm(state, event, config);
    case "established":
      return inEstablished(state, event, config);
  }
}

function inIdle(state: FsmState, event: FsmEvent, config: FsmConfig): Step {
  const begins = event.type === "start" || (event.type === "timer" && event.timer === "idleHold");
  if (begins) {
    const stopIdleHold = stop("idleHold");
    // A manual start forgets the past (§8.2.2, Idle).
    const fresh = event.type === "start" ? { ...state, connectRetryCounter: 0, idleHold: IDLE_HOLD.first } : state;
    if (config.passive) return to(fresh, "active", stopIdleHold);
    return to(fresh, "connect", stopIdleHold, startConnectRetry(config), { do: "connect" });
  }
  if (event.type === "restart") return { state, actions: [startIdleHold(state, config)] };
  if (event.type === "stop" && event.automatic !== true) return { state, actions: [stop("idleHold")] };
  return { state, actions: [] };
}

/** Connect and Active differ only in whether an attempt to connect is under way. */
function beforeOpen(state: FsmState, event: FsmEvent, config: FsmConfig): Step {
  switch (event.type) {
    case "start":
    case "restart":
    case "sent":
      return { state, actions: [] };
    case "stop":
      return ended(state, event, config);
    case "timer":
      if (event.timer === "connectRetry")
        return to(
          { ...state, delaying: false },
          "connect",
          { do: "close" },
          stop("delayOpen"),
          startConnectRetry(config),
          {
            do: "connect",
          },
        );
      if (event.timer === "delayOpen") return sendOpen(state, config);
      return failed(state, config, `${event.timer} timer expired in state ${state.phase}`);
    case "tcp-established":
      if (config.delayOpen > 0)
        return to(
          { ...state, delaying: true },
          state.phase,
          stop("connectRetry"),
          start("delayOpen", config.delayOpen),
        );
      return sendOpen(state, config);
    case "tcp-failed":
      if (state.delaying)
        return to({ ...state, delaying: false }, "active", stop("delayOpen"), startConnectRetry(config));
      return unreachable(state, config, event.reason);
    case "open": {
      if (!state.delaying) break;
      const sent = sendOpen(state, config);
      const confirmed = inOpenSent(sent.state, event, config);
      return { state: confirmed.state, actions: [...sent.actions, ...confirmed.actions] };
    }
    case "notification":
      // §8.2.2: a version error while the OPEN is delayed is no reason to be damped.
      return failed(state, config, received(event.message), undefined, state.delaying && isVersionError(event.message));
    case "error":
    case "collision":
    case "keepalive":
    case "update":
    case "route-refresh":
      break;
  }
  // SendNOTIFICATIONwithoutOPEN is off: before our OPEN, the connection is closed without a word.
  return failed(
    state,
    config,
    event.type === "error" ? event.error.message : `unexpected ${event.type} in state ${state.phase}`,
  );
}

function inOpenSent(state: FsmState, event: FsmEvent, config: FsmConfig): Step {
  switch (event.type) {
    case "start":
    case "restart":
    case "sent":
      return { state, actions: [] };
    case "stop":
      return ended(state, event, config);
    case "timer":
      if (event.timer === "hold") return failed(state, config, "hold timer expired", HOLD_TIMER_EXPIRED);
      break;
    case "tcp-failed":
      if (config.accepted || config.passive) return failed(state, config, event.reason);
      return to(state, "active", stop("hold"), { do: "close" }, startConnectRetry(config));
    case "open": {
      let negotiated: Negotiated;
      try {
        negotiated = negotiate(config, event.message);
      } catch (error) {
        if (error instanceof WireError) return failed(state, config, error.message, notificationOf(error));
        throw error;
      }
      const { holdTime, keepalive } = negotiated;
      return to(
        { ...state, negotiated },
        "open-confirm",
        stop("delayOpen"),
        stop("connectRetry"),
        send({ kind: "keepalive" }),
        holdTime === 0 ? stop("hold") : start("hold", holdTime),
        ...(keepalive === 0 ? [] : [startKeepalive(keepalive, config)]),
      );
    }
    case "error":
      return failed(state, config, event.error.message, notificationOf(event.error));
    case "collision":
      return failed(state, config, COLLISION, cease(CeaseReason.CollisionResolution));
    case "notification":
      return failed(state, config, received(event.message), undefined, isVersionError(event.message));
    case "tcp-established":
    case "keepalive":
    case "update":
    case "route-refresh":
      break;
  }
  return unexpected(state, config, event, FsmError.InOpenSent);
}

function inOpenConfirm(state: FsmState, event: FsmEvent, config: FsmConfig): Step {
  switch (event.type) {
    case "start":
    case "restart":
    case "sent":
      return { state, actions: [] };
    case "stop":
      return ended(state, event, config);
    case "timer":
      if (event.timer === "hold") return failed(state, config, "hold timer expired", HOLD_TIMER_EXPIRED);
      if (event.timer === "keepalive") return keepAlive(state, config);
      break;
    case "tcp-failed":
      return failed(state, config, event.reason);
    case "notification":
      return failed(state, config, received(event.message), undefined, isVersionError(event.message));
    case "error":
      return failed(state, config, event.error.message, notificationOf(event.error));
    case "collision":
      return failed(state, config, COLLISION, cease(CeaseReason.CollisionResolution));
    case "keepalive":
      return to(state, "established", ...restartHold(state), startSendHold(state));
    case "tcp-established":
    case "open":
    case "update":
    case "route-refresh":
      break;
  }
  return unexpected(state, config, event, FsmError.InOpenConfirm);
}

function inEstablished(state: FsmState, event: FsmEvent, config: FsmConfig): Step {
  switch (event.type) {
    case "start":
    case "restart":
    case "route-refresh":
      return { state, actions: [] };
    case "sent":
      return { state, actions: [startSendHold(state)] };
    case "stop":
      return ended(state, event, config);
    case "timer":
      if (event.timer === "hold") return failed(state, config, "hold timer expired", HOLD_TIMER_EXPIRED);
      // RFC 9687 §3.2: the NOTIFICATION could not be sent any more than the rest.
      if (event.timer === "sendHold") return failed(state, config, "send hold timer expired: the peer does not read");
      // It stayed up for a while: the next failure is a first one.
      if (event.timer === "keepalive") return keepAlive({ ...state, idleHold: IDLE_HOLD.first }, config);
      break;
    case "tcp-failed":
      return failed(state, config, event.reason);
    case "notification":
      return failed(state, config, received(event.message));
    case "error":
      return failed(state, config, event.error.message, notificationOf(event.error));
    case "collision":
      return failed(state, config, COLLISION, cease(CeaseReason.CollisionResolution));
    case "keepalive":
    case "update":
      return { state, actions: restartHold(state) };
    case "tcp-established":
    case "open":
      break;
  }
  return unexpected(state, config, event, FsmError.InEstablished);
}

const COLLISION = "connection collision: the peer's other connection is kept";
const HOLD_TIMER_EXPIRED: NotificationMessage = {
  kind: "notification",
  code: ErrorCode.HoldTimerExpired,
  subcode: 0,
  data: new Uint8Array(),
};

function to(state: FsmState, phase: SessionState, ...actions: readonly FsmAction[]): Step {
  return { state: { ...state, phase }, actions };
}

function sendOpen(state: FsmState, config: FsmConfig): Step {
  return to(
    { ...state, delaying: false },
    "open-sent",
    stop("connectRetry"),
    stop("delayOpen"),
    send(buildOpen(config)),
    start("hold", LARGE_HOLD_TIME),
  );
}

function keepAlive(state: FsmState, config: FsmConfig): Step {
  const { keepalive = 0 } = state.negotiated ?? {};
  if (keepalive === 0) return { state, actions: [] };
  return { state, actions: [send({ kind: "keepalive" }), startKeepalive(keepalive, config)] };
}

function unexpected(state: FsmState, config: FsmConfig, event: FsmEvent, subcode: number): Step {
  const what = event.type === "timer" ? `${event.timer} timer` : event.type;
  const notification = {
    kind: "notification",
    code: ErrorCode.FiniteStateMachine,
    subcode,
    data: new Uint8Array(),
  } as const;
  return failed(state, config, `unexpected ${what} in state ${state.phase}`, notification);
}

/** To Idle after a fault; `undamped` where the RFC does not count it against the peer. */
function failed(
  state: FsmState,
  config: FsmConfig,
  reason: string,
  notification?: NotificationMessage,
  undamped = false,
): Step {
  const idle = toIdle(state, reason, notification);
  if (config.accepted) return idle;
  const idleHold = undamped ? state.idleHold : Math.min(state.idleHold * 2, IDLE_HOLD.longest);
  const connectRetryCounter = undamped ? state.connectRetryCounter : state.connectRetryCounter + 1;
  return {
    state: { ...idle.state, idleHold, connectRetryCounter },
    actions: [...idle.actions, startIdleHold(state, config)],
  };
}

/** To Idle because nobody answers: tried again at a steady pace. */
function unreachable(state: FsmState, config: FsmConfig, reason: string): Step {
  const idle = toIdle(state, reason);
  if (config.accepted) return idle;
  return {
    state: { ...idle.state, connectRetryCounter: state.connectRetryCounter + 1 },
    actions: [...idle.actions, start("idleHold", jittered(config.connectRetry, config))],
  };
}

function ended(state: FsmState, event: Extract<FsmEvent, { type: "stop" }>, config: FsmConfig): Step {
  const spoke = state.phase === "open-sent" || state.phase === "open-confirm" || state.phase === "established";
  const notification = spoke ? event.notification : undefined;
  const idle = toIdle(state, event.reason, notification);
  if (event.automatic !== true || config.accepted) return { ...idle, state: { ...idle.state, connectRetryCounter: 0 } };
  return { state: idle.state, actions: [...idle.actions, startIdleHold(state, config)] };
}

function toIdle(state: FsmState, reason: string, notification?: NotificationMessage): Step {
  const { negotiated, ...rest } = state;
  const hard =
    negotiated?.gracefulNotification === true &&
    notification?.code === ErrorCode.Cease &&
    HARD.has(notification.subcode);
  const timers: TimerName[] = ["connectRetry", "delayOpen", "hold", "keepalive", "sendHold"];
  return {
    state: { ...rest, phase: "idle", delaying: false },
    actions: [
      ...timers.map((timer) => stop(timer)),
      ...(notification === undefined ? [] : [send(hard ? hardReset(notification) : notification)]),
      { do: "close" },
      { do: "failed", reason },
    ],
  };
}

function notificationOf({ code, subcode, data }: WireError): NotificationMessage {
  return { kind: "notification", code, subcode, data };
}

function isVersionError({ code, subcode }: NotificationMessage): boolean {
  return code === ErrorCode.Open && subcode === OpenError.UnsupportedVersion;
}

function received(message: NotificationMessage): string {
  return `the peer sent ${describeNotification(message)}`;
}
