import type { MakeGauge } from "../daemon/metrics.ts";
import type { AgentState } from "../daemon/state.ts";

/** Adds how the checks stand and what they found. */
export function addHealthMetrics({ checks }: AgentState, gauge: MakeGauge): void {
  gauge(
    "trivet_health_state",
    "1 for the state a check is in: passing, failing, pending or unknown",
    ["project", "instance", "check", "state"],
    (g) => {
      for (const { project, instance, device, check, state } of checks.view())
        g.set({ project, instance, check: device === undefined ? check : `${device}/${check}`, state }, 1);
    },
  );
  gauge("trivet_health_checks_total", "Checks done, by kind and outcome", ["kind", "outcome"], (g) => {
    for (const { kind, outcome, count } of checks.counters.outcomes.values()) g.set({ kind, outcome }, count);
  });
  gauge("trivet_health_check_seconds_total", "Time that checks took, by kind and outcome", ["kind", "outcome"], (g) => {
    for (const { kind, outcome, seconds } of checks.counters.outcomes.values()) g.set({ kind, outcome }, seconds);
  });
  gauge("trivet_health_transitions_total", "Times a check began to pass or to fail", ["to"], (g) => {
    for (const [to, count] of checks.counters.transitions) g.set({ to }, count);
  });
}
