import { EventEmitter, once } from "node:events";

/** What goes wrong with one server's LXD. All of it may be changed at any time. */
export interface Faults {
  /** Milliseconds that each answer takes longer. */
  readonly delay?: number;
  /** Calls are answered with this HTTP status (500). */
  readonly status?: number;
  /** Calls are accepted and never answered, events held back, until this ends. */
  readonly hang?: boolean;
  /** Events are thrown away; calls work. */
  readonly loseEvents?: boolean;
  /** `delay`, `status` and `hang` only concern the calls for which this is true; events then go on. */
  readonly only?: (method: string, path: string) => boolean;
}

/** The faults of all servers. */
export class FaultBoard extends EventEmitter<{ change: [] }> {
  readonly #faults = new Map<string, Faults>();

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /** Replaces the server's faults. */
  set(server: string, faults: Faults): void {
    this.#faults.set(server, faults);
    this.emit("change");
  }

  clear(server: string): void {
    this.#faults.delete(server);
    this.emit("change");
  }

  of(server: string): Faults {
    return this.#faults.get(server) ?? {};
  }

  /** Those that concern one call. */
  forCall(server: string, method: string, path: string): Faults {
    const faults = this.of(server);
    return faults.only === undefined || faults.only(method, path) ? faults : {};
  }

  /** Resolves once `blocked` is false; asks again after every change of faults. */
  async until(blocked: () => boolean, signal: AbortSignal): Promise<void> {
    while (blocked()) await once(this, "change", { signal });
  }
}
