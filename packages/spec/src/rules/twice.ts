/** Remembers who came first with each key: `see(key, who)` is the earlier one, or `undefined` for the first. */
export function firstOfEach<V>(): (key: string | number, who: V) => V | undefined {
  const seen = new Map<string | number, V>();
  return (key, who) => {
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, who);
    return earlier;
  };
}
