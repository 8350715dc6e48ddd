/** Time, injected so that everything but sockets is tested on simulated time. */
export interface Clock {
  /** Milliseconds since 1970, for people. */
  now(): number;
  /** Milliseconds that only go up, for measuring. */
  elapsed(): number;
  /** Calls back once after `delay` milliseconds, unless the returned function is called before. */
  after(delay: number, callback: () => void): () => void;
  /** Calls back after the current event, before the next: what happens together is handled together. */
  soon(callback: () => void): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
  soon: (callback) => {
    setImmediate(callback);
  },
};
