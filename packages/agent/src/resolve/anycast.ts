import { networkInterfaces } from "node:os";
import { ExchangeError, type Name, RCODE, TYPE, query } from "@trivet/dns";
import { Address, Prefix } from "@trivet/ip";
import type { OwnService } from "../announce/own-services.ts";

export interface AnycastOptions {
  readonly addresses: readonly string[];
  readonly port: number;
  /** A zone that must be answered; none before the first is agreed. */
  readonly zone: () => Name | undefined;
  /** An address began or ceased to answer. */
  readonly onChange: (address: string, answers: boolean) => void;
}

/** Milliseconds between two checks of an address that answers, of one that did not, and that an answer may take. */
const INTERVAL = 1_000;
const AGAIN = 100;
const PATIENCE = 500;
/** Failures in a row after which an address is silent, and answers in a row after which it is no more. */
const FAILURES = 2;
const SUCCESSES = 3;

interface Watched {
  readonly address: string;
  readonly here: boolean;
  answers: boolean;
  /** Checks in a row that contradict `answers`. */
  against: number;
  everSilent: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Watches by real queries whether the name server answers on its anycast addresses, so that routes lead to it only while it does. The
 * addresses are the server's own business: netplan puts them on `lo`.
 */
export class AnycastWatch {
  readonly #options: AnycastOptions;
  readonly #watched: readonly Watched[];
  #stopped = false;

  constructor(options: AnycastOptions) {
    this.#options = options;
    const own = ownAddresses();
    this.#watched = options.addresses.map((address) => ({
      address,
      here: own.has(address),
      answers: false,
      against: 0,
      everSilent: false,
      timer: undefined,
    }));
  }

  /** Those that this server has, and can listen on. */
  get here(): readonly string[] {
    return this.#watched.filter(({ here }) => here).map(({ address }) => address);
  }

  /** As they are to be announced. */
  get services(): OwnService[] {
    return this.#watched.map(({ address, here, answers }) => ({
      prefix: Prefix.host(Address.parse(address)),
      ...(answers ? {} : { silent: here ? "its name server does not answer on it" : ABSENT }),
    }));
  }

  start(): void {
    for (const watched of this.#watched) if (watched.here) void this.#check(watched);
  }

  /** Ends the watch; all addresses count as silent. */
  stop(): void {
    this.#stopped = true;
    for (const watched of this.#watched) {
      clearTimeout(watched.timer);
      watched.answers = false;
    }
  }

  async #check(watched: Watched): Promise<void> {
    const answers = await this.#ask(watched.address);
    if (this.#stopped) return;
    this.#judge(watched, answers);
    watched.timer = setTimeout(() => void this.#check(watched), answers ? INTERVAL : AGAIN);
  }

  #judge(watched: Watched, answers: boolean): void {
    if (answers === watched.answers) {
      watched.against = 0;
      return;
    }
    watched.against++;
    // The first answer after a start counts at once; one that was silent must have come to stay.
    const enough = answers ? (watched.everSilent ? SUCCESSES : 1) : FAILURES;
    if (watched.against < enough) return;
    watched.against = 0;
    watched.answers = answers;
    watched.everSilent ||= !answers;
    this.#options.onChange(watched.address, answers);
  }

  async #ask(address: string): Promise<boolean> {
    const zone = this.#options.zone();
    // Without the address on this server another would answer, as anycast wants it.
    if (zone === undefined || !ownAddresses().has(address)) return false;
    try {
      const { rcode, answers } = await query(zone, TYPE.SOA, { address, port: this.#options.port, timeout: PATIENCE });
      return rcode === RCODE.NOERROR && answers.length > 0;
    } catch (error) {
      if (error instanceof ExchangeError) return false;
      throw error;
    }
  }
}

const ABSENT = "it is no address of this server: add it to lo, and restart the agent";

/** The addresses that this server has now. */
function ownAddresses(): ReadonlySet<string | undefined> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => Address.tryParse(address)?.toString()));
}
