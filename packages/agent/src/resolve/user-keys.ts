import { type Name, RecordError, type ResourceRecord, ZoneFileError, readZoneFile, typeText } from "@trivet/dns";
import type { Instance } from "@trivet/lxd";
import { keyOf } from "../inventory/snapshot.ts";
import type { ForwardZone } from "./config.ts";
import type { ResolveProblem } from "./content.ts";
import { isHostName } from "./template.ts";

const SERVICE = "user.dns.service";
const RECORDS = "user.dns.records";

/** Record types that are the zone's own business. */
const RESERVED: ReadonlySet<string> = new Set(["SOA", "NS"]);

/**
 * The services an instance says it is one of: `user.dns.service: ns1,resolver` makes names below the zone's origin that hold the
 * addresses of every instance with that word which runs.
 */
export function serviceNames(instance: Instance): { names: string[]; problems: ResolveProblem[] } {
  const where = `instance ${keyOf(instance)}`;
  const words = (instance.expanded_config[SERVICE] ?? "").split(/[\s,]+/).filter((word) => word !== "");
  return {
    names: words.filter(isHostName),
    problems: words
      .filter((word) => !isHostName(word))
      .map((word) => ({ where, key: SERVICE, why: `${JSON.stringify(word)} is no host name` })),
  };
}

/** A record that an instance asked for, and with which key. */
export interface UserRecord {
  readonly entry: ResourceRecord;
  readonly key: string;
}

/**
 * The records an instance adds with `user.dns.records` and `user.dns.records.*`: lines as in a zone file, `OWNER [TTL] TYPE DATA`.
 * Relative names are below the instance's own name, which is `@`; names with a final dot are complete.
 *
 * @param name the instance's own name in the zone
 * @param ttl seconds, where a line has none
 */
export function userRecords(
  instance: Instance,
  name: Name,
  zone: ForwardZone,
  ttl: number,
): { records: UserRecord[]; problems: ResolveProblem[] } {
  const where = `instance ${keyOf(instance)}`;
  const records: UserRecord[] = [];
  const problems: ResolveProblem[] = [];
  const config = instance.expanded_config;
  for (const key of Object.keys(config)
    .filter((key) => key === RECORDS || key.startsWith(`${RECORDS}.`))
    .sort()) {
    // Line by line: a wrong one must not cost the others.
    for (const line of (config[key] ?? "").split("\n")) {
      const parsed = parseLine(line, name, ttl);
      if ("why" in parsed) problems.push({ where, key, why: parsed.why });
      for (const entry of "records" in parsed ? parsed.records : []) {
        const why = refusal(entry, name, zone);
        if (why !== undefined) problems.push({ where, key, why });
        // A complete name may be meant for another zone, which reads the same keys.
        else if (entry.name.isAtOrBelow(zone.origin)) records.push({ entry, key });
      }
    }
  }
  return { records, problems };
}

function parseLine(line: string, origin: Name, ttl: number): { records: ResourceRecord[] } | { why: string } {
  try {
    return { records: [...readZoneFile(`$TTL ${ttl}\n${line.trim()}`, { origin })] };
  } catch (error) {
    if (error instanceof ZoneFileError || error instanceof RecordError)
      return { why: `${JSON.stringify(line.trim())}: ${error.message.replace(/^zone file:\d+:\d+: /, "")}` };
    throw error;
  }
}

function refusal({ name: owner, type }: ResourceRecord, name: Name, zone: ForwardZone): string | undefined {
  const mnemonic = typeText(type);
  if (RESERVED.has(mnemonic)) return `${owner.toString()} ${mnemonic}: only the zone itself may have this type`;
  if (zone.userRecords === "own-name" && owner.isAtOrBelow(zone.origin) && !owner.isAtOrBelow(name))
    return `${owner.toString()} is not below ${name.toString()}, where this zone (userRecords: own-name) lets instances add names`;
  return undefined;
}
