import type { Counter } from "@trivet/dns";
import type { MakeGauge } from "../daemon/metrics.ts";
import type { AgentState } from "../daemon/state.ts";

/** Which counter of the server is which RCODE, in its mnemonic. */
const RCODES: readonly (readonly [rcode: string, counter: Counter])[] = [
  ["NOERROR", "noerror"],
  ["FORMERR", "formerr"],
  ["SERVFAIL", "servfail"],
  ["NXDOMAIN", "nxdomain"],
  ["NOTIMP", "notimp"],
  ["REFUSED", "refused"],
  ["other", "otherRcode"],
];

/** Adds what the name server counts and where its zones and secondaries stand; nothing where DNS is not configured. */
export function addDnsMetrics(state: AgentState, gauge: MakeGauge): void {
  const status = () => state.dns?.status;
  const counters = (): Record<Counter, number> | undefined => status()?.counters;
  const counts = (name: string, help: string, label: string, values: readonly (readonly [string, Counter])[]): void => {
    gauge(name, help, [label], (g) => {
      const all = counters();
      if (all !== undefined) for (const [value, counter] of values) g.set({ [label]: value }, all[counter]);
    });
  };
  const count = (name: string, help: string, counter: Counter): void => {
    gauge(name, help, [], (g) => {
      const all = counters();
      if (all !== undefined) g.set(all[counter]);
    });
  };
  counts("trivet_dns_queries_total", "DNS queries, by transport", "transport", [
    ["udp", "udpQueries"],
    ["tcp", "tcpQueries"],
  ]);
  counts("trivet_dns_responses_total", "DNS answers, by RCODE", "rcode", RCODES);
  counts("trivet_dns_transfers_total", "Zone transfers, by kind", "kind", [
    ["full", "transfers"],
    ["incremental", "incrementalTransfers"],
    ["refused", "transfersRefused"],
  ]);
  counts("trivet_dns_notifies_total", "NOTIFY messages sent, and what became of them", "result", [
    ["sent", "notifiesSent"],
    ["acknowledged", "notifiesAcknowledged"],
    ["failed", "notifiesFailed"],
  ]);
  count("trivet_dns_truncated_total", "UDP answers that were truncated", "truncated");
  count("trivet_dns_rate_limited_total", "Answers withheld or truncated by the rate limit", "rateLimited");
  count("trivet_dns_tsig_failures_total", "Messages with a wrong signature, key or time", "tsigFailures");
  count("trivet_dns_faults_total", "Queries that a fault of trivet left without an answer", "faults");
  gauge("trivet_dns_zone_serial", "The serial that is answered", ["zone"], (g) => {
    for (const { origin, serial } of status()?.zones ?? []) if (serial !== undefined) g.set({ zone: origin }, serial);
  });
  gauge("trivet_dns_zone_records", "Records of the zone's newest content", ["zone"], (g) => {
    for (const { origin, records } of status()?.zones ?? []) g.set({ zone: origin }, records);
  });
  gauge("trivet_dns_zone_behind", "1 while newer content waits for its serial", ["zone"], (g) => {
    for (const { origin, behind } of status()?.zones ?? []) g.set({ zone: origin }, Number(behind));
  });
  gauge(
    "trivet_dns_zone_waited_seconds",
    "Seconds from the zone's last change, as it came from LXD, until it was answered under a serial that all servers agree on",
    ["zone"],
    (g) => {
      for (const { origin, waited } of status()?.zones ?? [])
        if (waited !== undefined) g.set({ zone: origin }, waited / 1000);
    },
  );
  gauge("trivet_dns_journal_records", "Records kept for incremental transfers", ["zone"], (g) => {
    for (const { origin, journal } of status()?.zones ?? []) g.set({ zone: origin }, journal.records);
  });
  gauge("trivet_dns_secondary_serial", "The serial a secondary was last told", ["zone", "secondary", "state"], (g) => {
    for (const { zone, target, state: told, serial } of status()?.secondaries ?? [])
      g.set({ zone, secondary: target, state: told }, serial);
  });
  gauge("trivet_dns_problems", "Values in LXD that DNS could not use", [], (g) => {
    const problems = status()?.problems;
    if (problems !== undefined) g.set(problems.length);
  });
  gauge(
    "trivet_dns_anycast_answers",
    "1 while DNS answers on its anycast address, and announces it",
    ["address"],
    (g) => {
      for (const { address, answers } of status()?.anycast ?? []) g.set({ address }, Number(answers));
    },
  );
}
