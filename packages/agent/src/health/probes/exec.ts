import { DeadlineError, type LxdClient, LxdError } from "@trivet/lxd";
import type { Outcome } from "../state.ts";

/** What is needed of LXD. */
export type Executor = Pick<LxdClient["instances"], "exec" | "state">;

/** Milliseconds that LXD has to answer that it is there. */
const SIGN_OF_LIFE = 1_000;
/** Of what the command printed, in the reason. */
const SHOWN = 120;

/** Passes with exit status 0 of a shell command in the instance. Whatever LXD cannot do is unknown, and says nothing of the service. */
export async function probeExec(
  instances: Executor,
  { project, instance, command }: { project: string; instance: string; command: string },
  timeout: number,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const { status, stdout, stderr } = await instances.exec(instance, ["/bin/sh", "-c", command], {
      project,
      timeout,
      signal,
    });
    if (status === 0) return { kind: "passed" };
    if (status < 0) return { kind: "unknown", why: "LXD told no exit status" };
    const said = (stderr.trim() || stdout.trim()).split("\n").at(-1)?.slice(0, SHOWN) ?? "";
    return { kind: "failed", why: `exit status ${status}${said === "" ? "" : `: ${said}`}` };
  } catch (error) {
    if (!(error instanceof LxdError)) throw error;
    // Either the command hangs or LXD does.
    if (error instanceof DeadlineError && (await answers(instances, project, instance, signal)))
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
