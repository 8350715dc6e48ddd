/**
 * Values under small numbers, each kept as long as it is referred to: 0 is no value, and numbers are not used again, so that what
 * others derived from a number stays right.
 */
export class Counted<T> {
  readonly #entries = new Map<number, { readonly value: T; references: number }>();
  readonly #forgotten: (id: number, value: T) => void;
  #next = 1;

  /** @param forgotten is told when the last reference to a value goes */
  constructor(forgotten: (id: number, value: T) => void = () => undefined) {
    this.#forgotten = forgotten;
  }

  /** Takes a value, with no reference yet. */
  add(value: T): number {
    const id = this.#next++;
    this.#entries.set(id, { value, references: 0 });
    return id;
  }

  get(id: number): T | undefined {
    return this.#entries.get(id)?.value;
  }

  retain(id: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.references++;
  }

  release(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || --entry.references > 0) return;
    this.#entries.delete(id);
    this.#forgotten(id, entry.value);
  }
}
