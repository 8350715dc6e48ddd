/** What becomes of an answer. `slip` is an empty, truncated one: a real client then asks by TCP. */
export type Verdict = "send" | "slip" | "drop";

export interface RateLimitOptions {
  /** Equal answers a second to one client network (a /24 of IPv4, a /56 of IPv6). */
  readonly responsesPerSecond: number;
  /** Every so-manieth answer over the limit slips; 2 unless told. 0 lets none. */
  readonly slip?: number;
  /** How many pairs of network and answer are remembered; 65,536 unless told. */
  readonly buckets?: number;
}

/** Seconds of unused allowance that a bucket collects. */
const BURST = 2;

/**
 * Response rate limiting, so that forged queries cannot make the server flood others. A fixed table of token buckets; pairs that
 * fall into one bucket share its allowance.
 */
export class RateLimit {
  readonly #rate: number;
  readonly #slip: number;
  readonly #mask: number;
  readonly #tokens: Float64Array;
  readonly #stamp: Float64Array;
  #overs = 0;

  constructor({ responsesPerSecond, slip = 2, buckets = 65_536 }: RateLimitOptions) {
    const size = 2 ** Math.ceil(Math.log2(buckets));
    this.#rate = responsesPerSecond;
    this.#slip = slip;
    this.#mask = size - 1;
    this.#tokens = new Float64Array(size).fill(responsesPerSecond * BURST);
    this.#stamp = new Float64Array(size);
  }

  /**
   * Counts an answer.
   *
   * @param client 4 or 16 octets
   * @param answer a number that is equal for answers to be counted as one
   * @param now milliseconds
   */
  judge(client: Uint8Array, answer: number, now: number): Verdict {
    const significant = client.length === 4 ? 3 : 7;
    let hash = answer;
    for (let i = 0; i < significant; i++) hash = Math.imul(hash ^ (client[i] ?? 0), 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & this.#mask;
    const full = this.#rate * BURST;
    const gained = ((now - (this.#stamp[slot] ?? 0)) / 1000) * this.#rate;
    let tokens = Math.min(full, (this.#tokens[slot] ?? full) + gained);
    this.#stamp[slot] = now;
    if (tokens >= 1) {
      tokens -= 1;
      this.#tokens[slot] = tokens;
      return "send";
    }
    this.#tokens[slot] = tokens;
    this.#overs++;
    return this.#slip > 0 && this.#overs % this.#slip === 0 ? "slip" : "drop";
  }
}
