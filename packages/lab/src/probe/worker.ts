import type { FlowPlan } from "./flow.ts";
import { Prober, openFlows } from "./prober.ts";
import type { Gap, PartialReport } from "./report.ts";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * The process that sends a lab's probes, in one of its namespaces: what else the machine does keeps it from nothing but the processor,
 * and there it comes first.
 */
export type ToWorker =
  | { readonly start: { readonly plans: readonly FlowPlan[]; readonly interval: number } }
  | { readonly stop: true };
export type FromWorker =
  | { readonly started: true }
  | { readonly report: PartialReport }
  | { readonly gap: Gap }
  | { readonly end: PartialReport }
  | { readonly failed: string };

const REPORT_EVERY = 250;

let prober: Prober | undefined;

function tell(message: FromWorker): void {
  process.send?.(message);
}

async function start({ plans, interval }: { plans: readonly FlowPlan[]; interval: number }): Promise<void> {
  // Who may open ping sockets in this namespace; root is not exempt.
  writeFileSync("/proc/sys/net/ipv4/ping_group_range", "0 0");
  const flows = await openFlows(plans, interval);
  comeFirst();
  prober = new Prober(flows, interval, (gap) => tell({ gap }));
  const running = prober;
  tell({ started: true });
  setInterval(() => tell({ report: running.report() }), REPORT_EVERY).unref();
}

/**
 * Has this process run before others, from now on: its own start would keep the lab waiting for a tenth of a second. Round robin, all
 * threads: with SCHED_FIFO the main thread may never let those of the compiler run, and stays slow and busy for ever.
 */
function comeFirst(): void {
  const { status } = spawnSync("chrt", ["--all-tasks", "--rr", "--pid", "1", String(process.pid)]);
  if (status !== 0) setPriority(-20);
}

async function stop(): Promise<void> {
  if (prober !== undefined) tell({ end: await prober.stop() });
  process.disconnect();
}

process.on("message", (message: ToWorker) => {
  const work = "start" in message ? start(message.start) : stop();
  work.catch((error: unknown) => {
    tell({ failed: error instanceof Error ? error.message : String(error) });
  });
});
// Without the one who asked, there is nobody to report to.
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole foreground; the one who asked says when to stop.
process.on("SIGINT", () => undefined);
