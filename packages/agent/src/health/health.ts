import type { Candidate, Problem } from "../announce/candidate.ts";
import type { Condition, Ruling } from "../announce/condition.ts";
import type { Logger } from "../daemon/log.ts";
import { type KnownInstance, type Snapshot, isLocal, isRunning, keyOf } from "../inventory/snapshot.ts";
import type { HealthConfig } from "./config.ts";
import { HealthCounters } from "./counters.ts";
import { type Check, planChecks, runOf } from "./plan.ts";
import type { Probe } from "./probes/probe.ts";
import { Scheduler } from "./scheduler.ts";
import type { CheckState, Outcome } from "./state.ts";
import { type CheckView, viewCheck } from "./view.ts";

export interface HealthWorld {
  readonly log: Logger;
  readonly config: () => HealthConfig;
  readonly probe: Probe;
  /** Told when the condition's answers are others. */
  readonly changed: () => void;
}

/** Milliseconds beyond the longest timeout that the first checks have, and the most in all: routers hold their routes meanwhile. */
const GRACE = { beyond: 1_000, most: 10_000 };

/**
 * Health checks of the instances that run on this server. An instance's routes are announced while its checks pass.
 *
 * What cannot be checked stays as it was: only an instance that was found failing is taken from the routers.
 */
export class Health {
  readonly counters = new HealthCounters();
  readonly #world: HealthWorld;
  readonly #scheduler: Scheduler;
  #checks: ReadonlyMap<string, readonly Check[]> = new Map();
  #problems: readonly Problem[] = [];
  /** What was planned of an instance, as long as nothing it was made of changes. */
  #plans = new WeakMap<KnownInstance, ReturnType<typeof planChecks>>();
  #made: readonly unknown[] = [];
  /** Instances that ran here in the last Snapshot, with their run. */
  #ran: ReadonlyMap<string, string> | undefined;
  #settled = false;
  #whenSettled: (() => void)[] = [];
  #graceTimer: NodeJS.Timeout | undefined;
  #telling: NodeJS.Immediate | undefined;

  constructor(world: HealthWorld) {
    this.#world = world;
    this.#scheduler = new Scheduler({
      probe: world.probe,
      onOutcome: (...outcome) => this.#tookOutcome(...outcome),
      onBug: (check, error) =>
        world.log.error({ ...whatOf(check), err: error }, "a check cannot be run: a bug of ours"),
    });
  }

  /** Wrong values in the keys of this server's instances. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** The say that checks have in what is announced. */
  readonly condition: Condition = ({ source }) => this.#ruling(source);

  /** Checks what runs on this server now. */
  take(snapshot: Snapshot): void {
    const config = this.#world.config();
    const made = [snapshot.networks, snapshot.projects, config];
    if (made.some((part, i) => part !== this.#made[i])) this.#plans = new WeakMap();
    this.#made = made;
    const checks = new Map<string, readonly Check[]>();
    const ran = new Map<string, string>();
    const problems: Problem[] = [];
    for (const [key, instance] of snapshot.instances) {
      if (!isLocal(snapshot, instance) || !isRunning(instance)) continue;
      ran.set(key, runOf(instance));
      let plan = this.#plans.get(instance);
      if (plan === undefined) this.#plans.set(instance, (plan = planChecks(snapshot, instance, config)));
      problems.push(...plan.problems);
      if (plan.checks.length > 0) checks.set(key, plan.checks);
    }
    const before = this.#ran;
    this.#checks = checks;
    this.#problems = problems;
    this.#ran = ran;
    this.#scheduler.set([...checks.values()].flat(), (check) => {
      if (before === undefined) return "starting";
      const known = before.get(keyOf({ project: check.project, name: check.instance }));
      return known === check.run ? "added" : "started";
    });
    if (before === undefined) this.#beginGrace();
  }

  /** Calls back when every check that began with the agent has told, or had its time; at once when there is none. */
  whenSettled(then: () => void): void {
    if (this.#settled) then();
    else this.#whenSettled.push(then);
  }

  /** Whether all checks of an instance on this server pass; undefined when it has none, or none told yet. */
  isHealthy(instance: { readonly project: string; readonly name: string }): boolean | undefined {
    const states = this.#statesOf(keyOf(instance));
    if (states.length === 0 || states.some(({ state }) => state.verdict === "pending")) return undefined;
    return states.every(({ state }) => state.verdict === "passing");
  }

  /** The keys of instances that have a check which does not pass. */
  get notPassing(): ReadonlySet<string> {
    const against = [...this.#scheduler.running].filter(({ state }) => state.verdict !== "passing");
    return new Set(against.map(({ check }) => keyOf({ project: check.project, name: check.instance })));
  }

  view(): CheckView[] {
    return [...this.#scheduler.running].map(viewCheck).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  }

  stop(): void {
    clearTimeout(this.#graceTimer);
    clearImmediate(this.#telling);
    this.#scheduler.stop();
  }

  #statesOf(instance: string, device?: string): { check: Check; state: CheckState }[] {
    return (this.#checks.get(instance) ?? []).flatMap((check) => {
      if (device !== undefined && check.device !== undefined && check.device !== device) return [];
      const state = this.#scheduler.state(check.id);
      return state === undefined ? [] : [{ check, state }];
    });
  }

  #ruling({ project, instance, device }: Candidate["source"]): Ruling | undefined {
    if (instance === undefined || this.#checks.size === 0) return undefined;
    const against = this.#statesOf(keyOf({ project, name: instance }), device).filter(
      ({ state }) => state.verdict !== "passing",
    );
    const [{ check, state } = {}] = against.toSorted(
      (a, b) => Number(a.state.verdict !== "failing") - Number(b.state.verdict !== "failing"),
    );
    if (check === undefined || state === undefined) return undefined;
    return { refusal: { code: "unhealthy", why: reason(check, state) } };
  }

  #beginGrace(): void {
    const timeouts = [...this.#scheduler.running].map(({ check }) => check.timers.timeout);
    const time = Math.min(Math.max(...timeouts, 0) + GRACE.beyond, GRACE.most);
    if (timeouts.length === 0) this.#settle();
    else this.#graceTimer = setTimeout(() => this.#settle(), time);
  }

  #settle(): void {
    clearTimeout(this.#graceTimer);
    if (this.#settled) return;
    this.#settled = true;
    this.#scheduler.settle();
    for (const then of this.#whenSettled.splice(0)) then();
  }

  #tookOutcome(check: Check, before: CheckState, after: CheckState, outcome: Outcome, took: number): void {
    this.counters.count(check, before, after, outcome, took);
    this.#log(check, before, after);
    if (!this.#settled && ![...this.#scheduler.running].some(({ state }) => state.starting)) this.#settle();
    // Many change at once when a server or network does.
    if (before.verdict !== after.verdict)
      this.#telling ??= setImmediate(() => {
        this.#telling = undefined;
        this.#world.changed();
      });
  }

  #log(check: Check, before: CheckState, after: CheckState): void {
    const { log } = this.#world;
    const what = whatOf(check);
    if (before.verdict !== after.verdict) {
      if (after.verdict === "failing")
        log.warn({ ...what, error: after.error }, "check fails; its routes are held back");
      else if (after.unknown === undefined) log.info(what, "check passes; its routes are announced");
    }
    if (before.unknown === undefined && after.unknown !== undefined)
      log.warn({ ...what, why: after.unknown.why, verdict: after.verdict }, "cannot be checked; it stays as it was");
    if (before.unknown !== undefined && after.unknown === undefined) log.debug(what, "can be checked again");
  }
}

function whatOf({ project, instance, name }: Check): { readonly instance: string; readonly check: string } {
  return { instance: `${project}/${instance}`, check: name };
}

function reason({ name }: Check, { verdict, since, error, unknown }: CheckState): string {
  const when = new Date(since).toISOString();
  if (verdict === "failing") return `its check \`${name}\` fails since ${when}: ${error ?? ""}`;
  return `its check \`${name}\` did not pass yet, since ${when}: ${unknown?.why ?? error ?? "not checked yet"}`;
}

function nameOf({ project, instance, check }: CheckView): string {
  return `${project}/${instance} ${check}`;
}
