/** What a server counts. Every thread has its own; they only ever grow. */
export const COUNTERS = [
  "udpQueries",
  "tcpQueries",
  "noerror",
  "formerr",
  "servfail",
  "nxdomain",
  "notimp",
  "refused",
  "otherRcode",
  "truncated",
  "unanswered",
  "rateLimited",
  "cacheHits",
  "tsigFailures",
  "transfers",
  "incrementalTransfers",
  "transfersRefused",
  "tcpConnections",
  "tcpRejected",
  "tcpTimeouts",
  "notifiesSent",
  "notifiesAcknowledged",
  "notifiesFailed",
  "sendFailures",
  "faults",
] as const;

export type Counter = (typeof COUNTERS)[number];

/** Counters in memory that threads can share: one writer, any readers. */
export class Counters {
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(COUNTERS.length * 8)) {
    this.#values = new Float64Array(memory);
  }

  get memory(): SharedArrayBuffer {
    return this.#values.buffer as SharedArrayBuffer;
  }

  add(counter: Counter): void {
    this.addAt(INDEX[counter]);
  }

  addAt(index: number): void {
    this.#values[index] = (this.#values[index] ?? 0) + 1;
  }

  get(counter: Counter): number {
    return this.#values[INDEX[counter]] ?? 0;
  }

  static sum(all: readonly Counters[]): Record<Counter, number> {
    const entries = COUNTERS.map((name) => [name, all.reduce((sum, counters) => sum + counters.get(name), 0)]);
    return Object.fromEntries(entries) as Record<Counter, number>;
  }
}

export const INDEX = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Record<Counter, number>;

/** The counter of an RCODE. */
export function rcodeIndex(rcode: number): number {
  return rcode <= 5 ? INDEX.noerror + rcode : INDEX.otherRcode;
}
