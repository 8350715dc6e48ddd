import { existsSync } from "node:fs";
import { Places, down, missingRequirements } from "@trivet/lab";

/**
 * The labs of the end-to-end tests (e2e/lab.ts) are made by the first test that needs one, shared by the run's others, and removed
 * after the last. With TRIVET_LAB_KEEP=1 they stay, and the next such run goes on with them.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (missingRequirements().length > 0) return undefined;
  // A run that was killed left its labs; the process that they are named after is gone.
  for (const name of Places.labs()) {
    const pid = /^[a-z]\d?x(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await down(name);
  }
  if (process.env["TRIVET_LAB_KEEP"] === "1") return undefined;
  const run = `x${process.pid}`;
  process.env["TRIVET_LAB_RUN"] = run;
  return async () => {
    for (const name of Places.labs()) if (name.endsWith(run)) await down(name);
  };
}
