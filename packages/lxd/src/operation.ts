import { setTimeout as pause } from "node:timers/promises";
import { type CallOptions, path, withQuery } from "./call.ts";
import { CALL_TIMEOUT, type Limits } from "./connection.ts";
import { type CallSite, DeadlineError, LxdError, NotFoundError, OperationError, UnreachableError } from "./errors.ts";
import type { EventOptions } from "./events.ts";
import type { StreamItem } from "./types/event.ts";
import type { OperationState, Progress } from "./types/operation.ts";

export interface WaitOptions extends Limits {
  /** Told whenever the daemon says how far it is. */
  readonly onProgress?: (progress: Progress) => void;
}

/** What an operation needs of the client. */
export interface OperationClient {
  readonly name: string;
  get<T>(path: string, options: CallOptions & { readonly longPoll?: boolean }): Promise<T>;
  delete(path: string, options: Limits): Promise<unknown>;
  events(options: EventOptions): AsyncIterable<StreamItem>;
}

/** How long an operation may take unless told, milliseconds. */
const WAIT_TIMEOUT = 600_000;
/** Of one long poll, milliseconds: short enough to notice a daemon that hangs. */
const POLL = 20_000;
/** Between two attempts to reach a daemon that is away, milliseconds. */
const RETRY = 500;
const SUCCESS = 200;
const CANCELLED = 401;

/**
 * Work that the daemon does in the background. Whatever it answered at once (older daemons do for some changes) is an operation
 * that has already succeeded, so that callers need not know the difference.
 */
export class Operation {
  /** Empty when there was nothing to wait for. */
  readonly id: string;
  /** As it was at its start; for a finished one, `metadata` is the daemon's answer. */
  readonly initial: OperationState;
  readonly #client: OperationClient;
  readonly #project: string | undefined;
  readonly #call: string;

  /** @param call what started it, for errors: `POST /1.0/instances` */
  constructor(client: OperationClient, call: string, initial: OperationState, project?: string) {
    this.#client = client;
    this.#project = project;
    this.#call = call;
    this.initial = initial;
    this.id = initial.id;
  }

  /** Its state now. */
  async state(options: Limits = {}): Promise<OperationState> {
    return this.id === "" ? this.initial : await this.#client.get<OperationState>(this.#path(), options);
  }

  /**
   * Waits for its end, over a short absence of the daemon too.
   *
   * @returns its last state
   * @throws OperationError when it failed, was cancelled, or is unknown to the (restarted) daemon; DeadlineError after `timeout`
   *   (10 minutes unless told), the operation then goes on
   */
  async wait(options: WaitOptions = {}): Promise<OperationState> {
    if (finished(this.initial)) return this.#outcome(this.initial);
    const { onProgress } = options;
    if (onProgress === undefined) return this.#outcome(await this.#finish(options));
    const done = new AbortController();
    const signal = options.signal === undefined ? done.signal : AbortSignal.any([done.signal, options.signal]);
    const watching = this.#watch(onProgress, signal);
    try {
      return this.#outcome(await this.#finish(options));
    } finally {
      done.abort();
      await watching;
    }
  }

  /**
   * Asks the daemon to stop it; `wait` then throws an OperationError whose outcome is `cancelled`.
   *
   * @throws BadRequestError when it cannot be cancelled
   */
  async cancel(options: Limits = {}): Promise<void> {
    if (this.id !== "") await this.#client.delete(this.#path(), options);
  }

  #path(suffix = ""): string {
    return withQuery(
      path`/1.0/operations/${this.id}` + suffix,
      this.#project === undefined ? {} : { project: this.#project },
    );
  }

  /** Long polls until it is over. A daemon that restarts meanwhile either still knows it or has lost it. */
  async #finish({ timeout = WAIT_TIMEOUT, signal }: Limits): Promise<OperationState> {
    const end = performance.now() + timeout;
    for (;;) {
      const left = end - performance.now();
      if (left <= 0) throw new DeadlineError(this.#site(), timeout);
      const poll = Math.min(POLL, Math.ceil(left / 1000) * 1000);
      try {
        const state = await this.#client.get<OperationState>(this.#path("/wait"), {
          ...(signal === undefined ? {} : { signal }),
          query: { timeout: String(poll / 1000) },
          timeout: Math.min(left, poll + CALL_TIMEOUT),
          longPoll: true,
        });
        if (finished(state)) return state;
      } catch (error) {
        if (!(error instanceof LxdError)) throw error;
        if (error instanceof DeadlineError)
          throw performance.now() < end ? error : new DeadlineError(this.#site(error), timeout);
        // Incus answers a poll that runs out, and one whose operation fails, with an error: the state itself tells them apart.
        const away = error instanceof UnreachableError;
        const state = away ? undefined : await this.#known(Math.max(1, end - performance.now()), signal);
        if (state !== undefined && finished(state)) return state;
        await pause(
          Math.min(RETRY, Math.max(0, end - performance.now())),
          undefined,
          signal === undefined ? {} : { signal },
        );
      }
    }
  }

  async #known(timeout: number, signal: AbortSignal | undefined): Promise<OperationState> {
    try {
      return await this.state({
        timeout: Math.min(timeout, CALL_TIMEOUT),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      throw new OperationError(this.#site(error), `operation ${this.id} is gone`, "lost");
    }
  }

  async #watch(onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<void> {
    const scope = this.#project === undefined ? {} : { project: this.#project };
    for await (const item of this.#client.events({ types: ["operation"], signal, ...scope })) {
      if (item.type !== "operation" || item.metadata.id !== this.id) continue;
      for (const progress of progressOf(item.metadata)) onProgress(progress);
    }
  }

  #outcome(state: OperationState): OperationState {
    if (state.status_code === SUCCESS) return state;
    if (state.status_code === CANCELLED) throw new OperationError(this.#site(), "it was cancelled", "cancelled", state);
    throw new OperationError(
      this.#site(),
      state.err === "" ? `it ended as ${state.status}` : state.err,
      "failure",
      state,
    );
  }

  #site(cause?: unknown): CallSite {
    return { server: this.#client.name, call: this.#call, cause };
  }
}

function finished(state: OperationState): boolean {
  return state.status_code >= SUCCESS;
}

/** What an operation's metadata says of its progress: texts such as `download_progress: "rootfs: 42% (1.3GB/s)"`. */
export function progressOf({ metadata }: Pick<OperationState, "metadata">): Progress[] {
  return Object.entries(metadata ?? {}).flatMap(([stage, text]) => {
    if (!stage.endsWith("_progress") || typeof text !== "string") return [];
    const percent = /(\d+)%/.exec(text)?.[1];
    return [{ stage, text, ...(percent === undefined ? {} : { percent: Number(percent) }) }];
  });
}
