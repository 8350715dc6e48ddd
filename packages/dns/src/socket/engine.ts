import { randomInt } from "node:crypto";
import { systemClock } from "../clock.ts";
import { Counters } from "../query/counters.ts";
import { type Incoming, Responder } from "../query/responder.ts";
import type { NotifyState } from "../transfer/notify.ts";
import type { ZoneStore } from "../zone/store.ts";
import { NotifySender } from "./notify-sender.ts";
import { type ServerOptions, checkSizes, readCookies, readKeys, readRateLimit, readTransfers } from "./options.ts";
import { TcpListener } from "./tcp.ts";
import { openTransfer } from "./transfer-source.ts";
import { type Endpoint, UdpListener } from "./udp.ts";

/** What a thread does. */
export interface Role {
  readonly udp: boolean;
  /** TCP, transfers and notifications. */
  readonly tcp: boolean;
}

export interface EngineHooks {
  readonly counters?: Counters;
  readonly onNotify?: (state: NotifyState) => void;
  /** A query could not be answered for a fault of ours. */
  readonly onFault?: (error: Error) => void;
}

/** The server of one thread: sockets around a {@link Responder}. */
export class Engine {
  readonly counters: Counters;
  readonly #options: ServerOptions;
  readonly #zones: ZoneStore;
  readonly #role: Role;
  readonly #responder: Responder;
  readonly #notify: NotifySender;
  readonly #udp = new UdpListener();
  readonly #tcp = new TcpListener();
  readonly #onFault: (error: unknown) => void;
  #unsubscribe: () => void = () => undefined;

  /** @throws RecordError or AddressError when the options are bad */
  constructor(options: ServerOptions, zones: ZoneStore, role: Role, hooks: EngineHooks = {}) {
    const { counters = new Counters(), onNotify = () => undefined, onFault = () => undefined } = hooks;
    checkSizes(options);
    const keys = readKeys(options);
    this.counters = counters;
    this.#onFault = (error) => {
      counters.add("faults");
      onFault(error instanceof Error ? error : new TypeError(String(error)));
    };
    this.#options = options;
    this.#zones = zones;
    this.#role = role;
    this.#notify = new NotifySender(options, keys, counters, onNotify);
    this.#responder = new Responder({
      zones,
      keys,
      transfers: readTransfers(options, keys),
      cookies: readCookies(options),
      rateLimit: readRateLimit(options),
      identity: options.identity,
      maxUdpSize: options.maxUdpSize,
      cacheSize: options.cacheSize,
      counters,
      now: () => systemClock.now(),
      seed: randomInt(2 ** 32),
    });
  }

  /** How far the secondaries have been told. */
  get notifyStates(): readonly NotifyState[] {
    return this.#notify.notifier.states;
  }

  /** @returns the addresses with the ports that were taken for port 0 */
  async start(): Promise<readonly Endpoint[]> {
    let { listen } = this.#options;
    if (this.#role.tcp) {
      const out = new Uint8Array(0xffff);
      await this.#tcp.start({
        listen,
        limits: this.#options.tcp ?? {},
        counters: this.counters,
        answer: (query, client) => this.#answerTcp(query, client, out),
        onFault: this.#onFault,
      });
      const { port } = this.#tcp;
      listen = listen.map((endpoint) => (endpoint.port === 0 ? { ...endpoint, port } : endpoint));
      const { notifier } = this.#notify;
      this.#unsubscribe = this.#zones.subscribe((change) => {
        if (change.kind === "zone") notifier.changed(change.zone);
        else notifier.removed(change.origin);
      });
      for (const zone of this.#zones.zones) notifier.changed(zone);
    }
    if (this.#role.udp) await this.#startUdp(listen);
    return listen;
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#notify.stop();
    await Promise.all([this.#udp.stop(), this.#tcp.stop()]);
    this.#responder.close();
  }

  async #startUdp(listen: readonly Endpoint[]): Promise<void> {
    const incoming: { -readonly [K in keyof Incoming]: Incoming[K] } = {
      bytes: new Uint8Array(),
      length: 0,
      client: new Uint8Array(),
      tcp: false,
    };
    await this.#udp.start({
      listen,
      answer: (bytes, length, client, out) => {
        // One object serves all queries: none outlives the call.
        incoming.bytes = bytes;
        incoming.length = length;
        incoming.client = client;
        try {
          return this.#responder.respond(incoming, out);
        } catch (error) {
          // One query must not end the server.
          this.#onFault(error);
          return 0;
        }
      },
      onSendFailure: () => this.counters.add("sendFailures"),
    });
  }

  #answerTcp(query: Uint8Array, client: Uint8Array, out: Uint8Array): Iterable<Uint8Array> {
    const incoming = { bytes: query, length: query.length, client, tcp: true };
    const transfer = openTransfer(this.#responder, this.#zones, incoming, out, () => systemClock.now());
    if (transfer !== undefined) return transfer;
    const length = this.#responder.respond(incoming, out);
    return length === 0 ? [] : [out.subarray(0, length)];
  }
}
