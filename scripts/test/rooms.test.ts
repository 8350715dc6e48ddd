import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const script = join(import.meta.dirname, "..", "rooms.mjs");
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "trivet-rooms-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function plant(path: string, text: string): { status: number | null; stderr: string } {
  const file = join(root, "packages", path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: "utf8" });
  return { status, stderr };
}

describe("room boundaries", () => {
  test("the project keeps them", () => {
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test("downward imports through an index are fine", () => {
    expect(plant("agent/src/a.ts", 'import { Speaker } from "@trivet/bgp";\nimport { b } from "./b.ts";')).toEqual({
      status: 0,
      stderr: "",
    });
  });

  test.each([
    [
      "an upward import",
      "bgp/src/a.ts",
      'import { Agent } from "@trivet/agent";',
      "bgp (floor 0) may not import agent (floor 4)",
    ],
    [
      "a sideways import",
      "bgp/src/a.ts",
      'import type { Zone } from "@trivet/dns";',
      "bgp (floor 0) may not import dns (floor 0)",
    ],
    [
      "a sideways re-export",
      "agent/src/a.ts",
      'export { Lab } from "@trivet/lab";',
      "agent (floor 4) may not import lab (floor 4)",
    ],
    [
      "a dynamic import upward",
      "spec/src/a.ts",
      'await import("@trivet/render");',
      "spec (floor 1) may not import render (floor 2)",
    ],
    [
      "a way past the index",
      "agent/src/a.ts",
      'import { x } from "@trivet/bgp/src/x.ts";',
      "import @trivet/bgp (its index) only",
    ],
    ["a relative way out", "agent/src/a.ts", 'import { x } from "../../bgp/src/x.ts";', "outside its own room"],
    [
      "test support in a product",
      "agent/src/a.ts",
      'import { eventually } from "@trivet/testing";',
      "no room that a product package may use",
    ],
    [
      "a socket in a codec",
      "dns/src/wire/a.ts",
      'import { createSocket } from "node:dgram";',
      "only the room's socket file may",
    ],
    [
      "a timer in a state machine",
      "bgp/src/fsm.ts",
      "\nsetTimeout(() => 1, 2);",
      "packages/bgp/src/fsm.ts:2: uses a timer",
    ],
    ["the wall clock in a state machine", "bfd/src/a.ts", "const t = Date.now();", "the clock is injected"],
    ["an unknown room", "attic/src/a.ts", "", "packages/attic: no such room"],
  ])("%s is refused", (_name, path, text, message) => {
    const { status, stderr } = plant(path, text);
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });

  test("the socket file of a protocol room may use sockets and timers", () => {
    expect(
      plant("bgp/src/socket.ts", 'import { connect } from "node:net";\nsetTimeout(() => connect(1), 2);').status,
    ).toBe(0);
  });
});
