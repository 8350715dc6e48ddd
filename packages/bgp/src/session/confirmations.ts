import type { Family } from "@trivet/ip";

/**
 * What became of the question whether a peer has read what it was sent. `read`: it has. `unable`: it cannot say. `ended`: the session
 * is over, and with it what was sent on it.
 */
export type Confirmation = "read" | "unable" | "ended";

interface Question {
  /** Whose routes the peer is to send again. */
  readonly family: Family;
  readonly tell: (confirmation: Confirmation) => void;
}

/**
 * Learns that a peer has read all that it was sent. BGP has no acknowledgement, but a peer that is asked for its routes again marks the
 * beginning of its answer (enhanced route refresh, RFC 7313 §4), and has read by then what it was sent before the question. Of the end
 * of its answer FRR says nothing while it has nothing to tell.
 *
 * One question at a time: two could be answered together, and it would not be known whether the later was read. A peer may also send
 * its routes anew unasked (RFC 7313 §4), when its policy changed, say; such a beginning is taken for the answer, since nothing in it says
 * that it is none. It came after what the peer had read by then, which may be less than all.
 */
export class Confirmations {
  readonly #ask: (family: Family) => void;
  /** What is asked for; nothing while no question waits. */
  #family: Family | undefined;
  #asked: readonly Question[] = [];
  /** For the next turn: what they ask about may have been sent after the present one. */
  #next: readonly Question[] = [];

  /** Answers that may still come to what `refresh` asked for while a question waited. */
  readonly #strays: Record<Family, number> = { 4: 0, 6: 0 };
  /** Those of them that were asked for before the present question, and are answered before it. */
  #ahead = 0;

  /** @param ask asks the peer, after all that it is to be sent now */
  constructor(ask: (family: Family) => void) {
    this.#ask = ask;
  }

  async ask(family: Family): Promise<Confirmation> {
    return await new Promise((tell) => {
      this.#next = [...this.#next, { family, tell }];
      if (this.#family === undefined) this.#begin();
    });
  }

  /**
   * Asks for the routes alone, and at once: a question that the peer does not answer holds up other questions only. A peer that answers
   * both together then leaves the next question without an answer.
   */
  refresh(family: Family): void {
    if (this.#family === undefined) {
      // As a question of nobody's, so that its answer is not taken for a later one's.
      void this.ask(family);
      return;
    }
    this.#strays[family]++;
    this.#ask(family);
  }

  /** The peer begins an answer. */
  answered(family: Family): void {
    if (family !== this.#family || this.#ahead > 0) {
      if (family === this.#family) this.#ahead--;
      this.#strays[family] = Math.max(0, this.#strays[family] - 1);
      return;
    }
    for (const { tell } of this.#asked) tell("read");
    this.#asked = [];
    this.#family = undefined;
    this.#begin();
  }

  /** The session is over. */
  end(): void {
    for (const { tell } of [...this.#asked, ...this.#next]) tell("ended");
    this.#asked = [];
    this.#next = [];
  }

  #begin(): void {
    const [first] = this.#next;
    if (first === undefined) return;
    this.#asked = this.#next.filter(({ family }) => family === first.family);
    this.#next = this.#next.filter(({ family }) => family !== first.family);
    this.#family = first.family;
    this.#ahead = this.#strays[first.family];
    this.#ask(first.family);
  }
}
