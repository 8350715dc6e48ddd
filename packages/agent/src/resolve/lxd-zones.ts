import { Name, RecordError, type ResourceRecord, record } from "@trivet/dns";
import { subnetOf } from "../inventory/addresses.ts";
import { type DnsZone, type Network, type Snapshot, keyOf } from "../inventory/snapshot.ts";
import type { ForwardZone, ReverseZone } from "./config.ts";
import type { ResolveProblem } from "./content.ts";

/** LXD's zone objects as zones of ours. */
export interface LxdZones {
  readonly forward: readonly ForwardZone[];
  readonly reverse: readonly ReverseZone[];
  readonly problems: readonly ResolveProblem[];
}

/**
 * What LXD's own zones say: a network's `dns.zone.forward` puts `INSTANCE.ZONE` for the addresses on it and `NETWORK.gw.ZONE` into that zone, its
 * `dns.zone.reverse.ipvN` the PTR records; a zone's record objects are added as they are, and its `network.nat: false` leaves out
 * addresses behind NAT.
 *
 * @param ttl seconds, of record objects without one
 */
export function lxdZones(snapshot: Pick<Snapshot, "zones" | "networks">, ttl: number): LxdZones {
  const forward: ForwardZone[] = [];
  const reverse: ReverseZone[] = [];
  const problems: ResolveProblem[] = [];
  const networks = [...snapshot.networks.values()];
  for (const zone of snapshot.zones.values()) {
    const where = `zone ${keyOf(zone)}`;
    const origin = parseOrigin(zone.name);
    if (origin === undefined) {
      problems.push({ where, why: `${zone.name} is no domain name` });
      continue;
    }
    const translated = zone.config["network.nat"] !== "false";
    const members = networks.filter((network) => names(network.config["dns.zone.forward"]).includes(zone.name));
    const given = zoneRecords(zone, origin, ttl);
    problems.push(...given.problems.map((why) => ({ where, why })));
    forward.push({
      origin,
      template: "{instance}",
      networks: members.filter((network) => translated || !behindNat(network)).map(keyOf),
      addresses: "internal",
      userRecords: "none",
      infrastructure: true,
      records: given.records,
    });
    for (const network of networks)
      for (const family of [4, 6] as const) {
        const prefix = subnetOf(network.config, family);
        if (prefix !== undefined && names(network.config[`dns.zone.reverse.ipv${family}`]).includes(zone.name))
          reverse.push({ prefix, origin });
      }
  }
  return { forward, reverse, problems };
}

function names(list: string | undefined): string[] {
  return (list ?? "").split(",").map((name) => name.trim());
}

function behindNat({ config }: Network): boolean {
  return config["ipv4.nat"] === "true" || config["ipv6.nat"] === "true";
}

function parseOrigin(name: string): Name | undefined {
  try {
    return Name.parse(name);
  } catch (error) {
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}

function zoneRecords(zone: DnsZone, origin: Name, ttl: number): { records: ResourceRecord[]; problems: string[] } {
  const records: ResourceRecord[] = [];
  const problems: string[] = [];
  for (const { name, entries } of zone.records)
    for (const { type, value, ttl: own } of entries) {
      try {
        const owner = name === "@" ? origin : Name.parse(name, origin);
        records.push(record(owner, own === undefined || own === 0 ? ttl : own, type, value));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        problems.push(`record ${name} ${type}: ${error.message}`);
      }
    }
  return { records, problems };
}
