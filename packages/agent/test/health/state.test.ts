import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CheckState, type Outcome, firstState, pause, settle, step } from "../../src/health/state.ts";

const TIMERS = { interval: 5_000, fast: 1_000, timeout: 2_000, rise: 2, fall: 3 };
const PASS: Outcome = { kind: "passed" };
const FAIL: Outcome = { kind: "failed", why: "connection refused" };
const UNKNOWN: Outcome = { kind: "unknown", why: "LXD does not answer" };

/** One result a second, from the state at second 0. */
function after(state: CheckState, ...outcomes: Outcome[]): CheckState {
  return outcomes.reduce((before, outcome, i) => step(before, outcome, TIMERS, (i + 1) * 1_000), state);
}

const started = firstState("started", 0);
const starting = firstState("starting", 0);
const added = firstState("added", 0);
const passing = after(started, PASS, PASS);
const failing = after(passing, FAIL, FAIL, FAIL);

describe("an instance that has just started", () => {
  test("passes after `rise` passed checks in a row, and fails after `fall` failed ones", () => {
    expect(started.verdict).toBe("pending");
    expect(after(started, PASS).verdict).toBe("pending");
    expect(after(started, PASS, FAIL, PASS).verdict).toBe("pending");
    expect(passing).toMatchObject({ verdict: "passing", since: 2_000, checkedAt: 2_000 });
    expect(after(started, FAIL, FAIL)).toMatchObject({ verdict: "pending", error: "connection refused" });
    expect(after(started, FAIL, FAIL, FAIL)).toMatchObject({ verdict: "failing", since: 3_000 });
  });

  test("that cannot be checked stays pending: it never passed", () => {
    expect(after(started, UNKNOWN, UNKNOWN, UNKNOWN).verdict).toBe("pending");
  });
});

describe("an instance that passes", () => {
  test("fails after `fall` failed checks in a row, and one that passes between begins the row again", () => {
    expect(after(passing, FAIL, FAIL)).toMatchObject({ verdict: "passing", since: 2_000, fails: 2 });
    expect(after(passing, FAIL, FAIL, PASS, FAIL, FAIL).verdict).toBe("passing");
    expect(failing).toMatchObject({ verdict: "failing", since: 3_000, error: "connection refused" });
  });

  test("stays so as long as it cannot be checked, which is shown with its age", () => {
    const unknown = after(passing, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN);
    expect(unknown).toMatchObject({ verdict: "passing", since: 2_000, checkedAt: 2_000 });
    expect(unknown.unknown).toEqual({ since: 1_000, why: "LXD does not answer" });
    expect(after(unknown, PASS).unknown).toBeUndefined();
  });

  test("what is unknown in between breaks no row", () => {
    expect(after(passing, FAIL, UNKNOWN, FAIL, UNKNOWN, FAIL).verdict).toBe("failing");
  });
});

describe("an instance that fails", () => {
  test("passes after `rise` passed checks in a row, and then shows no error", () => {
    expect(after(failing, PASS)).toMatchObject({ verdict: "failing", since: 3_000 });
    expect(after(failing, PASS, FAIL, PASS).verdict).toBe("failing");
    const back = after(failing, PASS, PASS);
    expect(back.verdict).toBe("passing");
    expect(back.error).toBeUndefined();
  });

  test("stays so as long as it cannot be checked", () => {
    expect(after(failing, UNKNOWN, UNKNOWN, UNKNOWN).verdict).toBe("failing");
  });
});

describe("an instance that ran before the agent did", () => {
  test("passes with its first passed check", () => {
    expect(starting.verdict).toBe("pending");
    expect(after(starting, PASS)).toMatchObject({ verdict: "passing", starting: false });
    expect(after(starting, FAIL, PASS).verdict).toBe("passing");
  });

  test("fails after `fall` failed ones, or when its time of grace ends with a failed one", () => {
    expect(after(starting, FAIL, FAIL).verdict).toBe("pending");
    expect(after(starting, FAIL, FAIL, FAIL).verdict).toBe("failing");
    expect(settle(after(starting, FAIL), 9_000)).toMatchObject({ verdict: "failing", since: 9_000 });
  });

  test("goes on to be announced when it cannot be checked, or was not in time", () => {
    expect(after(starting, UNKNOWN)).toMatchObject({ verdict: "passing", unknown: { why: "LXD does not answer" } });
    expect(settle(starting, 9_000)).toMatchObject({ verdict: "passing", unknown: { why: "not checked yet" } });
  });

  test("needs as many checks as any other from then on", () => {
    expect(after(starting, PASS, FAIL, FAIL).verdict).toBe("passing");
    expect(after(starting, FAIL, FAIL, FAIL, PASS).verdict).toBe("failing");
  });

  test("the end of grace changes nothing for one that told", () => {
    for (const state of [passing, failing, started, after(starting, PASS)]) expect(settle(state, 9_000)).toBe(state);
  });
});

test("an instance that runs and is given a check stays announced until the check fails", () => {
  expect(added).toMatchObject({ verdict: "passing", unknown: { why: "not checked yet" } });
  expect(after(added, FAIL, FAIL).verdict).toBe("passing");
  expect(after(added, FAIL, FAIL, FAIL).verdict).toBe("failing");
});

describe("the pause to the next check", () => {
  test("is the fast interval while a change is under way, and the interval otherwise", () => {
    const fast = [started, starting, after(passing, FAIL), after(failing, PASS)];
    for (const state of fast) expect(pause(state, TIMERS)).toBe(1_000);
    for (const state of [passing, failing, added]) expect(pause(state, TIMERS)).toBe(5_000);
  });

  test("is never longer than the interval", () => {
    expect(pause(started, { ...TIMERS, interval: 500 })).toBe(500);
  });
});

describe("whatever comes", () => {
  const outcome = fc.constantFrom(PASS, FAIL, UNKNOWN);
  const timers = fc.record({ rise: fc.integer({ min: 1, max: 4 }), fall: fc.integer({ min: 1, max: 4 }) });

  test("the verdict is that of the last `rise` passes or `fall` failures in a row, unknown ones left out", () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 60 }), timers, (outcomes, limits) => {
        const known = outcomes.filter(({ kind }) => kind !== "unknown").map(({ kind }) => kind);
        let expected = "pending";
        for (let end = 1; end <= known.length; end++) {
          const row = (kind: string, length: number): boolean =>
            end >= length && known.slice(end - length, end).every((one) => one === kind);
          if (row("passed", limits.rise)) expected = "passing";
          else if (row("failed", limits.fall)) expected = "failing";
        }
        const found = outcomes.reduce((state, one, i) => step(state, one, { ...TIMERS, ...limits }, i), started);
        expect(found.verdict).toBe(expected);
      }),
    );
  });

  test("nothing but failed checks makes a check fail", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(PASS, UNKNOWN)),
        fc.constantFrom(started, starting, added, passing),
        fc.boolean(),
        (outcomes, first, settled) => {
          const last = after(first, ...outcomes);
          expect((settled ? settle(last, 99_000) : last).verdict).not.toBe("failing");
        },
      ),
    );
  });
});
