import type { Check } from "./plan.ts";
import type { CheckState, Outcome, Verdict } from "./state.ts";

type Kind = Check["target"]["kind"];

/** What checks found, since the agent began. */
export class HealthCounters {
  readonly outcomes = new Map<
    string,
    { readonly kind: Kind; readonly outcome: Outcome["kind"]; count: number; seconds: number }
  >();
  readonly transitions = new Map<Verdict, number>();

  count(check: Check, before: CheckState, after: CheckState, { kind: outcome }: Outcome, milliseconds: number): void {
    const { kind } = check.target;
    const key = `${kind} ${outcome}`;
    const found = this.outcomes.get(key) ?? { kind, outcome, count: 0, seconds: 0 };
    found.count++;
    found.seconds += milliseconds / 1_000;
    this.outcomes.set(key, found);
    if (before.verdict !== after.verdict)
      this.transitions.set(after.verdict, (this.transitions.get(after.verdict) ?? 0) + 1);
  }
}
