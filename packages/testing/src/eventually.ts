import { setTimeout as pause } from "node:timers/promises";

/**
 * Asks `probe` again and again until it returns something other than `undefined` or `false`: for states of other programs, which
 * announce no event that could be awaited.
 *
 * @param what names the state in the error
 * @param timeout milliseconds
 * @param every milliseconds between an answer and the next question
 * @throws Error with the last error or answer, when time is over
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeout = 30_000,
  every = 50,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeout;
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== null && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end)
      throw new Error(`${what}: not within ${timeout} ms; last: ${String(last)}`, { cause: last });
    await pause(every);
  }
}
