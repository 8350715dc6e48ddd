import { hostname } from "node:os";
import { DnsServer, Name, recordText } from "@trivet/dns";
import type { LxdClient } from "@trivet/lxd";
import type { DnsConfig } from "../config/dns-schema.ts";
import type { Logger } from "../daemon/log.ts";
import type { Snapshot } from "../inventory/snapshot.ts";
import type { ResolveProblem } from "./content.ts";
import { resolveConfig, serverOptions } from "./convert.ts";
import { Ledger } from "./ledger.ts";
import { Resolver, type ZoneStatus } from "./resolver.ts";

/** What the API shows of DNS. */
export interface DnsStatus {
  readonly listen: readonly string[];
  readonly zones: readonly ZoneStatus[];
  readonly problems: readonly ResolveProblem[];
  readonly secondaries: DnsServer["notifyStates"];
  readonly counters: DnsServer["counters"];
}

/** One record, as text, and why it is there. */
export interface RecordView {
  readonly record: string;
  readonly why: string;
}

/** The agent's DNS: zones of every Snapshot, and the server that answers for them. */
export class DnsService {
  readonly #resolver: Resolver;
  readonly #server: DnsServer;
  readonly #log: Logger;
  #listen: readonly string[] = [];
  #reported = "";

  /** Opens nothing yet. @throws RecordError when a key is named that is not configured */
  constructor(config: DnsConfig, lxd: LxdClient, log: Logger) {
    this.#log = log;
    this.#resolver = new Resolver(resolveConfig(config), new Ledger(lxd));
    this.#server = new DnsServer(this.#resolver.store, serverOptions(config, hostname()), {
      ...(import.meta.url.endsWith(".ts") ? {} : { workerUrl: new URL("dns-worker.js", import.meta.url) }),
      onNotify: (state) => log.debug({ secondary: state }, "secondary told"),
      onFailure: (error) => log.error({ err: error }, "a DNS thread ended and is replaced"),
    });
    this.#resolver.on("failure", (error) =>
      log.warn(`zone serials: ${error.message}; the last agreed zones are answered`),
    );
    this.#resolver.on("zones", () => {
      const zones = this.#resolver.zones.map(({ origin, serial }) => `${origin} ${serial ?? "-"}`);
      log.info({ zones }, "zones changed");
    });
  }

  /** Resolves when the addresses are taken; queries are REFUSED until the first zones are there. */
  async start(): Promise<void> {
    const endpoints = await this.#server.start();
    this.#listen = endpoints.map(({ address, port }) =>
      address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`,
    );
    this.#log.info({ listen: this.#listen }, "DNS started");
  }

  async stop(): Promise<void> {
    await this.#resolver.stop();
    await this.#server.stop();
  }

  take(snapshot: Snapshot): void {
    this.#resolver.take(snapshot);
    const problems = this.#resolver.problems;
    const text = JSON.stringify(problems);
    if (text !== this.#reported) for (const problem of problems) this.#log.warn(problem, "DNS: not used");
    this.#reported = text;
  }

  /** Another server may have proposed serials. */
  ledgerChanged(): void {
    this.#resolver.settle();
  }

  get status(): DnsStatus {
    return {
      listen: this.#listen,
      zones: this.#resolver.zones,
      problems: this.#resolver.problems,
      secondaries: this.#server.notifyStates,
      counters: this.#server.counters,
    };
  }

  /** All records of a zone, or of all zones, as derived from the newest Snapshot. */
  records(origin?: string): RecordView[] {
    return this.#resolver.records(origin === undefined ? undefined : Name.parse(origin)).map(view);
  }

  /** The records at a name. @throws RecordError */
  explain(name: string): RecordView[] {
    return this.#resolver.explain(Name.parse(name)).map(view);
  }
}

function view(entry: ReturnType<Resolver["explain"]>[number]): RecordView {
  return { record: recordText(entry), why: entry.origin };
}
