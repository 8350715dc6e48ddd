import { setTimeout as pause } from "node:timers/promises";
import { Flow, type FlowPlan } from "./flow.ts";
import { LATE } from "./ledger.ts";
import type { Gap, PartialReport } from "./report.ts";
import { spread } from "./spread.ts";

/** For every anycast flow, as many are tried: which instance a port leads to is the routers' choice. */
const CANDIDATES = 5;
const TRIES = 3;
const TRY_EVERY = 60;

interface Slot {
  readonly flow: Flow;
  due: number;
}

/** Sends the probes of many flows, each at its own times, and keeps account of the answers. */
export class Prober {
  readonly #interval: number;
  readonly #onGap: (gap: Gap) => void;
  readonly #slots: Slot[];
  #timer: NodeJS.Timeout | undefined;

  /**
   * Begins to send.
   *
   * @param flows of {@link openFlows}
   * @param interval milliseconds between two probes of a flow
   * @param onGap told when a gap has ended
   */
  constructor(flows: readonly Flow[], interval: number, onGap: (gap: Gap) => void) {
    this.#interval = interval;
    this.#onGap = onGap;
    const now = performance.now();
    // Spread over the interval: a burst would meet full queues.
    this.#slots = flows.map((flow, i) => ({ flow, due: now + (i * interval) / flows.length }));
    this.#tick();
  }

  report(): PartialReport {
    const flows = this.#slots.map(({ flow }) => flow);
    const { user, system } = process.cpuUsage();
    return {
      flows: flows.map((flow) => flow.report()),
      resolution: Math.max(0, ...flows.map(({ ledger }) => ledger.resolution)),
      cpuSeconds: (user + system) / 1e6,
    };
  }

  /** Sends no more, and waits for the answers that may still come. */
  async stop(): Promise<PartialReport> {
    clearTimeout(this.#timer);
    const end = performance.now() + LATE;
    while (performance.now() < end && this.#slots.some(({ flow }) => flow.ledger.waiting)) await pause(5);
    for (const { flow } of this.#slots) {
      this.#tell(flow, flow.ledger.finish());
      flow.close();
    }
    return this.report();
  }

  #tick(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const slot of this.#slots) {
      const now = performance.now();
      if (slot.due <= now) {
        slot.flow.send(now);
        this.#tell(slot.flow, slot.flow.ledger.settle(now));
        slot.due += this.#interval;
        // Times that were missed are not made up for: probes at once tell no more than one.
        if (slot.due <= now) slot.due = now + this.#interval - ((now - slot.due) % this.#interval);
      }
      next = Math.min(next, slot.due);
    }
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, next - performance.now()));
  }

  #tell(flow: Flow, gaps: ReturnType<Flow["ledger"]["finish"]>): void {
    for (const gap of gaps) this.#onGap(flow.gap(gap));
  }
}

/** Opens the flows of plans. Those that ask the same address by DNS are chosen so that they meet every instance behind it. */
export async function openFlows(plans: readonly FlowPlan[], interval: number): Promise<Flow[]> {
  const groups = Map.groupBy(plans, ({ kind, target }) => `${kind} ${target}`);
  const flows = await Promise.all(
    [...groups.values()].map(async (group) =>
      group[0]?.kind === "dns"
        ? await anycast(group, interval)
        : await Promise.all(group.map(async (plan) => await Flow.open(plan, interval))),
    ),
  );
  return flows.flat();
}

/** Opens flows to an anycast address such that they meet all its instances alike. */
async function anycast(plans: readonly FlowPlan[], interval: number): Promise<Flow[]> {
  const [plan] = plans as [FlowPlan];
  const candidates = await Promise.all(
    Array.from({ length: plans.length * CANDIDATES }, async () => await Flow.open(plan, interval)),
  );
  for (let tries = 0; tries < TRIES; tries++) {
    for (const flow of candidates) if (flow.ledger.answered === 0) flow.send(performance.now());
    await pause(TRY_EVERY);
  }
  const answeredBy = candidates.map(({ ledger }) => [...ledger.answers.keys()][0]);
  const chosen = spread(answeredBy, plans.length);
  for (const [i, flow] of candidates.entries()) if (!chosen.includes(i)) flow.close();
  return chosen.map((index, i) => (candidates[index] as Flow).begin(plans[i]?.name ?? ""));
}
