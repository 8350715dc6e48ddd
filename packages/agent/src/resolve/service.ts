import { hostname } from "node:os";
import { DnsServer, Name, recordText, writeZoneFile } from "@trivet/dns";
import type { LxdClient } from "@trivet/lxd";
import type { DnsConfig } from "../config/dns-schema.ts";
import type { Logger } from "../daemon/log.ts";
import type { StateFile } from "../daemon/state-file.ts";
import type { OwnService } from "../announce/own-services.ts";
import type { Snapshot } from "../inventory/snapshot.ts";
import { AnycastWatch } from "./anycast.ts";
import type { ResolveProblem } from "./content.ts";
import { anycastPort, resolveConfig, serverOptions } from "./convert.ts";
import { FailingNotes } from "./failing.ts";
import { Ledger } from "./ledger.ts";
import { Resolver, type ZoneStatus } from "./resolver.ts";

/** What the API shows of DNS. */
export interface DnsStatus {
  readonly listen: readonly string[];
  /** Anycast addresses, and whether they answer and are to be announced. */
  readonly anycast: readonly { readonly address: string; readonly answers: boolean; readonly why?: string }[];
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

/** A zone as it is answered: lines of a zone file, the SOA record first. */
export interface ZoneView {
  readonly origin: string;
  readonly serial: number;
  readonly records: readonly string[];
}

/** What DNS needs of the agent. */
export interface DnsWorld {
  readonly lxd: LxdClient;
  readonly log: Logger;
  /** Where zones and their journals outlive the agent. */
  readonly saved?: StateFile | undefined;
  /** An anycast address began or ceased to answer: announce {@link DnsService.services} anew. */
  readonly onServices: () => void;
  /** The keys of this server's instances that have health checks which do not pass; nothing before all have told. */
  readonly failing: () => ReadonlySet<string> | undefined;
}

/** The agent's DNS: zones of every Snapshot, and the server that answers for them. */
export class DnsService {
  readonly #resolver: Resolver;
  readonly #server: DnsServer;
  readonly #log: Logger;
  readonly #anycast: AnycastWatch;
  readonly #failing: FailingNotes;
  #listen: readonly string[] = [];
  #reported = "";

  /** Opens nothing yet. @throws RecordError when a key is named that is not configured */
  constructor(config: DnsConfig, { lxd, log, saved, onServices, failing }: DnsWorld) {
    this.#log = log;
    this.#resolver = new Resolver({ config: resolveConfig(config), ledger: new Ledger(lxd), saved });
    this.#failing = new FailingNotes({
      lxd,
      failing,
      onFailure: (error) => log.warn(`DNS: other servers are not told whose checks fail: ${error.message}`),
    });
    this.#anycast = new AnycastWatch({
      addresses: config.anycast,
      port: anycastPort(config),
      zone: () => (this.#resolver.answersAll ? this.#resolver.store.zones[0]?.origin : undefined),
      onChange: (address, answers) => {
        if (answers) log.info({ address }, "DNS answers on its anycast address: announced");
        else log.error({ address }, "DNS does not answer on its anycast address: withdrawn");
        onServices();
      },
    });
    for (const { prefix, silent } of this.#anycast.services)
      if (!this.#anycast.here.includes(prefix.address.toString()))
        log.error(`dns.anycast: ${String(prefix)}: ${silent}`);
    this.#server = new DnsServer(this.#resolver.store, serverOptions(config, hostname(), this.#anycast.here), {
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
    this.#anycast.start();
  }

  /** The anycast addresses, and whether they answer. */
  get services(): OwnService[] {
    return this.#anycast.services;
  }

  /** Has the anycast addresses withdrawn; queries are answered until {@link stop}. */
  retire(): void {
    this.#anycast.stop();
  }

  async stop(): Promise<void> {
    this.#anycast.stop();
    await this.#failing.stop();
    await this.#resolver.stop();
    await this.#server.stop();
  }

  take(snapshot: Snapshot): void {
    this.#resolver.take(snapshot);
    this.#failing.tell(snapshot);
    this.#report();
  }

  /** Other checks fail than before. */
  healthChanged(): void {
    this.#failing.tell();
  }

  #report(): void {
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
      anycast: this.services.map(({ prefix, silent }) => ({
        address: prefix.address.toString(),
        answers: silent === undefined,
        ...(silent === undefined ? {} : { why: silent }),
      })),
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

  /** Nothing when the zone is not answered here. @throws RecordError */
  zone(origin: string): ZoneView | undefined {
    const zone = this.#resolver.store.get(Name.parse(origin));
    if (zone === undefined) return undefined;
    const records = [...writeZoneFile(zone)].map((line) => line.trimEnd());
    return { origin: zone.origin.toString(), serial: zone.serial, records };
  }

  /** The records at a name. @throws RecordError */
  explain(name: string): RecordView[] {
    return this.#resolver.explain(Name.parse(name)).map(view);
  }
}

function view(entry: ReturnType<Resolver["explain"]>[number]): RecordView {
  return { record: recordText(entry), why: entry.origin };
}
