import { foldOctet } from "../wire/name.ts";
import type { Prepared } from "./prepared.ts";
import type { Query } from "./query.ts";
import { copyOf } from "../wire/copy.ts";

interface Entry {
  /** The question's name, in lower case. */
  readonly name: Uint8Array;
  readonly type: number;
  readonly prepared: Prepared;
  readonly next: Entry | undefined;
}

/** Octets of a message before the question's name. */
const NAME_AT = 12;

/**
 * Answers that were given before, by name and type. Only names that exist are kept, so strangers cannot make it grow beyond the
 * zones; when it is full it starts anew.
 */
export class AnswerCache {
  readonly #limit: number;
  readonly #entries = new Map<number, Entry>();
  #count = 0;

  /** @param limit count of answers */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(message: Uint8Array, query: Query): Prepared | undefined {
    let entry = this.#entries.get(query.hash);
    while (entry !== undefined && !matches(entry, message, query)) entry = entry.next;
    return entry?.prepared;
  }

  set(message: Uint8Array, query: Query, prepared: Prepared): void {
    if (this.#count >= this.#limit) this.clear();
    const name = copyOf(message, NAME_AT, query.nameEnd);
    for (let i = 0; i < name.length; i++) name[i] = foldOctet(name[i] ?? 0);
    this.#entries.set(query.hash, { name, type: query.type, prepared, next: this.#entries.get(query.hash) });
    this.#count++;
  }

  clear(): void {
    this.#entries.clear();
    this.#count = 0;
  }
}

function matches({ name, type }: Entry, message: Uint8Array, query: Query): boolean {
  if (type !== query.type || name.length !== query.nameEnd - NAME_AT) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== foldOctet(message[NAME_AT + i] ?? 0)) return false;
  return true;
}
