import { setTimeout as pause } from "node:timers/promises";
import { CommandError } from "../host/run.ts";

const ATTEMPTS = 5;
const PAUSE_MS = 3000;

/**
 * What LXD and Incus say while OVN's databases, or their own, have no leader, or one that is late: over in seconds. `ovn-nbctl` gives up
 * after ten seconds by an alarm signal.
 */
const TRANSIENT = /ovn-[ns]bctl|OVSDB|alarm clock|leader|context deadline exceeded|database is locked|disconnected/i;

/** Does work again that failed because a database was without a leader. It must go on where it was when it is done again. */
export async function patiently<T>(work: () => Promise<T>, progress: (line: string) => void): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CommandError) || !TRANSIENT.test(error.stderr) || attempt === ATTEMPTS) throw error;
      const why = error.stderr.split("\n").find((line) => line.startsWith("Error")) ?? "a database without a leader";
      progress(`again, after ${why}`);
      await pause(PAUSE_MS);
    }
  }
}
