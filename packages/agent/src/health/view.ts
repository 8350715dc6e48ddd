import { printable } from "./printable.ts";
import type { Running } from "./scheduler.ts";

/** A check as the API shows it. Times are ISO 8601. */
export interface CheckView {
  readonly project: string;
  readonly instance: string;
  /** Of the NIC that it is about, if not the whole instance. */
  readonly device?: string;
  readonly check: string;
  /** As it is written. */
  readonly target: string;
  /** Where it goes, but for `exec`. */
  readonly address?: string;
  /** `unknown`: it cannot be checked now, and `verdict` stands. */
  readonly state: "pending" | "passing" | "failing" | "unknown";
  /** What counts for the routes. */
  readonly verdict: "pending" | "passing" | "failing";
  /** Of the state. */
  readonly since: string;
  /** Why it failed last, or cannot be checked. */
  readonly error?: string;
  /** When a check last told something. */
  readonly checkedAt?: string;
  /** When the next is due; absent while it runs. */
  readonly next?: string;
}

export function viewCheck({ check, state, nextAt }: Running): CheckView {
  const { verdict, since, unknown, error = unknown?.why, checkedAt } = state;
  return {
    project: check.project,
    instance: check.instance,
    ...(check.device === undefined ? {} : { device: check.device }),
    check: check.name,
    target: printable(check.text),
    ...(check.address === undefined ? {} : { address: check.address.toString() }),
    state: unknown === undefined ? verdict : "unknown",
    verdict,
    since: time(unknown?.since ?? since),
    ...(error === undefined ? {} : { error: unknown?.why ?? error }),
    ...(checkedAt === undefined ? {} : { checkedAt: time(checkedAt) }),
    ...(nextAt === undefined ? {} : { next: time(nextAt) }),
  };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
