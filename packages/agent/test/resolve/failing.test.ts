import { type Config, UnreachableError } from "@trivet/lxd";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Snapshot } from "../../src/inventory/snapshot.ts";
import { FailingNotes } from "../../src/resolve/failing.ts";
import { instance, snapshot } from "../announce/world.ts";

const KEY = "user.trivet.failing.server-1";
const service = { config: { "user.dns.service": "www" } };
const state = (notes: Config = {}): Snapshot => ({
  ...snapshot({
    instances: [
      instance("w1", {}, service),
      instance("w2", {}, service),
      instance("far", {}, { ...service, location: "server-2" }),
      instance("stopped", {}, { ...service, status: "Stopped" }),
      instance("plain", {}),
    ],
  }),
  notes,
});

let failing: Set<string> | undefined;
let written: Config[];
let down: boolean;
let failures: number;
let notes: FailingNotes;

beforeEach(() => {
  vi.useFakeTimers();
  failing = new Set();
  written = [];
  down = false;
  failures = 0;
  notes = new FailingNotes({
    lxd: {
      configure: async (config: Config) => {
        await Promise.resolve();
        if (down) throw new UnreachableError({ server: "lxd", call: "PATCH /1.0" }, "connection refused");
        written.push(config);
      },
    },
    failing: () => failing,
    onFailure: () => failures++,
  });
});
afterEach(async () => {
  await notes.stop();
  vi.useRealTimers();
});

async function tell(of?: Snapshot): Promise<void> {
  notes.tell(of);
  await vi.advanceTimersByTimeAsync(0);
}

test("of this server's running instances with service names, those that fail are noted, and no more when they pass", async () => {
  await tell(state());
  expect(written).toEqual([]);
  failing = new Set(["default/w1", "default/w2", "default/far", "default/stopped", "default/plain"]);
  await tell();
  expect(written).toEqual([{ [KEY]: "default/w1,default/w2" }]);
  await tell(state());
  await tell(state({ [KEY]: "default/w1,default/w2" }));
  expect(written).toHaveLength(1);
  failing = new Set();
  await tell();
  expect(written.at(-1)).toEqual({ [KEY]: "" });
});

test("before the first checks have told, what an earlier agent noted stands", async () => {
  failing = undefined;
  await tell(state({ [KEY]: "default/w1" }));
  expect(written).toEqual([]);
  failing = new Set();
  await tell();
  expect(written).toEqual([{ [KEY]: "" }]);
});

test("what LXD does not take is told, and tried again", async () => {
  down = true;
  failing = new Set(["default/w1"]);
  await tell(state());
  await vi.advanceTimersByTimeAsync(1_000);
  expect([failures, written.length]).toEqual([1, 0]);
  down = false;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(written).toEqual([{ [KEY]: "default/w1" }]);
});
