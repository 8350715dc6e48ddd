import type { Speaker } from "@trivet/bgp";
import { type Problem } from "../announce/candidate.ts";
import type { RouteDiff } from "../announce/diff.ts";
import { viewRoute } from "../announce/explain.ts";
import { printable } from "../health/printable.ts";
import type { Logger } from "./log.ts";

/** Changed routes logged one by one; of more only the count, unless the log is at debug. */
const FEW = 20;

export function logSessions(log: Logger, speaker: Speaker): void {
  const failures = new Map<string, string>();
  speaker.on("session", ({ peer, from, to, reason }) => {
    if (to === "established") {
      failures.delete(peer);
      log.info({ peer }, "session established");
    } else if (from === "established") log.warn({ peer, reason }, "session lost");
    else if (reason !== undefined && failures.get(peer) !== reason) {
      // Tried again every few seconds, and told once.
      failures.set(peer, reason);
      log.warn({ peer, reason }, "no session");
    } else log.debug({ peer, from, to, reason }, "session state");
  });
  speaker.on("notification", ({ peer, direction, text }) => log.warn({ peer, direction }, `NOTIFICATION: ${text}`));
  speaker.on("problem", ({ peer, problem }) => log.warn({ peer, problem }, "the peer sent a malformed UPDATE"));
  speaker.on("refused", ({ address, reason }) => log.warn({ address, reason }, "connection refused"));
}

export function logAnnouncement(
  log: Logger,
  { announced, withdrawn }: RouteDiff,
  before: readonly Problem[],
  problems: readonly Problem[],
): void {
  const count = announced.length + withdrawn.length;
  if (count > FEW) log.info({ announced: announced.length, withdrawn: withdrawn.length }, "routes changed");
  const level = count > FEW ? "debug" : "info";
  if (log.isLevelEnabled(level)) {
    for (const route of announced) log[level](viewRoute(route), "announced");
    for (const { prefix } of withdrawn) log[level]({ prefix: prefix.toString() }, "withdrawn");
  }
  const known = new Set(before.map(describeProblem));
  for (const problem of problems) if (!known.has(describeProblem(problem))) log.warn(describeProblem(problem));
}

/** "instance web/c1 eth0: ipv4.routes.external: "1.2.3.4/99" …" */
export function describeProblem({ source: { project, network, instance, device }, key, value, why }: Problem): string {
  const ofNetwork = network === "" ? "the cluster's configuration" : `network ${project}/${network}`;
  const what = instance === undefined ? ofNetwork : `instance ${project}/${instance}`;
  const place = device === undefined ? what : `${what} ${device}`;
  const said = why.startsWith(JSON.stringify(value)) ? why : `${JSON.stringify(value)} ${why}`;
  // Values are their instances' owners', and are shown on terminals.
  return `${place}: ${key}: ${printable(said)}; it is ignored until it is corrected`;
}
