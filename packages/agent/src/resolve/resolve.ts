import { type Name, TYPE, catalogRecords, record } from "@trivet/dns";
import { Address, Prefix, PrefixSet } from "@trivet/ip";
import type { Instance } from "@trivet/lxd";
import { type Snapshot, isRunning, keyOf } from "../inventory/snapshot.ts";
import type { ForwardZone, ResolveConfig, ReverseZone } from "./config.ts";
import { type ExplainedRecord, type ResolveProblem, ZoneContent, addressRecord } from "./content.ts";
import { isFailing } from "./failing.ts";
import { infrastructureNames } from "./infrastructure.ts";
import {
  type InstanceAddress,
  below,
  inOrderOfClaim,
  instanceAddresses,
  instanceName,
  wantedAddresses,
} from "./instances.ts";
import { lxdZones } from "./lxd-zones.ts";
import { pointerOwner } from "./reverse.ts";
import { serviceNames, userRecords } from "./user-keys.ts";

/** What the zones hold by one Snapshot, without SOA records: serials are given when the content is new. */
export interface Resolution {
  /** By the origin's key. */
  readonly zones: ReadonlyMap<string, ZoneContent>;
  readonly problems: readonly ResolveProblem[];
}

/**
 * How well a name suits a PTR record, the lower the better: services before instances, the first zone before the next; and what only a
 * guest says after everything else, because a guest may say that it has another's address.
 */
const RANK = { service: 0, instance: 1, infrastructure: 2, reported: 1_000_000 } as const;
const STEP = 3;

/** A name for an address, and its {@link RANK}. */
interface Pointer {
  readonly name: Name;
  readonly rank: number;
  readonly origin: string;
}

/** The content of every zone, derived from a Snapshot: the same on every server that sees the same cluster. */
export function resolve(snapshot: Snapshot, config: ResolveConfig): Resolution {
  const lxd = lxdZones(snapshot, config.ttl);
  const problems: ResolveProblem[] = [...lxd.problems];
  const zones = new Map<string, ZoneContent>();
  const pointers = new Map<string, Pointer>();
  const instances = inOrderOfClaim(snapshot.instances.values());
  const addresses = new Map(instances.map((instance) => [instance, instanceAddresses(snapshot, instance)]));

  for (const [index, zone] of [...config.forward, ...lxd.forward].entries()) {
    const content = zones.get(zone.origin.key) ?? new ZoneContent(zone.origin);
    zones.set(zone.origin.key, content);
    const filler = new Filler(content, zone, config, problems, pointers, index);
    filler.given();
    for (const instance of instances)
      filler.instance(instance, addresses.get(instance) ?? [], isFailing(snapshot, instance));
    filler.services();
    if (zone.infrastructure) filler.infrastructure(snapshot);
  }
  fillReverse(zones, [...config.reverse, ...lxd.reverse], config.ttl, pointers);
  addNameservers(zones, config);
  if (config.catalog !== undefined) zones.set(config.catalog.key, catalog(config.catalog, zones));
  return { zones, problems };
}

/** The zone that lists all others for secondaries (RFC 9432). */
function catalog(origin: Name, zones: ReadonlyMap<string, ZoneContent>): ZoneContent {
  const content = new ZoneContent(origin);
  const members = [...zones.values()].map((zone) => ({ zone: zone.origin }));
  for (const entry of catalogRecords({ origin, serial: 0, members }))
    if (entry.type !== TYPE.SOA) content.add({ ...entry, origin: "configuration (catalog)" });
  return content;
}

/** PTR records, each in the zone of the longest prefix that holds the address. */
function fillReverse(
  zones: Map<string, ZoneContent>,
  reverse: readonly ReverseZone[],
  ttl: number,
  pointers: ReadonlyMap<string, Pointer>,
): void {
  const byPrefix = new Map(reverse.map((zone) => [zone.prefix.toString(), zone]));
  for (const { origin } of reverse) if (!zones.has(origin.key)) zones.set(origin.key, new ZoneContent(origin));
  const prefixes = new PrefixSet(reverse.map(({ prefix }) => prefix));
  for (const [text, { name, origin }] of pointers) {
    const address = Address.parse(text);
    const zone = byPrefix.get(prefixes.longestMatch(Prefix.host(address))?.toString() ?? "");
    if (zone === undefined) continue;
    const entry = { ...record(pointerOwner(zone, address), ttl, "PTR", name.toString()), origin };
    zones.get(zone.origin.key)?.add(entry);
  }
}

/** NS records at every apex, and in the zone above where that is ours too. */
function addNameservers(zones: ReadonlyMap<string, ZoneContent>, { nameservers }: ResolveConfig): void {
  for (const content of zones.values()) {
    const { origin } = content;
    const parents = [...zones.values()].filter((other) => other !== content && origin.isAtOrBelow(other.origin));
    for (const zone of [content, ...parents])
      for (const nameserver of nameservers)
        zone.add({ ...record(origin, NAMESERVER_TTL, "NS", nameserver.toString()), origin: "configuration" });
  }
}

/** A day: name servers seldom change, and their records are what keeps a zone reachable. */
const NAMESERVER_TTL = 86_400;

/** An instance behind a service's name. */
interface Member {
  readonly name: Name;
  readonly where: string;
  readonly addresses: readonly InstanceAddress[];
  readonly failing: boolean;
}

/** Fills one forward zone. */
class Filler {
  readonly #content: ZoneContent;
  readonly #zone: ForwardZone;
  readonly #config: ResolveConfig;
  readonly #problems: ResolveProblem[];
  readonly #pointers: Map<string, Pointer>;
  readonly #index: number;
  readonly #members = new Map<string, Member[]>();

  constructor(
    content: ZoneContent,
    zone: ForwardZone,
    config: ResolveConfig,
    problems: ResolveProblem[],
    pointers: Map<string, Pointer>,
    index: number,
  ) {
    this.#content = content;
    this.#zone = zone;
    this.#config = config;
    this.#problems = problems;
    this.#pointers = pointers;
    this.#index = index;
  }

  given(): void {
    for (const entry of this.#zone.records)
      this.#add({ ...entry, origin: "configuration" }, `zone ${this.#zone.origin.toString()}`);
  }

  instance(instance: Instance, all: readonly InstanceAddress[], failing: boolean): void {
    const zone = this.#zone;
    if (zone.projects !== undefined && !zone.projects.includes(instance.project)) return;
    const wanted = wantedAddresses(zone, all);
    if (zone.networks !== undefined && wanted.length === 0) return;
    const where = `instance ${keyOf(instance)}`;
    const named = instanceName(zone, instance);
    if ("why" in named) {
      this.#problems.push({ where, why: named.why });
      return;
    }
    const owner = this.#content.claim(named.name, where);
    if (owner !== undefined) {
      this.#problems.push({
        where,
        why: `${named.name.toString()} is the name of ${owner}, which is older; it gets none`,
      });
      return;
    }
    for (const one of wanted)
      this.#address(
        named.name,
        one.address,
        `${where} (${how(one)})`,
        where,
        one.reported ? RANK.reported : RANK.instance,
      );
    this.#serve(instance, wanted, where, failing);
    if (zone.userRecords === "none") return;
    const { records, problems } = userRecords(instance, named.name, zone, this.#config.ttl);
    this.#problems.push(...problems);
    for (const { entry, key } of records) this.#add({ ...entry, origin: `${where} (${key})` }, where, key);
  }

  #serve(instance: Instance, addresses: readonly InstanceAddress[], where: string, failing: boolean): void {
    const { names, problems } = serviceNames(instance);
    this.#problems.push(...problems);
    for (const service of names) {
      const name = below(this.#zone.origin, service);
      const owner = this.#content.claim(name, `service ${service}`);
      if (owner !== undefined) {
        this.#problems.push({ where, key: "user.dns.service", why: `${name.toString()} is the name of ${owner}` });
        continue;
      }
      if (!isRunning(instance)) continue;
      const members = this.#members.get(service) ?? [];
      this.#members.set(service, [...members, { name, where, addresses, failing }]);
    }
  }

  /**
   * A service's name holds the addresses of all running instances that say they are it, but for those whose health checks fail: if all
   * of them fail, it holds all, because the checks may be what is wrong.
   */
  services(): void {
    for (const [service, members] of this.#members) {
      const healthy = members.filter(({ failing }) => !failing);
      for (const { name, where, addresses } of healthy.length > 0 ? healthy : members) {
        // Where it has addresses routed from outside, those are the service; the ones inside are how it is managed.
        const external = addresses.filter(({ kind }) => kind === "external");
        for (const { address, reported } of external.length > 0 ? external : addresses)
          this.#address(name, address, `service ${service} (${where})`, where, reported ? RANK.reported : RANK.service);
      }
    }
  }

  infrastructure(snapshot: Snapshot): void {
    for (const { relative, address, what } of infrastructureNames(snapshot, this.#zone.networks)) {
      const name = below(this.#zone.origin, relative);
      const owner = this.#content.claim(name, what);
      if (owner === undefined) this.#address(name, address, what, what, RANK.infrastructure);
      else this.#problems.push({ where: what, why: `${name.toString()} is the name of ${owner}` });
    }
  }

  #address(name: Name, address: Address, origin: string, where: string, rank: number): void {
    this.#add(addressRecord(name, this.#config.ttl, address, origin), where);
    const pointer: Pointer = { name, rank: rank + this.#index * STEP, origin };
    const best = this.#pointers.get(address.toString());
    // The first of equals stays, which is that of the oldest instance.
    if (best === undefined || pointer.rank < best.rank) this.#pointers.set(address.toString(), pointer);
  }

  #add(entry: ExplainedRecord, where: string, key?: string): void {
    const why = this.#content.add(entry);
    if (why !== undefined) this.#problems.push({ where, why, ...(key === undefined ? {} : { key }) });
  }
}

/** "eth0 on default/web, external" */
function how({ device, network, kind, reported }: InstanceAddress): string {
  return `${device}${network === undefined ? "" : ` on ${keyOf(network)}`}, ${reported ? "as the guest reports" : kind}`;
}
