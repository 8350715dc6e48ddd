import type { Check } from "./plan.ts";

/** What may be waiting: of whom it is. */
interface Waiting {
  readonly check: Pick<Check, "project" | "instance">;
}

/**
 * Places for checks that run at once, shared so that nobody's checks keep the others' from running, however many they are and however
 * long they take: an instance has a few, who holds least in a project comes first, and where there are several projects none has all.
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
    let best: { readonly one: T; readonly held: number } | undefined;
    for (const one of this.#waiting) {
      const { project, instance } = keys(one.check);
      const held = this.#count(project);
      if (this.#count(instance) >= this.#limits.instance) continue;
      if (held > 0 && free === 1 && this.projects > 1) continue;
      if (best === undefined || held < best.held) best = { one, held };
      if (held === 0 || this.projects === 1) break;
    }
    if (best === undefined) return undefined;
    this.#waiting.delete(best.one);
    this.#hold(best.one.check, 1);
    return best.one;
  }

  release(check: Waiting["check"]): void {
    this.#hold(check, -1);
  }

  #count(key: string): number {
    return this.#held.get(key) ?? 0;
  }

  #hold(check: Waiting["check"], more: 1 | -1): void {
    this.#busy += more;
    for (const key of Object.values(keys(check))) {
      const count = this.#count(key) + more;
      if (count === 0) this.#held.delete(key);
      else this.#held.set(key, count);
    }
  }
}

function keys({ project, instance }: Waiting["check"]): { project: string; instance: string } {
  return { project, instance: `${project}/${instance}` };
}
