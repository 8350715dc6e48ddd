import { recordText } from "../wire/record.ts";
import type { Zone } from "../zone/zone.ts";

/** A zone as a zone file: the SOA record first, then the names in canonical order, all names complete. */
export function* writeZoneFile(zone: Zone): Generator<string> {
  yield `${recordText(zone.soaRecord)}\n`;
  const records = [...zone.records()];
  const order = new Map(
    [...zone.nodes.values()]
      .map(({ name }) => name)
      .sort((a, b) => a.compare(b))
      .map((name, i) => [name.key, i]),
  );
  records.sort((a, b) => (order.get(a.name.key) ?? 0) - (order.get(b.name.key) ?? 0));
  for (const record of records) yield `${recordText(record)}\n`;
}
