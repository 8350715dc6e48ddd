import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ExchangeError } from "../error.ts";
import { type Counter, Counters } from "../query/counters.ts";
import { Engine, type Role } from "../socket/engine.ts";
import type { ServerOptions } from "../socket/options.ts";
import type { Endpoint } from "../socket/udp.ts";
import type { NotifyState } from "../transfer/notify.ts";
import type { ZoneStore } from "../zone/store.ts";
import { type FromWorker, type ToWorker, type WorkerStart, encodeChange } from "./protocol.ts";

export interface ServerEvents {
  /** A secondary has acknowledged a serial, or could not be told. */
  readonly onNotify?: (state: NotifyState) => void;
  /** A fault of ours: a query could not be answered, or a thread has ended by itself and another takes its place. */
  readonly onFailure?: (error: Error) => void;
  /** The worker's program, where a bundle has it elsewhere. */
  readonly workerUrl?: URL;
}

/** Milliseconds before a thread that has ended is replaced. */
const RESTART = 1000;

/**
 * An authoritative DNS server over UDP and TCP for the zones of a store, which may change at any time.
 *
 * Without workers everything runs in the caller's thread. With workers, UDP queries are spread over that many threads by the
 * kernel, and one thread more has TCP, transfers and notifications, so that a transfer delays no query.
 */
export class DnsServer {
  readonly #zones: ZoneStore;
  readonly #events: ServerEvents;
  #options: ServerOptions;
  #engine: Engine | undefined;
  #threads: Thread[] = [];
  #unsubscribe: () => void = () => undefined;
  readonly #states = new Map<string, NotifyState>();

  /** Does nothing yet; see {@link start}. */
  constructor(zones: ZoneStore, options: ServerOptions, events: ServerEvents = {}) {
    this.#zones = zones;
    this.#options = options;
    this.#events = events;
  }

  /**
   * Takes the addresses and begins to answer.
   *
   * @returns the addresses, with the ports that were taken for port 0
   * @throws RecordError when the options are bad, ExchangeError or Node's error when an address is not to be had
   */
  async start(): Promise<readonly Endpoint[]> {
    const onNotify = (state: NotifyState): void => {
      this.#states.set(`${state.target} ${state.zone}`, state);
      this.#events.onNotify?.(state);
    };
    try {
      return await this.#listen(onNotify);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#engine?.stop();
    await Promise.all(this.#threads.splice(0).map(async (thread) => await thread.stop()));
  }

  /** Sums over all threads since the start. */
  get counters(): Record<Counter, number> {
    return Counters.sum(
      this.#engine === undefined ? this.#threads.map(({ counters }) => counters) : [this.#engine.counters],
    );
  }

  /** How far each secondary has been told of each zone, as far as that is settled. */
  get notifyStates(): readonly NotifyState[] {
    return this.#engine?.notifyStates ?? [...this.#states.values()];
  }

  async #listen(onNotify: (state: NotifyState) => void): Promise<readonly Endpoint[]> {
    const { workers = 0 } = this.#options;
    const onFault = this.#events.onFailure === undefined ? {} : { onFault: this.#events.onFailure };
    if (workers === 0) {
      this.#engine = new Engine(this.#options, this.#zones, { udp: true, tcp: true }, { onNotify, ...onFault });
      return await this.#engine.start();
    }
    // All threads must make and take the same cookies.
    const cookieSecrets = this.#options.cookieSecrets ?? [randomBytes(16).toString("hex")];
    this.#options = { ...this.#options, cookieSecrets };
    this.#unsubscribe = this.#zones.subscribe((change) => {
      const message = encodeChange(change);
      for (const thread of this.#threads) thread.tell(message);
    });
    const listen = await this.#spawn({ udp: false, tcp: true }, onNotify);
    this.#options = { ...this.#options, listen };
    for (let i = 0; i < workers; i++) await this.#spawn({ udp: true, tcp: false }, onNotify);
    return listen;
  }

  async #spawn(role: Role, onNotify: (state: NotifyState) => void): Promise<readonly Endpoint[]> {
    const thread = new Thread(this.#options, role, this.#events, this.#zones, onNotify);
    this.#threads.push(thread);
    return await thread.start();
  }
}

/** A worker thread, replaced when it ends by itself. */
class Thread {
  readonly counters = new Counters();
  #options: ServerOptions;
  readonly #role: Role;
  readonly #events: ServerEvents;
  readonly #zones: ZoneStore;
  readonly #onNotify: (state: NotifyState) => void;
  #worker: Worker | undefined;
  #stopping = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(
    options: ServerOptions,
    role: Role,
    events: ServerEvents,
    zones: ZoneStore,
    onNotify: (state: NotifyState) => void,
  ) {
    this.#options = options;
    this.#role = role;
    this.#events = events;
    this.#zones = zones;
    this.#onNotify = onNotify;
  }

  async start(): Promise<readonly Endpoint[]> {
    const workerData: WorkerStart = { options: this.#options, role: this.#role, counters: this.counters.memory };
    const worker = new Worker(this.#events.workerUrl ?? new URL("main.ts", import.meta.url), { workerData });
    this.#worker = worker;
    const listening = new Promise<readonly Endpoint[]>((resolve, reject) => {
      worker.on("message", (message: FromWorker) => {
        if (message.kind === "notify") this.#onNotify(message.state);
        else if (message.kind === "fault") this.#events.onFailure?.(message.error);
        else if (message.kind === "listening") resolve(message.listen);
        else reject(new ExchangeError("DNS server", message.message));
      });
      worker.once("error", reject);
    });
    for (const zone of this.#zones.zones) {
      const history = this.#role.tcp ? (this.#zones.journal(zone.origin)?.differences ?? []) : [];
      this.tell(encodeChange({ kind: "zone", zone, difference: undefined, history }));
    }
    this.tell({ kind: "listen" });
    const endpoints = await listening;
    // One that takes its place must be found at the same port.
    this.#options = { ...this.#options, listen: endpoints };
    worker.on("error", (error: Error) => this.#events.onFailure?.(error));
    worker.on("exit", () => this.#replace());
    return endpoints;
  }

  tell(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined || worker.threadId < 0) return;
    const gone = once(worker, "exit");
    this.tell({ kind: "stop" });
    await gone;
  }

  #replace(): void {
    this.#worker = undefined;
    if (this.#stopping) return;
    this.#restart = setTimeout(() => {
      this.start().catch((error: unknown) => {
        this.#events.onFailure?.(error instanceof Error ? error : new ExchangeError("DNS server", String(error)));
        this.#replace();
      });
    }, RESTART);
  }
}
