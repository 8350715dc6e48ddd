import { type Address, type Family, WIDTH } from "./address.ts";
import { Prefix } from "./prefix.ts";

/**
 * A set of prefixes of both families, with longest-prefix questions answered in at most one map look-up per prefix length in use.
 */
export class PrefixSet {
  readonly #byLength: Record<Family, Map<number, Map<string, Prefix>>> = { 4: new Map(), 6: new Map() };
  #size = 0;

  constructor(prefixes: Iterable<Prefix> = []) {
    for (const prefix of prefixes) this.add(prefix);
  }

  get size(): number {
    return this.#size;
  }

  /** @returns true when the prefix was not there yet */
  add(prefix: Prefix): boolean {
    const lengths = this.#byLength[prefix.family];
    let members = lengths.get(prefix.length);
    if (members === undefined) lengths.set(prefix.length, (members = new Map()));
    const key = prefix.address.toString();
    if (members.has(key)) return false;
    members.set(key, prefix);
    this.#size++;
    return true;
  }

  /** @returns true when the prefix was there */
  delete(prefix: Prefix): boolean {
    const lengths = this.#byLength[prefix.family];
    const members = lengths.get(prefix.length);
    if (!members?.delete(prefix.address.toString())) return false;
    if (members.size === 0) lengths.delete(prefix.length);
    this.#size--;
    return true;
  }

  /** True when exactly this prefix is a member. */
  has(prefix: Prefix): boolean {
    return this.#byLength[prefix.family].get(prefix.length)?.has(prefix.address.toString()) ?? false;
  }

  /** The longest member that contains the address or prefix, which a member itself does. */
  longestMatch(of: Address | Prefix): Prefix | undefined {
    const target = of instanceof Prefix ? of : Prefix.host(of);
    let best: Prefix | undefined;
    for (const [length, members] of this.#byLength[target.family]) {
      if (length > target.length || (best !== undefined && length < best.length)) continue;
      const found = members.get(Prefix.of(target.address, length).address.toString());
      if (found !== undefined) best = found;
    }
    return best;
  }

  /** True when one member contains the whole of the address or prefix. */
  covers(other: Address | Prefix): boolean {
    return this.longestMatch(other) !== undefined;
  }

  /** The members in order: by family, address, then length. */
  toArray(): Prefix[] {
    return [...this].sort((a, b) => a.compare(b));
  }

  *[Symbol.iterator](): Iterator<Prefix> {
    for (const family of [4, 6] as const)
      for (const members of this.#byLength[family].values()) yield* members.values();
  }
}

/** The fewest prefixes that hold exactly the same addresses, in order. */
export function aggregate(prefixes: Iterable<Prefix>): Prefix[] {
  const result: Prefix[] = [];
  for (const prefix of [...prefixes].sort((a, b) => a.compare(b))) {
    if (result.at(-1)?.contains(prefix)) continue;
    result.push(prefix);
    for (;;) {
      const [left, right] = result.slice(-2);
      const parent = left !== undefined && right !== undefined ? parentOf(left, right) : undefined;
      if (parent === undefined) break;
      result.splice(-2, 2, parent);
    }
  }
  return result;
}

function parentOf(left: Prefix, right: Prefix): Prefix | undefined {
  if (left.family !== right.family || left.length !== right.length || left.length === 0) return undefined;
  const parent = Prefix.of(left.address, left.length - 1);
  return parent.contains(right) && !left.equals(right) ? parent : undefined;
}

/** The fewest prefixes that hold every address from `first` to `last`, in order; none when `last` is before `first`. */
export function rangeToPrefixes(first: Address, last: Address): Prefix[] {
  const result: Prefix[] = [];
  const end = last.toBigInt();
  const width = WIDTH[first.family];
  let next = first.toBigInt();
  while (first.family === last.family && next <= end) {
    let bits = 0;
    while (bits < width && (next >> BigInt(bits)) % 2n === 0n && next + (2n << BigInt(bits)) - 1n <= end) bits++;
    const start = first.plus(next - first.toBigInt());
    result.push(Prefix.of(start, width - bits));
    next += 1n << BigInt(bits);
  }
  return result;
}
