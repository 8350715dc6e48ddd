import { ExecDeadlineError, type LxdClient, LxdError } from "@trivet/lxd";
import type { Outcome } from "../state.ts";
import { BUSY, isLate } from "./busy.ts";
import { guarded } from "./guard.ts";

/** What is needed of LXD. */
export type Executor = Pick<LxdClient["instances"], "exec" | "state">;

/** Milliseconds that LXD has to begin with the command. The check's own time counts from then on. */
const START = 5_000;
/** Milliseconds that LXD has to answer that it is there. */
const SIGN_OF_LIFE = 1_000;
/** Milliseconds beyond its timeout in which a check has ended, whatever LXD does. */
export const EXEC_EXTRA = START + 2 * SIGN_OF_LIFE;
/** Octets of what the command prints, of which the last line may be shown. */
const KEPT = 4_096;
const SHOWN = 120;

/**
 * Passes with exit status 0 of a shell command in the instance. Whatever LXD cannot do is unknown, and says nothing of the service; so
 * is a command that LXD did not even begin.
 */
export async function probeExec(
  instances: Executor,
  { project, instance, command }: { project: string; instance: string; command: string },
  timeout: number,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const { status, stdout, stderr } = await instances.exec(instance, guarded(command), {
      project,
      timeout: START,
      commandTimeout: timeout,
      maxOutput: KEPT,
      signal,
    });
    if (status === 0) return { kind: "passed" };
    if (status < 0) return { kind: "unknown", why: "LXD told no exit status" };
    const said = (stderr.trim() || stdout.trim()).split("\n").at(-1)?.slice(0, SHOWN) ?? "";
    return { kind: "failed", why: `exit status ${status}${said === "" ? "" : `: ${said}`}` };
  } catch (error) {
    if (!(error instanceof LxdError)) throw error;
    if (!(error instanceof ExecDeadlineError)) return { kind: "unknown", why: error.message };
    if (!error.begun) return { kind: "unknown", why: "LXD did not begin with the command in time" };
    if (isLate(error.late, timeout)) return BUSY;
    // Either the command hangs or LXD does.
    if (await answers(instances, project, instance, signal))
      return { kind: "failed", why: `the command did not end within ${timeout / 1_000} s` };
    return { kind: "unknown", why: error.message };
  }
}

async function answers(instances: Executor, project: string, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await instances.state(name, { project, timeout: SIGN_OF_LIFE, signal });
    return true;
  } catch (error) {
    if (error instanceof LxdError) return false;
    throw error;
  }
}
