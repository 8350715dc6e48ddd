import type { Message } from "../wire/index.ts";
import type { FsmAction, TimerName } from "./events.ts";
import type { FsmConfig, FsmState } from "./state.ts";

/** Seconds; RFC 9687 §4: the greater of 8 minutes and twice the hold time. */
const LEAST_SEND_HOLD = 480;

export function start(timer: TimerName, seconds: number): FsmAction {
  return { do: "start-timer", timer, milliseconds: seconds * 1000 };
}

export function stop(timer: TimerName): FsmAction {
  return { do: "stop-timer", timer };
}

export function send(message: Message): FsmAction {
  return { do: "send", message };
}

export function startConnectRetry(config: FsmConfig): FsmAction {
  return start("connectRetry", jittered(config.connectRetry, config));
}

export function startKeepalive(seconds: number, config: FsmConfig): FsmAction {
  return start("keepalive", jittered(seconds, config));
}

export function startIdleHold(state: FsmState, config: FsmConfig): FsmAction {
  return start("idleHold", jittered(state.idleHold, config));
}

export function startSendHold(state: FsmState): FsmAction {
  return start("sendHold", Math.max(LEAST_SEND_HOLD, 2 * (state.negotiated?.holdTime ?? 0)));
}

export function restartHold(state: FsmState): FsmAction[] {
  const { holdTime = 0 } = state.negotiated ?? {};
  return holdTime === 0 ? [] : [start("hold", holdTime)];
}

/** RFC 4271 §10: times 0.75 to 1. */
export function jittered(seconds: number, { random }: FsmConfig): number {
  return seconds * (0.75 + 0.25 * random());
}
