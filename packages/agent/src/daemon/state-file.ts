import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Milliseconds from a change until it is written: a burst is written once. */
const DELAY = 1_000;

/**
 * A file for what is worth keeping over a restart and can be done without: written a moment after a change and replaced as a whole, so
 * that it is always one that was written.
 */
export class StateFile {
  readonly #path: string;
  readonly #onFailure: (error: Error) => void;
  #make: (() => string | Uint8Array) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param onFailure told when it cannot be read or written; the agent goes on without */
  constructor(path: string, onFailure: (error: Error) => void) {
    this.#path = path;
    this.#onFailure = onFailure;
  }

  /** What was written last, by this agent or the one before; nothing when there is none. */
  read(): Buffer | undefined {
    try {
      return readFileSync(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#onFailure(error as Error);
      return undefined;
    }
  }

  /** @param make what is to be written, asked for when it is */
  changed(make: () => string | Uint8Array): void {
    this.#make = make;
    this.#timer ??= setTimeout(() => this.flush(), DELAY);
  }

  /** Writes at once what is still to be written. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const make = this.#make;
    if (make === undefined) return;
    this.#make = undefined;
    try {
      writeFileSync(`${this.#path}.new`, make(), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      this.#onFailure(error as Error);
    }
  }
}
