import type { Clock, Connection, ConnectionHandler, ConnectOptions, Endpoint, Listener, Network } from "@trivet/bgp";
import { NetworkError } from "@trivet/bgp";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}

/** Time that only moves when told. */
export class SimClock implements Clock {
  #time = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return 1_700_000_000_000 + this.#time;
  }

  elapsed(): number {
    return this.#time;
  }

  after(delay: number, callback: () => void): () => void {
    const timer = { at: this.#time + delay, order: this.#order++, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  /** Lets `seconds` pass, with everything that happens in them. */
  async advance(seconds: number): Promise<void> {
    const end = this.#time + seconds * 1000;
    for (;;) {
      await Promise.resolve(); // microtasks of the last event
      let next: Timer | undefined;
      for (const timer of this.#timers) if (next === undefined || isBefore(timer, next)) next = timer;
      if (next === undefined || next.at > end) break;
      this.#timers.delete(next);
      this.#time = Math.max(this.#time, next.at);
      next.callback();
    }
    this.#time = end;
    await Promise.resolve();
  }
}

const LATENCY = 1;

/** TCP between addresses, with a millisecond of latency. What one address binds, all the others reach. */
export class SimNetwork {
  readonly #clock: SimClock;
  readonly #listeners = new Map<string, (connection: Connection) => ConnectionHandler>();
  readonly #silent = new Set<string>();
  #port = 40_000;
  /** All connections, in the order in which they were made. */
  readonly connections: SimConnection[] = [];

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  /** The network as a host sees it. */
  at(address: string): Network {
    return {
      protectionUnavailable: () => undefined,
      connect: (to, handler) => this.#connect(address, to, handler),
      listen: (at, accept) => this.#listen(at, accept),
    };
  }

  /** From now on nothing that the host sends or is sent arrives, and nothing says so: its power is gone. */
  silence(address: string): void {
    this.#silent.add(address);
  }

  /** It is there again. */
  restore(address: string): void {
    this.#silent.delete(address);
  }

  isSilent(...addresses: readonly string[]): boolean {
    return addresses.some((address) => this.#silent.has(address));
  }

  #connect(from: string, to: ConnectOptions, handler: ConnectionHandler): Connection {
    const local = { address: to.localAddress ?? from, port: this.#port++ };
    const near = new SimConnection(this, this.#clock, local, to);
    const far = new SimConnection(this, this.#clock, to, local);
    near.far = far;
    far.far = near;
    near.handler = handler;
    this.#clock.after(LATENCY, () => {
      if (near.isClosed || this.isSilent(local.address, to.address)) return;
      const accept = this.#listeners.get(`${to.address} ${to.port}`);
      if (accept === undefined) return near.fail(new NetworkError("connection refused"));
      this.connections.push(near);
      far.handler = accept(far);
      handler.connected();
    });
    return near;
  }

  // oxlint-disable-next-line typescript/require-await -- as the real one
  async #listen(at: Endpoint, accept: (connection: Connection) => ConnectionHandler): Promise<Listener> {
    const key = `${at.address} ${at.port}`;
    this.#listeners.set(key, accept);
    return {
      local: at,
      protect: () => undefined,
      close: async () => {
        this.#listeners.delete(key);
        return Promise.resolve();
      },
    };
  }
}

export class SimConnection implements Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  far: SimConnection | undefined;
  handler: ConnectionHandler | undefined;
  isClosed = false;
  /** The peer reads; while not, what is written waits. */
  isRead = true;
  readonly #network: SimNetwork;
  readonly #clock: SimClock;
  #unread: Uint8Array[] = [];

  constructor(network: SimNetwork, clock: SimClock, local: Endpoint, remote: Endpoint) {
    this.#network = network;
    this.#clock = clock;
    this.local = local;
    this.remote = remote;
  }

  get waiting(): number {
    return this.#unread.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.isClosed) return false;
    if (!this.isRead) {
      this.#unread.push(...chunks);
      return false;
    }
    for (const chunk of chunks) this.#carry((far) => far.handler?.data(Uint8Array.from(chunk)));
    return true;
  }

  /** The peer reads again. */
  resume(): void {
    this.isRead = true;
    this.write(this.#unread.splice(0));
    this.#clock.soon(() => this.handler?.drained());
  }

  async end(): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    this.isClosed = true;
    this.#carry((far) => far.fail());
    this.#clock.soon(() => this.handler?.closed());
    return Promise.resolve();
  }

  /** The connection ends from elsewhere. */
  fail(error?: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.handler?.closed(error);
  }

  #carry(deliver: (far: SimConnection) => void): void {
    this.#clock.after(LATENCY, () => {
      const { far } = this;
      if (far !== undefined && !far.isClosed && !this.#network.isSilent(this.local.address, this.remote.address))
        deliver(far);
    });
  }
}
