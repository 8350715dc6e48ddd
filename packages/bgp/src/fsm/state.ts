import type { Negotiated, SessionState } from "../session-info.ts";
import type { FsmAction } from "./events.ts";
import type { OpenConfig } from "./open.ts";

export interface FsmConfig extends OpenConfig {
  /** Seconds. */
  readonly connectRetry: number;
  /** Never connects (PassiveTcpEstablishment). */
  readonly passive: boolean;
  /** This machine belongs to an accepted connection and does not outlive it. */
  readonly accepted: boolean;
  /** Seconds to wait for the peer's OPEN before sending one's own; 0 for not at all (DelayOpen). */
  readonly delayOpen: number;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
}

export interface FsmState {
  readonly phase: SessionState;
  readonly connectRetryCounter: number;
  /** Seconds that the next failure costs in Idle; doubles with each (DampPeerOscillations). */
  readonly idleHold: number;
  /** The DelayOpenTimer runs. */
  readonly delaying: boolean;
  /** From OpenConfirm on. */
  readonly negotiated?: Negotiated;
}

export interface Step {
  readonly state: FsmState;
  readonly actions: readonly FsmAction[];
}

/** Seconds; the first and the longest stay in Idle after a failure. */
export const IDLE_HOLD = { first: 1, longest: 60 } as const;
/** A machine that was not started. */
export const INITIAL_STATE: FsmState = {
  phase: "idle",
  connectRetryCounter: 0,
  idleHold: IDLE_HOLD.first,
  delaying: false,
};

/** The machine of a connection that was just accepted, to be given `tcp-established`. */
export const ACCEPTED_STATE: FsmState = { ...INITIAL_STATE, phase: "active" };
