import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { parseScoped } from "@trivet/ip";
import { bindPing } from "@trivet/sockopt";
import type { FlowReport, Gap } from "./report.ts";
import { Ledger, type LedgerGap } from "./ledger.ts";
import { type Wire, dnsWire, echoWire, fullNumber } from "./wire.ts";

/** A flow to be: probes from one address to another. */
export interface FlowPlan {
  readonly name: string;
  readonly kind: FlowReport["kind"];
  /** Addresses in their canonical form. */
  readonly source: string;
  readonly target: string;
  /** Who answers echoes there. */
  readonly instance: string;
}

/** One flow: a socket of its own, so a port or identifier of its own. Times are milliseconds of `performance.now()`. */
export class Flow {
  ledger: Ledger;
  #plan: FlowPlan;
  readonly #interval: number;
  readonly #socket: Socket;
  readonly #wire: Wire;

  private constructor(plan: FlowPlan, socket: Socket, interval: number) {
    this.#plan = plan;
    this.#interval = interval;
    this.ledger = new Ledger(interval);
    this.#socket = socket;
    this.#wire = plan.kind === "dns" ? dnsWire() : echoWire(isIPv6(plan.target) ? 6 : 4, plan.instance);
    socket.on("message", (bytes, { address }) => {
      const answer = address === plan.target ? this.#wire.answer(bytes) : undefined;
      if (answer === undefined) return;
      this.ledger.received(fullNumber(answer.number, this.ledger.next), performance.now(), answer.by);
    });
  }

  /** @param interval milliseconds between its probes */
  static async open(plan: FlowPlan, interval: number): Promise<Flow> {
    const family = isIPv6(plan.target) ? 6 : 4;
    const socket = createSocket({
      type: `udp${family}`,
      // What is sent to is always an address; Node would look it up every time.
      lookup: (host, _options, done) => {
        done(null, host, family);
      },
    });
    // A socket that is bound already listens at once.
    const listening = once(socket, "listening");
    if (plan.kind === "dns") socket.bind(0, plan.source);
    else socket.bind({ fd: bindPing(parseScoped(plan.source)) });
    await listening;
    return new Flow(plan, socket, interval);
  }

  /** What was so far was a trial; the account begins anew, under this name. */
  begin(name: string): this {
    this.#plan = { ...this.#plan, name };
    this.ledger = new Ledger(this.#interval);
    return this;
  }

  send(now: number): void {
    const request = this.#wire.request(this.ledger.sent(now));
    // Where there is no route the call fails at once: a probe that is not answered, like any other.
    this.#socket.send(request, this.#plan.kind === "dns" ? 53 : 1, this.#plan.target, () => undefined);
  }

  close(): void {
    this.#socket.close();
  }

  gap({ start, milliseconds, lost }: LedgerGap): Gap {
    return {
      flow: this.#plan.name,
      start: new Date(performance.timeOrigin + start).toISOString(),
      milliseconds: tenths(milliseconds),
      lost,
    };
  }

  report(): FlowReport {
    const { next, answered, lost, longest, slowest, answers } = this.ledger;
    return {
      name: this.#plan.name,
      kind: this.#plan.kind,
      target: this.#plan.target,
      sent: next,
      answered,
      lost,
      longestGap: longest === undefined ? null : this.gap(longest),
      slowest: tenths(slowest),
      answers: Object.fromEntries(answers),
    };
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
