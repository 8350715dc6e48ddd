import { WireError } from "../error.ts";
import type { Clock } from "../clock.ts";
import type { TsigKey } from "../tsig/key.ts";
import { ResponseVerifier, signQuery } from "../tsig/tsig.ts";
import { FLAG, OPCODE, RCODE, TYPE, rcodeText } from "../wire/codes.ts";
import { decodeMessage, encodeMessage } from "../wire/message.ts";
import type { Name } from "../wire/name.ts";
import type { Zone } from "../zone/zone.ts";

/** A secondary that is told of changes. */
export interface NotifyTarget {
  readonly address: string;
  readonly port: number;
  readonly key?: TsigKey | undefined;
  /** Of these zones only. */
  readonly zones?: readonly Name[] | undefined;
}

/** How far a secondary has been told of a zone. */
export interface NotifyState {
  readonly zone: string;
  readonly target: string;
  readonly serial: number;
  readonly state: "pending" | "acknowledged" | "failed";
  readonly attempts: number;
  /** Why it failed. */
  readonly problem: string | undefined;
}

/** RFC 1996 §3.6 leaves the times open: the first repetition after a second, then twice as long each time. */
const FIRST_RETRY = 1000;
const MAX_ATTEMPTS = 7;
/** A zone that changes all the time is announced ten times a second at most. */
const MIN_INTERVAL = 100;

interface Task {
  readonly zone: Zone;
  readonly target: NotifyTarget;
  id: number;
  attempts: number;
  sentAt: number;
  mac: Uint8Array | undefined;
  state: NotifyState["state"];
  problem: string | undefined;
  cancel: () => void;
}

export interface NotifierOptions {
  readonly targets: readonly NotifyTarget[];
  readonly clock: Clock;
  readonly send: (target: NotifyTarget, message: Uint8Array) => void;
  /** A random message id. */
  readonly randomId: () => number;
  readonly onState?: (state: NotifyState) => void;
}

/** Tells secondaries of new serials until they acknowledge (RFC 1996): events in, messages out, one task a zone and secondary. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #tasks = new Map<string, Task>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  get states(): readonly NotifyState[] {
    return [...this.#tasks.values()].map(stateOf);
  }

  /** A zone has come, or has a new serial. */
  changed(zone: Zone): void {
    for (const target of this.#options.targets) {
      if (target.zones?.some((name) => name.equals(zone.origin)) === false) continue;
      const key = keyOf(zone.origin, target);
      const previous = this.#tasks.get(key);
      previous?.cancel();
      const task: Task = {
        zone,
        target,
        id: 0,
        attempts: 0,
        sentAt: previous?.sentAt ?? -Infinity,
        mac: undefined,
        state: "pending",
        problem: undefined,
        cancel: () => undefined,
      };
      this.#tasks.set(key, task);
      const wait = task.sentAt + MIN_INTERVAL - this.#options.clock.now();
      if (wait > 0) task.cancel = this.#options.clock.after(wait, () => this.#send(task));
      else this.#send(task);
    }
  }

  removed(origin: Name): void {
    for (const [key, task] of this.#tasks) {
      if (!task.zone.origin.equals(origin)) continue;
      task.cancel();
      this.#tasks.delete(key);
    }
  }

  /** A message came from a secondary. What is no answer to a pending notification is ignored. */
  receive(target: NotifyTarget, bytes: Uint8Array): void {
    let message;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      if (error instanceof WireError) return;
      throw error;
    }
    const [question] = message.questions;
    const task = question && this.#tasks.get(keyOf(question.name, target));
    if (task?.state !== "pending" || message.id !== task.id) return;
    if ((message.flags & FLAG.QR) === 0 || message.opcode !== OPCODE.NOTIFY) return;
    if (target.key !== undefined && task.mac !== undefined) {
      try {
        new ResponseVerifier(target.key, task.mac).verify(bytes, this.#options.clock.now() / 1000);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        // It may be forged: the true answer, or the next repetition, decides.
        task.problem = error.message;
        return;
      }
    }
    task.cancel();
    this.#settle(task, message.rcode === RCODE.NOERROR ? undefined : `answered ${rcodeText(message.rcode)}`);
  }

  stop(): void {
    for (const task of this.#tasks.values()) task.cancel();
    this.#tasks.clear();
  }

  #send(task: Task): void {
    const { clock, randomId, send } = this.#options;
    const { zone, target } = task;
    if (task.attempts === MAX_ATTEMPTS) {
      this.#settle(task, task.problem ?? "did not answer");
      return;
    }
    task.id = randomId();
    task.attempts++;
    task.sentAt = clock.now();
    const message = encodeMessage({
      id: task.id,
      flags: FLAG.AA,
      opcode: OPCODE.NOTIFY,
      question: { name: zone.origin, type: TYPE.SOA },
      answers: [zone.soaRecord],
    });
    if (target.key === undefined) send(target, message);
    else {
      const signed = signQuery(message, target.key, clock.now() / 1000);
      task.mac = signed.mac;
      send(target, signed.message);
    }
    task.cancel = clock.after(FIRST_RETRY * 2 ** (task.attempts - 1), () => this.#send(task));
  }

  #settle(task: Task, problem: string | undefined): void {
    task.state = problem === undefined ? "acknowledged" : "failed";
    task.problem = problem;
    this.#options.onState?.(stateOf(task));
  }
}

function stateOf({ zone, target, state, attempts, problem }: Task): NotifyState {
  return {
    zone: zone.origin.toString(),
    target: `${target.address}:${target.port}`,
    serial: zone.serial,
    state,
    attempts,
    problem,
  };
}

function keyOf(origin: Name, target: NotifyTarget): string {
  return `${target.address} ${target.port} ${origin.key}`;
}
