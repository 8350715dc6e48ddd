import type { SessionStatus } from "@trivet/bfd";
import type { SessionInfo } from "@trivet/bgp";
import type { Announcement } from "../announce/announce.ts";
import type { Problem } from "../announce/candidate.ts";
import type { RouteDiff } from "../announce/diff.ts";
import type { AgentConfig } from "../config/schema.ts";
import type { Health } from "../health/health.ts";
import type { DrainView } from "../drain/drains.ts";
import type { InventoryHealth } from "../inventory/inventory.ts";
import type { Snapshot } from "../inventory/snapshot.ts";
import type { DnsStatus } from "../resolve/service.ts";

/** What the agent shows of itself; the API and the metrics read it and nothing else. */
export interface AgentState {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly config: AgentConfig;
  /** After the first full read of LXD, the first health checks and the announcement of both. */
  readonly ready: boolean;
  readonly draining: boolean;
  readonly checks: Pick<Health, "view" | "counters">;
  readonly snapshot: Snapshot | undefined;
  readonly health: InventoryHealth;
  readonly announcement: Announcement;
  /** Wrong values in LXD's configuration, of routes, drains and checks. */
  readonly problems: readonly Problem[];
  /** Absent: DNS is not configured. */
  readonly dns: { readonly status: DnsStatus } | undefined;
  sessions(): SessionInfo[];
  bfdSessions(): Promise<readonly SessionStatus[]>;
  /** The drains of this server, as far as they are. */
  drains(): DrainView[];
  /** Servers that this one lost all watched ways to. */
  readonly lostServers: ReadonlySet<string>;
}

/** What happens, as the API's event stream tells it. */
export interface AgentEvents {
  routes: [RouteDiff];
  session: [{ readonly peer: string; readonly from: string; readonly to: string; readonly reason?: string }];
  health: [InventoryHealth];
  snapshot: [Snapshot];
  ready: [];
  /** Something is wrong that ends the agent. */
  fatal: [Error];
}
