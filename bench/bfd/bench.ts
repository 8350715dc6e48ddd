// Sessions of BFD on a machine whose processors others want, too: with real-time priority for BFD's thread, and without.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import type { BenchOptions, Report } from "../report.ts";

const BUSY = [40, 120];
const SECONDS = 15;

interface Sample {
  readonly busy: number;
  readonly realTime: boolean;
  readonly flaps: number;
}

export async function run({ progress, runs }: BenchOptions): Promise<Report> {
  const samples: Sample[] = [];
  for (const busy of BUSY)
    for (let i = 0; i < runs; i++)
      for (const realTime of [true, false]) {
        progress(`${busy} busy processes, ${realTime ? "real-time" : "ordinary"} priority`);
        samples.push({ busy, realTime, flaps: await measure(busy, realTime) });
      }
  const total = (busy: number, realTime: boolean): number =>
    samples.filter((one) => one.busy === busy && one.realTime === realTime).reduce((sum, { flaps }) => sum + flaps, 0);
  const most = Math.max(...BUSY);
  return {
    title: "BFD beside busy processes",
    method: `Ten sessions at 50 ms × 3 over loopback, both ends in one process, beside processes that only compute: how often one of the
twenty ends left Up, in ${runs} runs of ${SECONDS} s each. "real-time": BFD's threads run as SCHED_RR at priority 1, as they ask for and CAP_SYS_NICE
allows; "ordinary": without that capability.`,
    tables: [
      {
        title: "Flaps",
        columns: ["busy processes", "real-time", "ordinary"],
        rows: BUSY.map((busy) => [String(busy), String(total(busy, true)), String(total(busy, false))]),
      },
    ],
    goals: [
      {
        name: `flaps beside ${most} busy processes, real-time against ordinary`,
        measured: total(most, true),
        limit: total(most, false),
        unit: "flaps",
        kind: "at most",
      },
    ],
    data: samples,
  };
}

async function measure(busy: number, realTime: boolean): Promise<number> {
  const ends = [process.execPath, join(import.meta.dirname, "ends.ts")];
  const argv = realTime ? ends : ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice", ...ends];
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  const others: ChildProcess[] = [];
  try {
    for (let i = 0; i < busy; i++) others.push(spawn("sh", ["-c", "while :; do :; done"]));
    await pause(SECONDS * 1000);
    child.stdin.write("end\n");
    const { value } = (await lines.next()) as { value: string };
    const { flaps, ordinary } = JSON.parse(value) as { flaps: number; ordinary: string | null };
    if ((ordinary === null) !== realTime) throw new Error(`priority: ${ordinary ?? "real-time though it may not"}`);
    return flaps;
  } finally {
    for (const each of [child, ...others]) each.kill("SIGKILL");
  }
}
