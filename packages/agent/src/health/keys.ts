import type { Config } from "@trivet/lxd";
import type { Problem } from "../announce/candidate.ts";
import { printable } from "./printable.ts";
import { type Target, TargetError, parseTarget } from "./target.ts";
import type { Timers } from "./timers.ts";

export const KEY = "user.trivet.check";

/** One check as it is written. */
export interface WrittenCheck {
  readonly name: string;
  readonly text: string;
  readonly target: Target;
}

/** What an instance, or a NIC of it, says of its checks. */
interface CheckKeys {
  readonly checks: readonly WrittenCheck[];
  readonly timers: Partial<Timers>;
  readonly problems: readonly Problem[];
}

/**
 * Reads `user.trivet.check` and `user.trivet.check.NAME`, a check each, and `.interval`, `.fast`, `.timeout`, `.rise` and `.fall`, for all of
 * them. A wrong value is a {@link Problem} and counts as absent.
 */
export function readCheckKeys(config: Config, source: Problem["source"]): CheckKeys {
  const mine = Object.entries(config).filter(([key]) => key === KEY || key.startsWith(`${KEY}.`));
  if (mine.length === 0) return NONE;
  const checks: WrittenCheck[] = [];
  const problems: Problem[] = [];
  const timers: Partial<Timers> = {};
  for (const [key, text] of mine) {
    const name = key.slice(KEY.length + 1);
    try {
      if (Object.hasOwn(TIMERS, name)) Object.assign(timers, readTimer(name as keyof Timers, text));
      else if (name !== "" && !NAME.test(name))
        throw new TargetError(name, "is no name of a check; use a-z, 0-9 and -");
      else if (!OFF.has(text)) checks.push({ name: name || DEFAULT_NAME, text, target: parseTarget(text) });
    } catch (error) {
      if (!(error instanceof Error) || (error as { fault?: unknown }).fault !== "input") throw error;
      problems.push({ source, key, value: printable(text), why: printable(error.message) });
    }
  }
  return { checks, timers, problems };
}

const NONE: CheckKeys = { checks: [], timers: {}, problems: [] };
const NAME = /^[a-z0-9-]{1,40}$/;
/** Of the check without a name. */
export const DEFAULT_NAME = "check";
/** Switches off a check that a profile says. */
const OFF: ReadonlySet<string> = new Set(["", "none"]);

/** How each is written: seconds, or a count. */
const TIMERS: Readonly<Record<keyof Timers, { unit: number; min: number; max: number }>> = {
  interval: { unit: 1_000, min: 0.1, max: 3_600 },
  fast: { unit: 1_000, min: 0.1, max: 3_600 },
  timeout: { unit: 1_000, min: 0.1, max: 60 },
  rise: { unit: 1, min: 1, max: 100 },
  fall: { unit: 1, min: 1, max: 100 },
};

function readTimer(name: keyof Timers, text: string): Partial<Timers> {
  const { unit, min, max } = TIMERS[name];
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max) || (unit === 1 && !Number.isInteger(number)))
    throw new TargetError(text, `is no ${unit === 1 ? "count" : "number of seconds"} from ${min} to ${max}`);
  // Timers of Node are whole milliseconds, and 2.01 * 1000 is 2009.9999999999998.
  return { [name]: Math.round(number * unit) };
}
