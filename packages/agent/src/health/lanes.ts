import type { Check } from "./plan.ts";

/** What may be waiting. */
interface Waiting {
  readonly check: Owned & Pick<Check, "timers">;
  /** Milliseconds that it takes, as far as is known; at most its timeout otherwise. */
  readonly cost?: number;
}

type Owned = Pick<Check, "project" | "instance">;

/** Milliseconds: checks that take less are alike. */
const RANKS = [1_000, 5_000, 20_000];
/** The highest rank that may have the last place. */
const QUICK = 1;

/**
 * Places for checks that run at once, shared so that nobody's checks keep the others' from running, however many they are and however
 * long they take: an instance has a few; who holds least in a project comes first, and then what is quickest. The last place is for what is
 * quick, and where there are several projects, for one that holds none.
 */
export class Lanes<T extends Waiting> {
  /** Projects that have such checks at all. */
  projects = 1;
  readonly #limits: { readonly all: number; readonly instance: number };
  readonly #waiting = new Set<T>();
  readonly #held = new Map<string, number>();
  #busy = 0;

  constructor(limits: { readonly all: number; readonly instance: number }) {
    this.#limits = limits;
  }

  wait(one: T): void {
    this.#waiting.add(one);
  }

  leave(one: T): void {
    this.#waiting.delete(one);
  }

  /** The next that may run, which then holds a lane until {@link release}. */
  take(): T | undefined {
    const free = this.#limits.all - this.#busy;
    if (free === 0) return undefined;
    let best: { readonly one: T; readonly held: number; readonly rank: number } | undefined;
    for (const one of this.#waiting) {
      const { project, instance } = keys(one.check);
      const held = this.projects > 1 ? this.#count(project) : 0;
      const rank = rankOf(one);
      if (this.#count(instance) >= this.#limits.instance) continue;
      if (free === 1 && (held > 0 || rank > QUICK)) continue;
      if (best === undefined || held < best.held || (held === best.held && rank < best.rank))
        best = { one, held, rank };
      if (held === 0 && rank === 0) break;
    }
    if (best === undefined) return undefined;
    this.#waiting.delete(best.one);
    this.#hold(best.one.check, 1);
    return best.one;
  }

  release(check: Owned): void {
    this.#hold(check, -1);
  }

  #count(key: string): number {
    return this.#held.get(key) ?? 0;
  }

  #hold(check: Owned, more: 1 | -1): void {
    this.#busy += more;
    for (const key of Object.values(keys(check))) {
      const count = this.#count(key) + more;
      if (count === 0) this.#held.delete(key);
      else this.#held.set(key, count);
    }
  }
}

function keys({ project, instance }: Owned): { project: string; instance: string } {
  return { project, instance: `${project}/${instance}` };
}

function rankOf({ check, cost = check.timers.timeout }: Waiting): number {
  return RANKS.filter((limit) => cost >= limit).length;
}
