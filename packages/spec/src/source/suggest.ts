/** The candidate that was most likely meant by `word`, if one is near enough to be worth naming. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  const wanted = normal(word);
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= Math.max(least, 4)) continue;
    const distance = editDistance(wanted, normal(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function normal(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll(/[-_ ]/g, "");
}

/** Counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let current = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const before = previous;
    previous = current;
    current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      current.push(cost);
    }
  }
  return current[b.length] ?? 0;
}
