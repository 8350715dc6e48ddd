import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import type { Lab } from "@trivet/lab";

/** They watch for the dead, and have little else to do. */
const WATCHERS = new Set(["bfdd", "keepalived"]);
/** Threads that do so: of trivet's agents, which asks for the same and is refused where control groups have no real time; of the switch. */
const WATCHING_THREADS = /^(bfd|monitor\d*)$/;
/** It carries the packets, and one at a time when it never waits: it would then leave too little to the others. */
const SWITCH = "ovs-vswitchd";
const SWITCH_NICE = -5;

/** The processor's control group of what is in none, on cgroup v1; a server's has no real time there. */
const OUTSIDE = "/sys/fs/cgroup/cpu/tasks";

/** In /proc/PID/stat, counted from the state, with its value for SCHED_RR; proc_pid_stat(5). */
const POLICY = 38;
const ROUND_ROBIN = "2";

/**
 * Has the lab's VRRP and BFD run before everything else on this machine (SCHED_RR), and its switches not wait for the rest of their
 * servers, as is so where servers do not share two processors. What has started since is found by calling it again.
 *
 * @returns how many watching threads come first now that did not before
 */
export function packetsFirst(lab: Lab): number {
  let found = 0;
  for (const pid of processes(lab)) {
    const program = name(`/proc/${pid}/comm`);
    for (const task of unlessEnded(() => readdirSync(`/proc/${pid}/task`)) ?? []) {
      const thread = `/proc/${pid}/task/${task}`;
      if (WATCHERS.has(program) || WATCHING_THREADS.test(name(`${thread}/comm`))) {
        if (isFirst(thread)) continue;
        outside(task);
        const { status, stderr } = spawnSync("chrt", ["--rr", "--pid", "1", task], { encoding: "utf8" });
        if (status === 0) found++;
        else if (existsSync(`/proc/${task}`)) throw new Error(`chrt: ${stderr}`);
      } else if (program === SWITCH) {
        outside(task);
        setPriority(Number(task), SWITCH_NICE);
      }
    }
  }
  return found;
}

function isFirst(thread: string): boolean {
  // The program's name may have spaces; it ends at the last bracket.
  return text(`${thread}/stat`).split(") ").at(-1)?.split(" ")[POLICY] === ROUND_ROBIN;
}

function outside(task: string): void {
  if (existsSync(OUTSIDE)) unlessEnded(() => writeFileSync(OUTSIDE, task));
}

/** Those in its servers and, in its namespaces, those whose files are in its folder. */
function processes({ places }: Lab): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const where = text(`/proc/${pid}/cgroup`) + text(`/proc/${pid}/cmdline`);
    return where.includes(`/${places.cgroup}/`) || where.includes(`${places.runtime}/`);
  });
}

function name(file: string): string {
  return text(file).trim();
}

/** A file of /proc, empty when its process has ended since. */
function text(file: string): string {
  return unlessEnded(() => readFileSync(file, "utf8")) ?? "";
}

/** What is found of a process, `undefined` when it has ended since. */
function unlessEnded<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return undefined;
    throw error;
  }
}
