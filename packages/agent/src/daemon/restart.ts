import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What is known of what routers may hold from before this agent's start. */
export interface OwnStart {
  /** An agent ran before in this boot of the server. */
  readonly restarting: boolean;
  /** What the server announced before still leads to where it led. */
  readonly forwardingKept: boolean;
}

/**
 * Finds out from two files what came before, and notes that this agent ran.
 *
 * The server forwards packets without the agent, so the forwarding state outlives any agent (RFC 4724: the R and F bits) but not the
 * server's reboot, which changes the kernel's boot id. Where no agent ever ran, routers may hold what another daemon announced, and that
 * still leads to where it led.
 *
 * @param run in /run, which a reboot empties
 * @param kept outlives a reboot; nothing where no place does
 */
export function findStart(run: string, kept: string | undefined): OwnStart {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const [last, ever] = [exchange(run, boot), kept === undefined ? undefined : exchange(kept, boot)];
  return { restarting: last === boot, forwardingKept: ever === undefined || ever === boot };
}

/** Writes a file. @returns what was in it; nothing if there was none */
function exchange(path: string, text: string): string | undefined {
  const before = readIfThere(path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return before;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
