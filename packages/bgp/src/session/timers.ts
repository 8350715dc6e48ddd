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
      if (running === undefined) return;
      if (running.deadline > this.#clock.elapsed()) this.#arm(timer, running.deadline);
      // A process that was busy first reads what came meanwhile: a late timer must not end a session that is alive.
      else this.#clock.soon(() => this.#expire(timer, running));
    });
    this.#running.set(timer, { deadline, wake: deadline, cancel });
  }

  #expire(timer: TimerName, running: Running): void {
    if (this.#running.get(timer) !== running) return;
    if (running.deadline > this.#clock.elapsed()) {
      this.#arm(timer, running.deadline);
      return;
    }
    this.#running.delete(timer);
    this.#expired(timer);
  }
}
