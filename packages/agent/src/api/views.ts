import type { Config, Instance } from "@trivet/lxd";
import { viewRefused, viewRoute } from "../announce/explain.ts";
import { describeProblem } from "../daemon/telling.ts";
import type { AgentState } from "../daemon/state.ts";
import type { Network, Snapshot } from "../inventory/snapshot.ts";
import type { RoutesAnswer, StatusAnswer } from "./types.ts";

export function viewStatus(state: AgentState): StatusAnswer {
  const { snapshot, health, announcement } = state;
  const parts = Object.entries(snapshot?.parts ?? {});
  return {
    server: snapshot?.server ?? "",
    version: state.version,
    ready: state.ready,
    draining: state.draining,
    startedAt: time(state.startedAt),
    lxd: {
      connected: health.connected,
      ...(health.error === undefined ? {} : { error: health.error }),
      ...(health.since === undefined ? {} : { since: time(health.since) }),
      parts: Object.fromEntries(parts.map(([part, { readAt, ...rest }]) => [part, { readAt: time(readAt), ...rest }])),
    },
    members: snapshot?.members.map(({ server_name, status }) => ({ name: server_name, status })) ?? [],
    instances: snapshot?.instances.size ?? 0,
    networks: snapshot?.networks.size ?? 0,
    routes: { announced: announcement.routes.size, refused: announcement.refused.length },
    checks: countChecks(state),
    sessions: state.sessions(),
    problems: state.problems.map(describeProblem),
  };
}

/** @param refused also what is not announced */
export function viewRoutes(state: AgentState, refused = false): RoutesAnswer {
  const { announcement, ready, snapshot } = state;
  return {
    server: snapshot?.server ?? "",
    ready,
    routers: state.sessions().filter((session) => session.state === "established").length,
    routes: [...announcement.routes.values()].sort((a, b) => a.prefix.compare(b.prefix)).map(viewRoute),
    ...(refused ? { refused: announcement.refused.map(viewRefused) } : {}),
  };
}

function countChecks({ checks }: AgentState): StatusAnswer["checks"] {
  const counts = { passing: 0, failing: 0, pending: 0, unknown: 0 };
  for (const { state } of checks.view()) counts[state]++;
  return counts;
}

/** The Snapshot without what may be secret: of an instance's configuration only what trivet itself reads is shown. */
export function viewSnapshot(snapshot: Snapshot): unknown {
  return {
    server: snapshot.server,
    clustered: snapshot.clustered,
    takenAt: time(snapshot.takenAt),
    parts: snapshot.parts,
    members: snapshot.members.map(({ config, ...member }) => ({
      ...member,
      ...(config && { config: redact(config) }),
    })),
    projects: [...snapshot.projects.values()].map(({ name, config }) => ({ name, config: redact(config) })),
    networks: [...snapshot.networks.values()].map(viewNetwork),
    instances: [...snapshot.instances.values()].map(viewInstance),
  };
}

function viewNetwork({ config, ...network }: Network): unknown {
  return { ...network, config: redact(config) };
}

function viewInstance({ project, name, type, location, status, expanded_config, expanded_devices }: Instance): unknown {
  const nics = Object.entries(expanded_devices).filter(([, device]) => device["type"] === "nic");
  return { project, name, type, location, status, config: redact(expanded_config), nics: Object.fromEntries(nics) };
}

const SHOWN =
  /^(volatile\.|user\.(trivet|bgp)\.|limits\.|cluster\.|boot\.|features\.|ipv[46]\.|bgp\.ipv[46]\.|network$|parent$|ovn\.|dns\.)/;

function redact(config: Config): Config {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      SHOWN.test(key) && !/password|secret|token/i.test(key) ? value : "(hidden)",
    ]),
  );
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
