/** When a check runs, and what its results mean. Milliseconds and results in a row. */
export interface Timers {
  /** From the beginning of one check to the next. */
  readonly interval: number;
  /** The same while a change is under way: a result contradicts the state, or there is no state yet. */
  readonly fast: number;
  /** After which a check without an answer has failed. */
  readonly timeout: number;
  /** Passed checks until it counts as passing. */
  readonly rise: number;
  /** Failed checks until it counts as failing. */
  readonly fall: number;
}
