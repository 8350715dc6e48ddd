import { type LxdClient, LxdError } from "@trivet/lxd";
import { type KnownInstance, type Snapshot, isLocal, isRunning, keyOf } from "../inventory/snapshot.ts";
import { serviceNames } from "./user-keys.ts";

/** In the configuration that all servers share: of each server's instances with service names, those whose health checks fail. */
const KEY = "user.trivet.failing";
/** Milliseconds before a note that could not be written is tried again. */
const RETRY = 2_000;

/** Whether the server an instance is on says that its checks fail. */
export function isFailing({ notes }: Pick<Snapshot, "notes">, instance: KnownInstance): boolean {
  return (notes?.[`${KEY}.${instance.location}`] ?? "").split(",").includes(keyOf(instance));
}

export interface FailingNotesOptions {
  readonly lxd: Pick<LxdClient, "configure">;
  /** The keys of this server's instances that have checks which do not pass; nothing before all have told. */
  readonly failing: () => ReadonlySet<string> | undefined;
  readonly onFailure: (error: LxdError) => void;
}

/**
 * Tells all servers which of this server's instances fail their health checks, through LXD: only their own server checks them, and
 * all must answer alike.
 */
export class FailingNotes {
  readonly #options: FailingNotesOptions;
  #snapshot: Snapshot | undefined;
  #writing: Promise<void> | undefined;
  #written: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: FailingNotesOptions) {
    this.#options = options;
  }

  /** Writes the note, if what LXD has is not what is true. */
  tell(snapshot: Snapshot | undefined = this.#snapshot): void {
    this.#snapshot = snapshot;
    const failing = this.#options.failing();
    if (snapshot === undefined || failing === undefined || this.#stopped || this.#writing !== undefined) return;
    const key = `${KEY}.${snapshot.server}`;
    const noted = snapshot.notes?.[key] ?? "";
    // What was written is read a moment later.
    if (noted === this.#written) this.#written = undefined;
    const note = [...snapshot.instances.values()]
      .filter((one) => isLocal(snapshot, one) && isRunning(one) && failing.has(keyOf(one)))
      .filter((one) => serviceNames(one).names.length > 0)
      .map(keyOf)
      .sort()
      .join(",");
    if (note === (this.#written ?? noted)) return;
    this.#writing = this.#write(key, note).finally(() => {
      this.#writing = undefined;
      this.tell();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  async #write(key: string, note: string): Promise<void> {
    try {
      await this.#options.lxd.configure({ [key]: note });
      this.#written = note;
    } catch (error) {
      if (!(error instanceof LxdError)) throw error;
      this.#options.onFailure(error);
      // Until then LXD counts as having it.
      this.#written = note;
      this.#timer = setTimeout(() => {
        this.#written = undefined;
        this.tell();
      }, RETRY);
    }
  }
}
