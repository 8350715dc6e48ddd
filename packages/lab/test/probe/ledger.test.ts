import { describe, expect, test } from "vitest";
import { LATE, Ledger } from "../../src/probe/ledger.ts";

/** Sends a probe at each of these times and answers, after a millisecond, those that are not lost. */
function run(times: readonly number[], lost: readonly number[] = []): Ledger {
  const ledger = new Ledger(10);
  for (const time of times) {
    const number = ledger.sent(time);
    if (!lost.includes(time)) ledger.received(number, time + 1, "dns01");
  }
  return ledger;
}

describe("the account of a flow", () => {
  test("without a loss there is no gap", () => {
    const ledger = run([0, 10, 20, 30]);
    expect(ledger.settle(40)).toEqual([]);
    expect(ledger).toMatchObject({ answered: 4, lost: 0, longest: undefined, resolution: 10 });
    expect([...ledger.answers]).toEqual([["dns01", 4]]);
  });

  test("a gap is the time between two answered probes' sending, less the interval", () => {
    const ledger = run([0, 10, 20, 30, 40], [20, 30]);
    expect(ledger.settle(30 + LATE + 1)).toEqual([{ start: 20, milliseconds: 20, lost: 2 }]);
    expect(ledger).toMatchObject({ answered: 3, lost: 2, longest: { start: 20 } });
  });

  test("of several gaps the longest stays", () => {
    const ledger = run([0, 10, 20, 30, 40, 50, 60], [10, 30, 40]);
    expect(ledger.settle(2 * LATE)).toHaveLength(2);
    expect(ledger.longest).toEqual({ start: 30, milliseconds: 20, lost: 2 });
  });

  test("a prober that could not send makes the resolution worse, and no gap", () => {
    const ledger = run([0, 10, 300, 310]);
    expect(ledger.settle(320)).toEqual([]);
    expect(ledger).toMatchObject({ lost: 0, longest: undefined, resolution: 290 });
  });

  test("an answer after more than a second is a loss", () => {
    const ledger = run([0, 10, 20], [10]);
    ledger.received(1, 10 + LATE + 0.1, "dns01");
    expect(ledger.settle(10 + LATE + 1)).toEqual([{ start: 10, milliseconds: 10, lost: 1 }]);
  });

  test("an answer within a second is none, and its slowness is told", () => {
    const ledger = run([0, 10, 20], [10]);
    expect(ledger.settle(500)).toEqual([]);
    ledger.received(1, 10 + LATE, "dns02");
    expect(ledger.settle(LATE + 100)).toEqual([]);
    expect(ledger).toMatchObject({ answered: 3, lost: 0, slowest: LATE });
    expect([...ledger.answers]).toEqual([
      ["dns01", 2],
      ["dns02", 1],
    ]);
  });

  test("answers may overtake each other", () => {
    const ledger = new Ledger(10);
    for (const time of [0, 10, 20]) ledger.sent(time);
    for (const number of [2, 0, 1]) ledger.received(number, 25, "dns01");
    expect(ledger.settle(30)).toEqual([]);
    expect(ledger).toMatchObject({ answered: 3, lost: 0 });
  });

  test("a second answer, and one to nothing, do not count", () => {
    const ledger = run([0]);
    ledger.received(0, 5, "dns02");
    ledger.received(7, 5, "dns02");
    expect([...ledger.answers]).toEqual([["dns01", 1]]);
  });

  test("a flow that was never answered has one gap, from its first probe to its end", () => {
    const ledger = run([100, 110, 120], [100, 110, 120]);
    expect(ledger.waiting).toBe(true);
    expect(ledger.finish()).toEqual([{ start: 100, milliseconds: 30, lost: 3 }]);
    expect(ledger).toMatchObject({ answered: 0, lost: 3 });
  });

  test("a flow that begins dark has a gap until its first answer", () => {
    const ledger = run([100, 110, 120], [100, 110]);
    expect(ledger.finish()).toEqual([{ start: 100, milliseconds: 20, lost: 2 }]);
  });

  test("a gap that lasts at the end counts as far as it was watched", () => {
    const ledger = run([0, 10, 20, 30], [20, 30]);
    expect(ledger.finish()).toEqual([{ start: 10 + 10, milliseconds: 20, lost: 2 }]);
  });
});
