import { expect, test } from "vitest";
import { CommandError, run } from "../../src/host/run.ts";

test("a command that outlives its time is killed, and nobody waits for what it left behind", async () => {
  const began = performance.now();
  const late = run(["sh", "-c", "sleep 20 & echo $! >&2; wait"], { timeout: 300 });
  const error = await late.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CommandError);
  expect((error as CommandError).status).toBe("killed after 300 ms");
  expect(performance.now() - began).toBeLessThan(10_000);
  process.kill(Number((error as CommandError).stderr));
});
