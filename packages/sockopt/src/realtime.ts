import { SocketError } from "./error.ts";
import { check, libc, unavailableReason } from "./libc.ts";

/** SCHED_RR, and SCHED_RESET_ON_FORK: what the thread starts does not inherit it. */
const POLICY = 2 | 0x4000_0000;
/** The lowest of the real-time priorities: before all ordinary work, behind the kernel's own. */
const PRIORITY = 1;

/**
 * Has the calling thread, and no other of its process, run before all ordinary work of the machine (sched(7), SCHED_RR): for a thread
 * that has little to do and must not be late with it. What it needs is CAP_SYS_NICE, or an RLIMIT_RTPRIO of 1.
 *
 * @returns why it stays as it was, as the end of a sentence; `undefined` when it runs first
 */
export function runFirst(): string | undefined {
  const missing = unavailableReason();
  if (missing !== undefined) return missing;
  try {
    check("sched_setscheduler", libc().sched_setscheduler(0, POLICY, Uint8Array.of(PRIORITY, 0, 0, 0)));
    return undefined;
  } catch (error) {
    if (error instanceof SocketError) return error.message;
    throw error;
  }
}
