import type { Agreement, Entry } from "./ledger.ts";

/** A server's own view: the hash of each zone's content, by origin. */
export type Hashes = ReadonlyMap<string, string>;

/** The zones of ours whose content has an agreed serial, and those that have none. */
export function compare(mine: Hashes, agreed: Agreement | undefined): { settled: Map<string, number>; open: string[] } {
  const settled = new Map<string, number>();
  const open: string[] = [];
  for (const [origin, hash] of mine) {
    const entry = agreed?.zones.get(origin);
    if (entry?.hash === hash) settled.set(origin, entry.serial);
    else open.push(origin);
  }
  return { settled, open };
}

/**
 * The agreement that would settle all zones of ours; after the first, epochs count up. Zones that only other servers have stay.
 *
 * @param first the first epoch: the time in seconds, so that serials are newer than those of LXD's own zones, which are times
 */
export function nextAgreement(mine: Hashes, agreed: Agreement | undefined, first: number): Agreement {
  const epoch = agreed === undefined ? first : agreed.epoch + 1;
  const zones = new Map<string, Entry>(agreed?.zones);
  for (const [origin, hash] of mine) if (zones.get(origin)?.hash !== hash) zones.set(origin, { serial: epoch, hash });
  return { epoch, zones };
}
