import { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import { AddressError, parseScoped } from "@trivet/ip";
import { unavailableReason } from "@trivet/sockopt";
import { type SessionSpec, type SessionStatus, addressKey } from "../engine.ts";
import { BfdConfigError, BfdEndedError, BfdSocketError } from "../error.ts";
import type { State } from "../wire/packet.ts";
import type { Report, Request } from "./messages.ts";

/** A wanted session. Times are in milliseconds. */
export interface SessionOptions {
  /** Unique; the peer's address unless given. */
  readonly name?: string;
  /** The peer's address; a link-local one needs its interface: `fe80::1%br-mesh`. */
  readonly peer: string;
  readonly local?: string;
  /** RFC 5883: UDP port 4784 and no check of the hop limit, for peers behind routers. */
  readonly multihop?: boolean;
  /** Wait for the peer to speak first. */
  readonly passive?: boolean;
  /** How often to send while up; 300 unless given. */
  readonly transmitInterval?: number;
  /** How often to be ready to receive; 300 unless given. */
  readonly receiveInterval?: number;
  /** Lost packets after which the peer declares us dead; 3 unless given. */
  readonly multiplier?: number;
  /** Hold the session down and tell the peer so: planned work, not a failure (RFC 5882 §4.2). */
  readonly adminDown?: boolean;
}

/** What the thread is called, in `ps -L` and `top -H`. */
const THREAD = "bfd";

interface Events {
  /** A session changed its state. */
  state: [status: SessionStatus, from: State];
  /**
   * A listening socket failed; sessions on it are no longer watched. Or the thread ended unasked ({@link BfdEndedError}): nothing is watched
   * until `start()` and `setSessions()` are called anew.
   */
  error: [error: Error];
}

/** Milliseconds that the thread may take to end; its last words take a tenth of a second. */
const STOP_AT_MOST = 1_000;

type Asking = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;
type Done = Extract<Report, { kind: "done" }>;

/**
 * A BFD endpoint on a worker thread of its own: asynchronous mode, both IP families, single hop and multihop.
 *
 * `start()`, then `setSessions()` with the whole wanted set as often as it changes, `stop()` at the end.
 */
export class BfdEndpoint extends EventEmitter<Events> {
  #worker: Worker | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  /** Why there is no thread; nothing while there is one, or was none yet. */
  #ended: BfdEndedError | undefined;
  #requests = 0;
  #ordinary: string | undefined;
  readonly #waiting = new Map<number, { resolve: (report: Report) => void; reject: (error: Error) => void }>();

  /** Why BFD cannot run on this machine, as the end of a sentence; `undefined` when it can. */
  static unavailableReason(): string | undefined {
    return unavailableReason();
  }

  /**
   * Why the sessions wait for their turn on a busy machine's processors, as the end of a sentence; `undefined` when they come before
   * all ordinary work (sched(7), SCHED_RR), or before the endpoint was started. That wants CAP_SYS_NICE, or an RLIMIT_RTPRIO of 1.
   */
  get ordinaryPriority(): string | undefined {
    return this.#ordinary;
  }

  /**
   * Starts the worker thread; it has no sessions yet.
   *
   * @throws BfdEndedError when the thread does not come that far
   */
  async start(): Promise<void> {
    await this.#stopping;
    this.#starting ??= this.#start();
    await this.#starting;
  }

  /**
   * Makes the sessions be exactly these: see {@link SessionOptions}. Those that stay as they are go on undisturbed.
   *
   * @throws BfdConfigError on options out of range, before anything is changed
   * @throws BfdSocketError naming sessions whose addresses cannot be bound; the others run
   * @throws BfdEndedError when nothing runs any more
   */
  async setSessions(sessions: readonly SessionOptions[]): Promise<void> {
    const specs = sessions.map(toSpec);
    const names = new Set<string>();
    const addresses = new Map<string, string>();
    for (const spec of specs) {
      const { name } = spec;
      if (names.has(name)) throw new BfdConfigError(name, "is there twice; give the sessions different names");
      names.add(name);
      const same = addresses.get(addressKey(spec));
      if (same !== undefined)
        throw new BfdConfigError(
          name,
          `is between the same addresses as ${same}; keep one, or give them different ones`,
        );
      addresses.set(addressKey(spec), name);
    }
    await this.#ask({ kind: "set", specs });
  }

  /** @throws BfdEndedError when the thread ended unasked; after `stop()` there are none */
  async sessions(): Promise<readonly SessionStatus[]> {
    if (this.#stopping !== undefined) return [];
    return (await this.#ask({ kind: "statuses" })).statuses;
  }

  /** Tells every peer that this is intended, and ends, within a second. Who asks twice waits for the same end. */
  async stop(): Promise<void> {
    if (this.#worker !== undefined) this.#stopping ??= this.#stop(this.#worker);
    await this.#stopping;
  }

  async #start(): Promise<void> {
    this.#stopping = undefined;
    this.#ended = undefined;
    const worker = new Worker(workerFile(), { name: THREAD });
    this.#worker = worker;
    let cause: Error | undefined;
    worker.on("message", (report: Report) => this.#take(report));
    worker.on("error", (error: Error) => (cause = error));
    worker.on("exit", (code) => this.#end(code, cause));
    const started = await new Promise<Report>((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
    if (started.kind === "started") this.#ordinary = started.ordinary;
  }

  async #stop(worker: Worker): Promise<void> {
    const exit = new Promise<void>((resolve) => void worker.once("exit", () => resolve()));
    const late = setTimeout(() => void worker.terminate(), STOP_AT_MOST);
    worker.postMessage({ kind: "close", id: ++this.#requests } satisfies Request);
    await exit;
    clearTimeout(late);
  }

  async #ask(asking: Asking): Promise<Done> {
    const worker = this.#worker;
    if (this.#stopping !== undefined) throw new BfdEndedError("it was stopped");
    if (this.#ended !== undefined) throw this.#ended;
    if (worker === undefined) throw new TypeError("the BFD endpoint is not started");
    const id = ++this.#requests;
    const report = await new Promise<Report>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ ...asking, id });
    });
    return report as Done;
  }

  #take(report: Report): void {
    switch (report.kind) {
      case "started":
        this.#settle(0)?.resolve(report);
        return;
      case "state":
        this.emit("state", report.status, report.from);
        return;
      case "socket-error":
        this.emit("error", new TypeError(report.message));
        return;
      case "done":
        this.#settle(report.id)?.resolve(report);
        return;
      case "failed":
        this.#settle(report.id)?.reject(new BfdSocketError(report.failures));
    }
  }

  #settle(id: number): { resolve: (report: Report) => void; reject: (error: Error) => void } | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** The thread is gone: nobody is left waiting for it. */
  #end(code: number, cause: Error | undefined): void {
    const isAsked = this.#stopping !== undefined;
    const ended = new BfdEndedError(
      isAsked ? "it was stopped" : `its thread: ${cause?.message ?? `exit code ${code}`}`,
      cause,
    );
    this.#worker = undefined;
    this.#starting = undefined;
    if (!isAsked) this.#ended = ended;
    for (const id of this.#waiting.keys()) this.#settle(id)?.reject(ended);
    if (!isAsked) this.emit("error", ended);
  }
}

/** Beside this file: TypeScript in the source tree, JavaScript where the program was bundled. */
function workerFile(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("worker.ts", import.meta.url)
    : new URL("bfd-worker.js", import.meta.url);
}

function toSpec(options: SessionOptions): SessionSpec {
  const { peer, transmitInterval = 300, receiveInterval = 300, multiplier = 3 } = options;
  const fail = (reason: string): never => {
    throw new BfdConfigError(peer, reason);
  };
  for (const [what, value] of [
    ["transmit", transmitInterval],
    ["receive", receiveInterval],
  ] as const)
    if (!(value >= 10 && value <= 60_000)) fail(`the ${what} interval of ${value} ms is outside 10 to 60,000`);
  if (!Number.isInteger(multiplier) || multiplier < 1 || multiplier > 255)
    fail(`the multiplier ${multiplier} is no whole number from 1 to 255`);
  return {
    name: options.name ?? peer,
    peer: canonical(peer, fail),
    local: options.local === undefined ? undefined : canonical(options.local, fail),
    multihop: options.multihop ?? false,
    passive: options.passive ?? false,
    adminDown: options.adminDown ?? false,
    timers: {
      desiredMinTx: transmitInterval * 1000,
      requiredMinRx: receiveInterval * 1000,
      detectMultiplier: multiplier,
    },
  };
}

function canonical(text: string, fail: (reason: string) => never): string {
  try {
    const { address, zone } = parseScoped(text);
    if (address.family === 6 && address.isLinkLocal && zone === undefined)
      return fail(`${text} is link-local and needs its interface: ${text}%INTERFACE`);
    return zone === undefined ? address.toString() : `${address.toString()}%${zone}`;
  } catch (error) {
    if (error instanceof AddressError) return fail(error.message);
    throw error;
  }
}
