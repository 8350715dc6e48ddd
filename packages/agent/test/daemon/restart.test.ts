import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findStart } from "../../src/daemon/restart.ts";

let folder: string;
let run: string;
let kept: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trivet-start-"));
  [run, kept] = [join(folder, "run/boot-id"), join(folder, "state/boot-id")];
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("the first agent of all restarts nothing, and what another daemon announced still leads to where it led", () => {
  expect(findStart(run, kept)).toEqual({ restarting: false, forwardingKept: true });
});

test("the next one in the same boot restarts, and keeps", () => {
  findStart(run, kept);
  expect(findStart(run, kept)).toEqual({ restarting: true, forwardingKept: true });
});

test("the first one after a boot neither restarts nor keeps: nothing runs yet", () => {
  findStart(run, kept);
  rmSync(run);
  writeFileSync(kept, "an earlier boot\n");
  expect(findStart(run, kept)).toEqual({ restarting: false, forwardingKept: false });
  expect(findStart(run, kept)).toEqual({ restarting: true, forwardingKept: true });
});

test("without a place that outlives a boot, what is there is taken to be kept", () => {
  expect(findStart(run, undefined)).toEqual({ restarting: false, forwardingKept: true });
});
