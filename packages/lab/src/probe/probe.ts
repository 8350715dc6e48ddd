import { EventEmitter } from "node:events";
import type { CommandError } from "../host/run.ts";
import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";
import { type Plans, flowPlans } from "./plans.ts";
import { RemoteProber } from "./remote.ts";
import { type Gap, type PartialReport, type ProbeReport, longest } from "./report.ts";

export interface ProbeOptions {
  /** Milliseconds between two probes of a flow. Unless told 10, or as many more as keep all flows together below 1,800 a second. */
  readonly interval?: number;
}

export interface ProbeEvents {
  /** The state so far, four times a second. */
  report: [ProbeReport];
  /** A gap has ended: its flow is answered again. */
  gap: [Gap];
  /** A prober died; `stop` throws the error too. */
  failed: [CommandError];
}

export interface Probe {
  readonly events: EventEmitter<ProbeEvents>;
  /** Ends the flows, waits up to a second for the last answers, and tells what became of all probes. */
  readonly stop: () => Promise<ProbeReport>;
}

const LONGEST_INTERVAL = 1000;
const SHORTEST_INTERVAL = 2;
const REPORT_EVERY = 250;
/** What the lab's userspace Open vSwitch carries on two processors without a loss, with room left: 2,560 a second lost some. */
const PROBES_PER_SECOND = 1800;

/**
 * Starts continuous flows from outside the cluster to every service of a lab. They are sent by processes of their own in the lab's
 * namespaces.
 *
 * @returns when all flows have begun
 * @throws LabError on an impossible interval, or a lab that has no services
 * @throws CommandError when a prober cannot start
 */
export async function startProbe(lab: Lab, { interval: wanted }: ProbeOptions = {}): Promise<Probe> {
  if (wanted !== undefined && !(wanted >= SHORTEST_INTERVAL && wanted <= LONGEST_INTERVAL))
    throw new LabError(`interval ${wanted}`, `use ${SHORTEST_INTERVAL} to ${LONGEST_INTERVAL} milliseconds`);
  if (lab.topology.options.bare) throw new LabError(`lab ${lab.name} is bare`, "there is no service to probe");
  const plans = await flowPlans(lab);
  const interval = wanted ?? usualInterval(Object.values(plans).flat().length);
  const events = new EventEmitter<ProbeEvents>();
  const probers = (Object.keys(plans) as (keyof Plans)[]).map(
    (part) => new RemoteProber(lab.argv(part, []), plans[part], events),
  );
  try {
    await Promise.all(probers.map(async (prober) => await prober.start(interval)));
  } catch (error) {
    for (const prober of probers) prober.kill();
    throw error;
  }
  const began = performance.now();
  const head = { lab: lab.name, started: new Date().toISOString(), interval };
  const report = (parts: readonly PartialReport[]): ProbeReport =>
    whole(head, (performance.now() - began) / 1000, parts);
  const timer = setInterval(() => events.emit("report", report(probers.map(({ last }) => last))), REPORT_EVERY);
  return {
    events,
    stop: async () => {
      clearInterval(timer);
      return report(await Promise.all(probers.map(async (prober) => await prober.stop())));
    },
  };
}

function usualInterval(flows: number): number {
  return Math.min(Math.max(10, Math.ceil((flows * 1000) / PROBES_PER_SECOND)), LONGEST_INTERVAL);
}

function whole(
  head: Pick<ProbeReport, "lab" | "started" | "interval">,
  seconds: number,
  parts: readonly PartialReport[],
): ProbeReport {
  const flows = parts.flatMap((part) => part.flows);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    ...head,
    seconds: round(seconds, 1),
    resolution: round(Math.max(0, ...parts.map(({ resolution }) => resolution)), 1),
    cpu: round(sum(parts.map(({ cpuSeconds }) => cpuSeconds)) / seconds, 3),
    sent: sum(flows.map(({ sent }) => sent)),
    lost: sum(flows.map(({ lost }) => lost)),
    longestGap: longest(flows.map(({ longestGap }) => longestGap)),
    flows,
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
