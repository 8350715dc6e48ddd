import { Namespace, type Requirements, missingRequirements } from "@trivet/lab";
import { beforeAll, describe, test } from "vitest";
import { Sandbox } from "./daemons/sandbox.ts";

/**
 * A suite that needs root and real daemons. Where they are missing, its one test is skipped under a name that says what to do;
 * with TRIVET_LAB=required that test fails instead. Leftovers of a crashed run are removed first.
 */
export function describeLab(name: string, needs: Requirements, body: () => void): void {
  const missing = missingRequirements({ ...needs, programs: ["ip", ...(needs.programs ?? [])] });
  if (missing.length === 0) {
    describe(name, () => {
      beforeAll(async () => {
        await Namespace.removeStale();
        await Sandbox.removeStale();
      });
      body();
    });
    return;
  }
  const why = missing.join("; ");
  describe(name, () => {
    if (process.env["TRIVET_LAB"] === "required") {
      test("has what it needs", () => {
        throw new Error(`the lab is required, but ${why}`);
      });
    } else {
      test.skip(`skipped: ${why}`, () => undefined);
    }
  });
}
