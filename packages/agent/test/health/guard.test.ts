import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { guarded } from "../../src/health/probes/guard.ts";

/** Runs a command as an instance would, with this machine's shell. Ends when nobody has its output open any more. */
function run(command: string): { ready: Promise<unknown>; terminate: () => void; ended: Promise<unknown[]> } {
  const [file = "", ...args] = guarded(command);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "ignore"] });
  return {
    ready: once(child.stdout, "data"),
    terminate: () => void child.kill("SIGTERM"),
    ended: once(child, "close"),
  };
}

describe("a guarded command", () => {
  test.each([
    ["true", 0],
    ["exit 3", 3],
    ["/no/such/program", 127],
    ["kill -KILL $$", 137],
  ])("`%s` ends with the status that it would have alone", async (command, status) => {
    const { ended } = run(command);
    expect(await ended).toEqual([status, null]);
  });

  test.each([
    "echo ready; exec sleep 60",
    "echo ready; sleep 60 | cat",
    "echo ready; sleep 60 && true",
    "(sleep 60; true) & echo ready; sleep 60; true",
    "sh -c 'sleep 60 & echo ready; sh -c \"sleep 60; true\"; true'",
    "trap '' TERM; echo ready; sleep 60; true",
  ])("`%s` leaves nothing running when it is told to end", async (command) => {
    const { ready, terminate, ended } = run(command);
    await ready;
    terminate();
    expect(await ended).toEqual([143, null]);
  });
});
