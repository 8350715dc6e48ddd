/** The zone that every server has, and the questions it is asked: made, not stored, and the same in every run. */

export const ORIGIN = "bench.example.";
export const PORT = 5300;

/** A zone file of so many hosts with an IPv4 address each. */
export function* zoneFile(hosts: number): Generator<string> {
  yield `${ORIGIN} 3600 IN SOA ns.${ORIGIN} admin.${ORIGIN} 1 3600 900 604800 300\n`;
  yield `${ORIGIN} 3600 IN NS ns.${ORIGIN}\n`;
  yield `ns.${ORIGIN} 3600 IN A 192.0.2.53\n`;
  for (let i = 0; i < hosts; i++)
    yield `host${i}.${ORIGIN} 300 IN A 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}\n`;
}

/** Records a transfer of the zone has: all, and the SOA record once more. */
export function transferredRecords(hosts: number): number {
  return hosts + 4;
}

/** Lines for dnsperf: names at random, or names that do not exist. */
export function* questions(hosts: number, exist: boolean): Generator<string> {
  let state = 42;
  for (let i = 0; i < 100_000; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield `${exist ? "host" : "nohost"}${(state >>> 8) % hosts}.${ORIGIN} A\n`;
  }
}
