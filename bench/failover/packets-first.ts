import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import type { Lab } from "@trivet/lab";

/** Programs that watch for the dead, and have little else to do. */
const WATCHERS = new Set(["bfdd", "keepalived"]);
/** That of trivet's agents, which asks for the same and is refused where control groups have no real time. */
export const AGENT_BFD = "bfd";
/** Threads that watch: the agents', and the switch's for OVN. */
const WATCHING_THREADS = new RegExp(`^(${AGENT_BFD}|monitor\\d*)$`);
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
 * @returns the watching threads, which come first now: the name of each by its id
 */
export function packetsFirst(lab: Lab): Map<string, string> {
  const found = new Map<string, string>();
  for (const pid of processes(lab)) {
    const program = name(`/proc/${pid}/comm`);
    for (const task of unlessEnded(() => readdirSync(`/proc/${pid}/task`)) ?? []) {
      const thread = `/proc/${pid}/task/${task}`;
      const own = name(`${thread}/comm`);
      if (WATCHERS.has(program) || WATCHING_THREADS.test(own)) {
        if (!isFirst(thread)) makeFirst(task);
        found.set(task, own);
      } else if (program === SWITCH) {
        outside(task);
        unlessEnded(() => setPriority(Number(task), SWITCH_NICE));
      }
    }
  }
  return found;
}

function isFirst(thread: string): boolean {
  // The program's name may have spaces; it ends at the last bracket.
  return text(`${thread}/stat`).split(") ").at(-1)?.split(" ")[POLICY] === ROUND_ROBIN;
}

function makeFirst(task: string): void {
  outside(task);
  const { status, stderr } = spawnSync("chrt", ["--rr", "--pid", "1", task], { encoding: "utf8" });
  if (status !== 0 && existsSync(`/proc/${task}`)) throw new Error(`chrt: ${stderr}`);
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
    const code = error instanceof Error ? systemCode(error) : undefined;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** Files tell it in `code`, priorities in `info`. */
function systemCode(error: Error & { readonly code?: unknown; readonly info?: { readonly code?: unknown } }): unknown {
  return error.info?.code ?? error.code;
}
