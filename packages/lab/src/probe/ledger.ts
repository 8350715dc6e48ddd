/** Milliseconds after which an answer no longer counts. */
export const LATE = 1000;

/** Lost probes in a row, in milliseconds of the ledger's clock. */
export interface LedgerGap {
  readonly start: number;
  readonly milliseconds: number;
  readonly lost: number;
}

interface Probe {
  readonly sentAt: number;
  answered: boolean;
}

/**
 * What became of every probe of one flow, and the gaps between those that were answered. Time is whatever the caller says it is.
 *
 * A gap lies between two answered probes with at least one lost between them, and is measured by when they were *sent*: a slow answer
 * makes no gap, nor does a prober that was itself kept from sending.
 */
export class Ledger {
  /** Number of the next probe. */
  next = 0;
  answered = 0;
  lost = 0;
  slowest = 0;
  /** The longest time between two probes. */
  resolution = 0;
  longest: LedgerGap | undefined;
  readonly answers = new Map<string, number>();

  readonly #interval: number;
  /** Not accounted for yet, in the order of sending. */
  readonly #open = new Map<number, Probe>();
  #lastSent: number | undefined;
  /** When the last probe that was answered was sent; for a flow without one yet, an interval before the first probe. */
  #alive = 0;
  #run = 0;

  constructor(interval: number) {
    this.#interval = interval;
  }

  /** @returns the probe's number */
  sent(now: number): number {
    if (this.#lastSent === undefined) this.#alive = now - this.#interval;
    else this.resolution = Math.max(this.resolution, now - this.#lastSent);
    this.#lastSent = now;
    this.#open.set(this.next, { sentAt: now, answered: false });
    return this.next++;
  }

  /** An answer to a probe that is no longer waited for, or to none, counts for nothing. */
  received(number: number, now: number, by: string): void {
    const probe = this.#open.get(number);
    if (probe === undefined || probe.answered || now - probe.sentAt > LATE) return;
    probe.answered = true;
    this.answered++;
    this.slowest = Math.max(this.slowest, now - probe.sentAt);
    this.answers.set(by, (this.answers.get(by) ?? 0) + 1);
  }

  /**
   * Accounts, in the order of sending, for every probe that was answered or has waited too long.
   *
   * @returns the gaps that ended
   */
  settle(now: number): LedgerGap[] {
    const gaps: LedgerGap[] = [];
    for (const [number, { sentAt, answered }] of this.#open) {
      if (!answered && now - sentAt <= LATE) break;
      this.#open.delete(number);
      if (!answered) {
        this.lost++;
        this.#run++;
        continue;
      }
      if (this.#run > 0) gaps.push(this.#gap(sentAt));
      this.#run = 0;
      this.#alive = sentAt;
    }
    return gaps;
  }

  /** No probe follows: whatever is not answered now is lost. */
  finish(): LedgerGap[] {
    const gaps = this.settle(Number.POSITIVE_INFINITY);
    // A gap that has not ended is at least as long as it was watched.
    if (this.#run > 0 && this.#lastSent !== undefined) gaps.push(this.#gap(this.#lastSent + this.#interval));
    this.#run = 0;
    return gaps;
  }

  /** Whether probes are still waited for. */
  get waiting(): boolean {
    for (const { answered } of this.#open.values()) if (!answered) return true;
    return false;
  }

  #gap(until: number): LedgerGap {
    const start = this.#alive + this.#interval;
    const gap = { start, milliseconds: until - start, lost: this.#run };
    if (gap.milliseconds > (this.longest?.milliseconds ?? 0)) this.longest = gap;
    return gap;
  }
}
