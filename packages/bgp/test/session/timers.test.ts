import { describe, expect, test } from "vitest";
import { Timers } from "../../src/session/timers.ts";
import { SimClock } from "../support/sim.ts";

function timersOn(clock: SimClock): { timers: Timers; expired: string[] } {
  const expired: string[] = [];
  return { timers: new Timers(clock, (timer) => expired.push(`${timer} ${clock.elapsed() / 1000}`)), expired };
}

describe("a session's timers", () => {
  test("expire once, at the latest start's time", async () => {
    const clock = new SimClock();
    const { timers, expired } = timersOn(clock);
    timers.start("hold", 9_000);
    await clock.advance(5);
    timers.start("hold", 9_000);
    await clock.advance(8);
    expect(expired).toEqual([]);
    await clock.advance(100);
    expect(expired).toEqual(["hold 14"]);
  });

  test("can be made shorter, and stopped", async () => {
    const clock = new SimClock();
    const { timers, expired } = timersOn(clock);
    timers.start("hold", 240_000);
    timers.start("hold", 3_000);
    timers.start("keepalive", 1_000);
    timers.stop("keepalive");
    await clock.advance(300);
    expect(expired).toEqual(["hold 3"]);
  });

  test("let what came in the same moment be read first: a busy process gives no living peer up", async () => {
    const clock = new SimClock();
    const { timers, expired } = timersOn(clock);
    timers.start("hold", 9_000);
    // The message was there in time, but is read after the timer is due, as Node does after a long computation.
    clock.after(9_000, () => timers.start("hold", 9_000));
    await clock.advance(17.9);
    expect(expired).toEqual([]);
    await clock.advance(0.2);
    expect(expired).toEqual(["hold 18"]);
  });
});
