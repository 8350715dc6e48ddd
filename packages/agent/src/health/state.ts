import type { Timers } from "./timers.ts";

/** What one check found out. */
export type Outcome =
  | { readonly kind: "passed" }
  | {
      readonly kind: "failed";
      /** For people: "connection refused". */
      readonly why: string;
      /** There was no answer at all, so that the way there may be at fault. */
      readonly silent?: boolean;
    }
  /** The checker, or its way to the instance, failed: it says nothing of the instance. */
  | { readonly kind: "unknown"; readonly why: string };

/** What counts: `pending` until a check told. Only `passing` is announced. */
export type Verdict = "pending" | "passing" | "failing";

/** How a check stands. Times are milliseconds since 1970. */
export interface CheckState {
  readonly verdict: Verdict;
  /** Of the verdict. */
  readonly since: number;
  /** The agent has just started, and does not know what was announced before: one passed check is enough. */
  readonly starting: boolean;
  /** In a row, of the newest results; one of them is 0. */
  readonly passes: number;
  readonly fails: number;
  /** Since when, and why, it cannot be checked; the verdict stands meanwhile. */
  readonly unknown?: { readonly since: number; readonly why: string };
  /** Of the last failed check, until one passes. */
  readonly error?: string;
  /** When a check last found something out. */
  readonly checkedAt?: number;
}

/**
 * Why a check is new: `started`, the instance is; `starting`, the agent is; `added`, the check is, to an instance that was announced
 * without it and goes on to be until the check says otherwise.
 */
export type Occasion = "started" | "starting" | "added";

export function firstState(occasion: Occasion, now: number): CheckState {
  const state = { since: now, passes: 0, fails: 0, starting: occasion === "starting" };
  if (occasion === "added") return { ...state, verdict: "passing", unknown: { since: now, why: NOT_YET } };
  return { ...state, verdict: "pending" };
}

/** The state after one more result. What is unknown changes no verdict and breaks no row. */
export function step(before: CheckState, outcome: Outcome, { rise, fall }: Timers, now: number): CheckState {
  if (outcome.kind === "unknown") {
    const unknown = { since: before.unknown?.since ?? now, why: outcome.why };
    return before.starting ? presume({ ...before, unknown }, now) : { ...before, unknown };
  }
  const { unknown: _, error: __, ...rest } = before;
  const passed = outcome.kind === "passed";
  const next = {
    ...rest,
    passes: passed ? before.passes + 1 : 0,
    fails: passed ? 0 : before.fails + 1,
    checkedAt: now,
    ...(passed ? {} : { error: outcome.why }),
  };
  if (next.passes >= (before.starting ? 1 : rise)) return decide(next, "passing", now);
  if (next.fails >= fall) return decide(next, "failing", now);
  return next;
}

/** The state of a check that now asks something else: the verdict stands, and what was found in a row counts no more. */
export function afresh(state: CheckState): CheckState {
  return { ...state, passes: 0, fails: 0 };
}

/** Ends the time of grace after the agent's start: what failed is failing, and what could not be checked is as it was, announced. */
export function settle(state: CheckState, now: number): CheckState {
  if (!state.starting) return state;
  if (state.fails > 0) return decide(state, "failing", now);
  return presume({ ...state, unknown: state.unknown ?? { since: now, why: NOT_YET } }, now);
}

/** Milliseconds from the beginning of one check to that of the next. */
export function pause({ verdict, passes, fails }: CheckState, { interval, fast }: Timers): number {
  const changing = verdict === "pending" || (verdict === "passing" ? fails > 0 : passes > 0);
  return changing ? Math.min(fast, interval) : interval;
}

const NOT_YET = "not checked yet";

function presume(state: CheckState, now: number): CheckState {
  return decide(state, "passing", now);
}

function decide(state: CheckState, verdict: Verdict, now: number): CheckState {
  return { ...state, starting: false, verdict, since: state.verdict === verdict ? state.since : now };
}
