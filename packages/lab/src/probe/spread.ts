/**
 * Chooses flows so that every instance behind an anycast address is met by as many of them as any other.
 *
 * @param answeredBy for each candidate, the instance that answered it
 * @param count how many are wanted, at most as many as there are candidates
 * @returns indexes of candidates, in their order; those without an answer only where the others do not suffice
 */
export function spread(answeredBy: readonly (string | undefined)[], count: number): number[] {
  const instances = [...new Set(answeredBy)].filter((by) => by !== undefined).toSorted();
  const queues = instances.map((instance) => [...answeredBy.keys()].filter((i) => answeredBy[i] === instance));
  const longest = Math.max(0, ...queues.map((queue) => queue.length));
  const turns = Array.from({ length: longest }, (_, turn) => queues.flatMap((queue) => queue.slice(turn, turn + 1)));
  const silent = [...answeredBy.keys()].filter((i) => answeredBy[i] === undefined);
  return [...turns.flat(), ...silent].slice(0, count).toSorted((a, b) => a - b);
}
