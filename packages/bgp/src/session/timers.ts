import type { Clock } from "../clock.ts";
import type { TimerName } from "../fsm/events.ts";

interface Running {
  deadline: number;
  /** When the clock will call: at the deadline, or before it if the timer was started anew since. */
  wake: number;
  cancel: () => void;
}

/** A session's timers. Starting one anew, as every message does with the hold timer, mostly costs an assignment. */
export class Timers {
  readonly #clock: Clock;
  readonly #expired: (timer: TimerName) => void;
  readonly #running = new Map<TimerName, Running>();

  constructor(clock: Clock, expired: (timer: TimerName) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  start(timer: TimerName, milliseconds: number): void {
    const deadline = this.#clock.elapsed() + milliseconds;
    const running = this.#running.get(timer);
    if (running !== undefined && running.wake <= deadline) {
      running.deadline = deadline;
      return;
    }
    running?.cancel();
    this.#arm(timer, deadline);
  }

  stop(timer: TimerName): void {
    this.#running.get(timer)?.cancel();
    this.#running.delete(timer);
  }

  #arm(timer: TimerName, deadline: number): void {
    const cancel = this.#clock.after(Math.max(0, deadline - this.#clock.elapsed()), () => {
      const running = this.#running.get(timer);
      this.#running.delete(timer);
      if (running !== undefined && running.deadline > this.#clock.elapsed()) this.#arm(timer, running.deadline);
      else this.#expired(timer);
    });
    this.#running.set(timer, { deadline, wake: deadline, cancel });
  }
}
