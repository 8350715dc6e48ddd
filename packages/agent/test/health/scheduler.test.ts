import { Address } from "@trivet/ip";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Check } from "../../src/health/plan.ts";
import { Scheduler } from "../../src/health/scheduler.ts";
import type { Occasion, Outcome } from "../../src/health/state.ts";
import { parseTarget } from "../../src/health/target.ts";
import type { Timers } from "../../src/health/timers.ts";

const PASS: Outcome = { kind: "passed" };
const FAIL: Outcome = { kind: "failed", why: "connection refused" };
const TIMERS: Timers = { interval: 5_000, fast: 1_000, timeout: 2_000, rise: 2, fall: 3 };

/** What a check finds, and after how many milliseconds. */
type Finding = (check: Check) => { readonly outcome: Outcome; readonly after: number };

let find: Finding;
/** The checks that were begun, as they were written, and when. */
let begun: { readonly id: string; readonly text: string; readonly at: number }[];
let bugs: unknown[];
let scheduler: Scheduler;
let start: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
  start = Date.now();
  [begun, bugs] = [[], []];
  find = () => ({ outcome: PASS, after: 1 });
  scheduler = new Scheduler({
    probe: async (check, signal) => {
      begun.push({ id: check.id, text: check.text, at: Date.now() - start });
      const { outcome, after } = find(check);
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(() => resolve(outcome), after);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason as Error);
        });
      });
    },
    onOutcome: () => undefined,
    onBug: (_, error) => void bugs.push(error),
  });
});

afterEach(() => {
  scheduler.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function check(id: string, text: string, more: Partial<Check> = {}): Check {
  const [project = "", instance = ""] = id.split("/");
  const target = parseTarget(text);
  return { id, project, instance, run: "1", name: "check", text, target, timers: TIMERS, ...more };
}

function set(checks: readonly Check[], occasion: Occasion = "starting"): void {
  scheduler.set(checks, () => occasion);
}

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

const times = (id: string): number[] => begun.filter((one) => one.id === id).map(({ at }) => at);

describe("an error that no probe should throw", () => {
  test("is unknown, told with itself once, and the check goes on", async () => {
    set([check("web/c1", "tcp://:25")]);
    await pass(10);
    find = () => {
      throw new RangeError("out of range");
    };
    await pass(20_000);
    expect(scheduler.state("web/c1")).toMatchObject({
      verdict: "passing",
      unknown: { why: "this agent failed to check it, by a bug of its own: RangeError: out of range" },
    });
    expect(bugs).toEqual([new RangeError("out of range")]);
    find = () => ({ outcome: FAIL, after: 1 });
    await pass(20_000);
    expect(scheduler.state("web/c1")?.verdict).toBe("failing");
  });
});

describe("a check that is changed", () => {
  test("asks the new target soon, whatever its interval was, and begins its row anew", async () => {
    const slow = { timers: { ...TIMERS, interval: 3_600_000 } };
    find = ({ text }) => ({ outcome: text === "tcp://:25" ? PASS : FAIL, after: 1 });
    set([check("web/c1", "tcp://:25", slow)]);
    await pass(60_000);
    expect(times("web/c1")).toEqual([0]);
    set([check("web/c1", "tcp://:26", slow)]);
    await pass(1_000);
    expect(begun.at(-1)).toMatchObject({ text: "tcp://:26", at: 61_000 });
    await pass(1_100);
    set([check("web/c1", "tcp://:27", slow)]);
    await pass(2_100);
    // Two failures of the one and two of the other are no three in a row.
    expect(scheduler.state("web/c1")).toMatchObject({ verdict: "passing", fails: 2 });
    await pass(1_000);
    expect(scheduler.state("web/c1")?.verdict).toBe("failing");
  });

  test("asks a new address soon", async () => {
    set([check("web/c1", "tcp://:25", { address: Address.parse("192.0.2.1") })]);
    await pass(2_000);
    set([check("web/c1", "tcp://:25", { address: Address.parse("192.0.2.2") })]);
    await pass(1_000);
    expect(times("web/c1")).toEqual([0, 3_000]);
  });

  test("takes up new timers soon", async () => {
    set([check("web/c1", "tcp://:25", { timers: { ...TIMERS, interval: 3_600_000 } })]);
    await pass(60_000);
    set([check("web/c1", "tcp://:25")]);
    await pass(10_000);
    expect(times("web/c1")).toEqual([0, 61_000, 66_000]);
  });

  test("does not count what the old target says later", async () => {
    find = ({ text }) => ({ outcome: text === "tcp://:25" ? FAIL : PASS, after: 1_500 });
    set([check("web/c1", "tcp://:25", { timers: { ...TIMERS, fall: 1 } })], "added");
    await pass(1_000);
    set([check("web/c1", "tcp://:26", { timers: { ...TIMERS, fall: 1 } })]);
    await pass(1_400);
    expect(scheduler.state("web/c1")).toMatchObject({ verdict: "passing", fails: 0 });
    await pass(10_000);
    expect(scheduler.state("web/c1")).toMatchObject({ verdict: "passing", fails: 0 });
  });

  test("is left alone when the Snapshot is new and the check is not", async () => {
    set([check("web/c1", "tcp://:25")]);
    await pass(2_000);
    set([check("web/c1", "tcp://:25", { timers: { ...TIMERS } })]);
    await pass(3_000);
    expect(times("web/c1")).toEqual([0, 5_000]);
  });

  test("may become one inside the instance, while it waits or runs", async () => {
    find = () => ({ outcome: PASS, after: 1_500 });
    const many = Array.from({ length: 6 }, (_, i) => `p${i}/c1`);
    set(many.map((id) => check(id, "exec:a")));
    await pass(500);
    set(many.map((id) => check(id, "tcp://:25")));
    await pass(1_100);
    expect(begun.filter(({ text }) => text === "tcp://:25")).toHaveLength(6);
  });
});

describe("one's checks do not keep another's from running", () => {
  const hanging = { timers: { ...TIMERS, interval: 100, timeout: 60_000 } };
  const victim = check("web/victim", "exec:ok");

  beforeEach(() => {
    find = ({ id }) => (id === victim.id ? { outcome: PASS, after: 10 } : { outcome: FAIL, after: 60_000 });
  });

  test("those of one instance", async () => {
    set([...Array.from({ length: 16 }, (_, i) => check(`web/bad/${i}`, "exec:sleep 100", hanging)), victim]);
    await pass(300_000);
    expect(times(victim.id).length).toBeGreaterThanOrEqual(60);
  });

  test("those of many instances of its own project, from when they have shown what they are", async () => {
    set([...Array.from({ length: 40 }, (_, i) => check(`web/c${i}`, "exec:sleep 100", hanging)), victim]);
    await pass(300_000);
    expect(times(victim.id).length).toBeGreaterThanOrEqual(60);
    // They get their turn, too.
    expect(new Set(begun.map(({ id }) => id)).size).toBeGreaterThan(10);
  });

  test("those of one project's instances", async () => {
    set([...Array.from({ length: 40 }, (_, i) => check(`bad/c${i}`, "exec:sleep 100", hanging)), victim]);
    await pass(300_000);
    expect(times(victim.id).length).toBeGreaterThanOrEqual(60);
  });

  test("over the network, those of an instance", async () => {
    const seen = check("web/victim", "tcp://:25");
    set([...Array.from({ length: 100 }, (_, i) => check(`web/bad/${i}`, "tcp://:25", hanging)), seen]);
    await pass(300_000);
    expect(times(seen.id).length).toBeGreaterThanOrEqual(60);
  });

  test("without others, all lanes are one project's", async () => {
    find = () => ({ outcome: PASS, after: 900 });
    set(Array.from({ length: 4 }, (_, i) => check(`web/c${i}`, "exec:ok")));
    await pass(4_999);
    begun = [];
    await pass(10);
    expect(begun).toHaveLength(4);
  });

  test("nothing is begun any more by one who hears of an outcome and stops", async () => {
    const stopping = new Scheduler({
      probe: async () => await Promise.resolve(PASS),
      onOutcome: () => stopping.stop(),
      onBug: () => undefined,
    });
    stopping.set([victim], () => "starting");
    await pass(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a check that is overdue", () => {
  test("is unknown and why, keeps its verdict, and is well again when its turn has come", async () => {
    const late = check("web/late", "exec:ok");
    find = () => ({ outcome: PASS, after: 10 });
    set([late]);
    await pass(1_000);
    find = ({ id }) => (id === late.id ? { outcome: PASS, after: 10 } : { outcome: FAIL, after: 60_000 });
    set([late, ...Array.from({ length: 4 }, (_, i) => check(`web/c${i}`, "exec:sleep 100"))]);
    // Due at 5 s, and not begun for three intervals.
    await pass(18_900);
    expect(scheduler.state(late.id)?.unknown).toBeUndefined();
    await pass(200);
    expect(scheduler.state(late.id)).toMatchObject({
      verdict: "passing",
      unknown: { why: "overdue: the checks before it take too long" },
    });
    await pass(45_000);
    expect(scheduler.state(late.id)).toMatchObject({ verdict: "passing" });
    expect(scheduler.state(late.id)?.unknown).toBeUndefined();
  });
});
