import { type Clock, Engine, type SessionSpec, type SessionStatus } from "../src/engine.ts";
import { type ControlPacket, decodePacket } from "../src/wire/packet.ts";

const ms = 1000;

/** Time that moves only when told to, and a repeatable source of chance. */
export class SimulatedClock {
  #now = 0;
  #seed: number;
  #events: { at: number; run: () => void }[] = [];

  constructor(seed = 1) {
    this.#seed = seed;
  }

  now(): number {
    return this.#now;
  }

  schedule(after: number, run: () => void): () => void {
    const event = { at: this.#now + after, run };
    this.#events.push(event);
    return () => {
      this.#events = this.#events.filter((other) => other !== event);
    };
  }

  /** mulberry32 */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Runs everything due within the next `duration` microseconds, in order. */
  run(duration: number): void {
    const end = this.#now + duration;
    for (;;) {
      const next = this.#events.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#events = this.#events.filter((event) => event !== next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }
}

/** In a turn of Node's event loop: timers, then what came in, then what was put off until that was read. */
type Phase = "timer" | "packet" | "deadline";
const PHASES: readonly Phase[] = ["timer", "packet", "deadline"];

/** The event loop of one end, which may stand still while time passes. */
export class Host implements Clock {
  readonly #clock: SimulatedClock;
  #waiting: { readonly phase: Phase; readonly run: () => void }[] | undefined;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  now = (): number => this.#clock.now();
  random = (): number => this.#clock.random();
  schedule = (after: number, run: () => void): (() => void) => this.#at("timer", after, run);
  deadline = (after: number, run: () => void): (() => void) => this.#at("deadline", after, run);
  arrive = (after: number, run: () => void): (() => void) => this.#at("packet", after, run);

  /** From now on nothing happens here. */
  stop(): void {
    this.#waiting = [];
  }

  /** All that fell due meanwhile happens. */
  goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const phase of PHASES) for (const due of waiting) if (due.phase === phase) due.run();
  }

  #at(phase: Phase, after: number, run: () => void): () => void {
    let called = true;
    const due = (): void => {
      if (called) run();
    };
    const cancel = this.#clock.schedule(after, () => {
      if (this.#waiting === undefined) due();
      else this.#waiting.push({ phase, run: due });
    });
    return () => {
      called = false;
      cancel();
    };
  }
}

/** Two endpoints and the wire between them. */
export class Pair {
  readonly clock: SimulatedClock;
  readonly hosts: Readonly<Record<"a" | "b", Host>>;
  readonly sent: { readonly at: number; readonly from: "a" | "b"; readonly packet: ControlPacket }[] = [];
  readonly changes: string[] = [];
  readonly a: Engine;
  readonly b: Engine;
  /** False: what is sent is lost. */
  connected = { a: true, b: true };
  delay = 1 * ms;
  /** Which port packets come to. */
  multihop = false;

  constructor(seed = 1) {
    this.clock = new SimulatedClock(seed);
    this.hosts = { a: new Host(this.clock), b: new Host(this.clock) };
    this.a = this.#engine("a");
    this.b = this.#engine("b");
  }

  #engine(side: "a" | "b"): Engine {
    const other = side === "a" ? "b" : "a";
    const address = { a: "192.0.2.1", b: "192.0.2.2" };
    const send = (bytes: Uint8Array): void => {
      const packet = decodePacket(bytes);
      if ("discard" in packet) throw new TypeError(`sent what nobody accepts: ${packet.discard}`);
      this.sent.push({ at: this.clock.now(), from: side, packet });
      if (this.connected[side])
        this.hosts[other].arrive(this.delay, () => this[other].receive(bytes, address[side], undefined, this.multihop));
    };
    const changed = (status: SessionStatus): void => {
      this.changes.push(`${(this.clock.now() / ms).toFixed(0)} ${side} ${status.state} (${status.diagnostic})`);
    };
    return new Engine(this.hosts[side], () => ({ send, close: () => undefined }), changed);
  }

  start(a: Partial<SessionSpec> = {}, b: Partial<SessionSpec> = {}): void {
    this.a.setSessions([spec("192.0.2.2", a)]);
    this.b.setSessions([spec("192.0.2.1", b)]);
  }

  status(side: "a" | "b"): SessionStatus {
    const status = this[side].statuses()[0];
    if (status === undefined) throw new TypeError(`${side} has no session`);
    return status;
  }

  /** The times between a side's packets over the next `duration` microseconds, without the answers to polls. */
  gaps(side: "a" | "b", duration: number): number[] {
    const start = this.sent.length;
    this.clock.run(duration);
    const times = this.sent
      .slice(start)
      .filter(({ from, packet }) => from === side && !packet.final)
      .map(({ at }) => at);
    return times.slice(1).map((at, i) => at - (times[i] ?? 0));
  }
}

export const timers = (interval: number, detectMultiplier = 3) => ({
  desiredMinTx: interval * ms,
  requiredMinRx: interval * ms,
  detectMultiplier,
});

export function spec(peer: string, changes: Partial<SessionSpec> = {}): SessionSpec {
  return {
    name: "s",
    peer,
    local: undefined,
    multihop: false,
    passive: false,
    adminDown: false,
    timers: timers(300),
    ...changes,
  };
}
