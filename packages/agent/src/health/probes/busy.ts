import type { Outcome } from "../state.ts";

/** Milliseconds: a timer that is so late was kept from running, and so may the answer have been. */
const LATE = 500;

/** Whether this server was too busy to see an answer in time. @param late milliseconds from the deadline to when it was noticed */
export function isLate(late: number, timeout: number): boolean {
  return late > Math.max(LATE, timeout / 2);
}

export const BUSY: Outcome = { kind: "unknown", why: "this server is too busy to tell" };
