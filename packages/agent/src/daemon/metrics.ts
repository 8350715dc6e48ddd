import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { addHealthMetrics } from "../health/metrics.ts";
import { addDnsMetrics } from "../resolve/metrics.ts";
import type { SessionStatus } from "@trivet/bfd";
import { PARTS } from "../inventory/snapshot.ts";
import type { AgentState } from "./state.ts";

export type MakeGauge = (
  name: string,
  help: string,
  labelNames: string[],
  collect: (gauge: Gauge) => void | Promise<void>,
) => void;

/** The agent's own metrics, in Prometheus' text format. Values are taken from the state when they are asked for. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #readSeconds: Histogram;
  readonly #readErrors: Counter;
  readonly announceSeconds: Histogram;

  constructor(state: AgentState) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#readSeconds = new Histogram({
      name: "trivet_lxd_read_seconds",
      help: "Duration of readings of LXD, by what was read",
      labelNames: ["what"],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    });
    this.#readErrors = new Counter({
      name: "trivet_lxd_read_errors_total",
      help: "Readings of LXD that failed",
      labelNames: ["what"],
      registers,
    });
    this.announceSeconds = new Histogram({
      name: "trivet_announce_seconds",
      help: "Time from a new snapshot to its routes handed to BGP",
      buckets: [0.0005, 0.002, 0.01, 0.05, 0.2],
      registers,
    });
    const gauge: MakeGauge = (name, help, labelNames, collect) => {
      const made = new Gauge({
        name,
        help,
        labelNames,
        registers: [],
        collect() {
          this.reset();
          return collect(this);
        },
      });
      this.#registry.registerMetric(made);
    };
    gauge("trivet_info", "The agent's version and server", ["version", "server"], (g) =>
      g.set({ version: state.version, server: state.snapshot?.server ?? "" }, 1),
    );
    gauge("trivet_ready", "1 after the first full read of LXD and the first announcement", [], (g) =>
      g.set(Number(state.ready)),
    );
    gauge("trivet_draining", "1 while routers are asked to prefer other paths", [], (g) =>
      g.set(Number(state.draining)),
    );
    gauge("trivet_lxd_connected", "1 while LXD's events arrive", [], (g) => g.set(Number(state.health.connected)));
    gauge("trivet_snapshot_age_seconds", "Time since a part of LXD was last read in full", ["part"], (g) => {
      for (const part of PARTS)
        if (state.snapshot !== undefined) g.set({ part }, (Date.now() - state.snapshot.parts[part].readAt) / 1000);
    });
    gauge("trivet_instances", "Instances known, by server and status", ["server", "status"], (g) => {
      for (const { location, status } of state.snapshot?.instances.values() ?? []) g.inc({ server: location, status });
    });
    gauge(
      "trivet_routes_announced",
      "Routes this server announces, by what asks for them",
      ["family", "reason"],
      (g) => {
        for (const { prefix, reasons } of state.announcement.routes.values())
          g.inc({ family: `ipv${prefix.family}`, reason: reasons[0].source.kind });
      },
    );
    gauge("trivet_routes_held_back", "Announced routes that routers are asked not to prefer", ["family"], (g) => {
      for (const { prefix, reasons } of state.announcement.routes.values())
        g.inc({ family: `ipv${prefix.family}` }, Number(reasons[0].ruled !== undefined));
    });
    gauge("trivet_drains", "What is drained of this server, by how far it is", ["phase"], (g) => {
      for (const { phase } of state.drains()) g.inc({ phase });
    });
    gauge("trivet_servers_lost", "Other servers that all watched ways are lost to", [], (g) =>
      g.set(state.lostServers.size),
    );
    gauge("trivet_routes_refused", "Prefixes found and not announced, by reason", ["code"], (g) => {
      for (const { refusal } of state.announcement.refused) g.inc({ code: refusal.code });
    });
    gauge("trivet_problems", "Wrong values in LXD's configuration that are ignored", [], (g) =>
      g.set(state.problems.length),
    );
    this.#sessions(state, gauge);
    this.#bfd(state, gauge);
    addDnsMetrics(state, gauge);
    addHealthMetrics(state, gauge);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  countRead(what: string, milliseconds: number, failed: boolean): void {
    this.#readSeconds.observe({ what }, milliseconds / 1000);
    if (failed) this.#readErrors.inc({ what });
  }

  /** A session is with a router, or with another server. */
  #bfd(state: AgentState, gauge: MakeGauge): void {
    const each = (name: string, help: string, value: (session: SessionStatus) => number | undefined): void => {
      gauge(name, help, ["session", "peer"], async (g) => {
        for (const session of await state.bfdSessions()) {
          const known = value(session);
          if (known !== undefined) g.set({ session: session.name, peer: session.peer }, known);
        }
      });
    };
    each("trivet_bfd_session_up", "1 while the other end is seen", ({ state: now }) => Number(now === "Up"));
    each("trivet_bfd_session_flaps", "Times the other end was lost, or left", ({ flaps }) => flaps);
    each("trivet_bfd_detection_seconds", "Silence after which the other end counts as lost", ({ detectionTime }) =>
      detectionTime === undefined ? undefined : detectionTime / 1000,
    );
  }

  #sessions(state: AgentState, gauge: MakeGauge): void {
    gauge("trivet_bgp_session_up", "1 while the session is established", ["peer"], (g) => {
      for (const session of state.sessions()) g.set({ peer: session.peer }, Number(session.state === "established"));
    });
    gauge("trivet_bgp_session_established", "Times the session was established", ["peer"], (g) => {
      for (const session of state.sessions()) g.set({ peer: session.peer }, session.established);
    });
    gauge("trivet_bgp_session_flaps", "Times an established session was lost", ["peer"], (g) => {
      for (const { peer, established, state: now } of state.sessions())
        g.set({ peer }, established - Number(now === "established"));
    });
    gauge("trivet_bgp_prefixes_sent", "Prefixes announced to the peer", ["peer", "family"], (g) => {
      for (const { peer, prefixesSent } of state.sessions())
        for (const family of [4, 6] as const) g.set({ peer, family: `ipv${family}` }, prefixesSent[family]);
    });
    gauge("trivet_bgp_messages", "Messages exchanged with the peer", ["peer", "direction", "kind"], (g) => {
      for (const { peer, sent, received } of state.sessions()) {
        for (const [kind, count] of Object.entries(sent)) g.set({ peer, direction: "sent", kind }, count);
        for (const [kind, count] of Object.entries(received)) g.set({ peer, direction: "received", kind }, count);
      }
    });
  }
}
