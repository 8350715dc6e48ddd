import type { SessionInfo } from "@trivet/bgp";
import type { Explanation, RefusedView, RouteView } from "../announce/explain.ts";
import type { DrainView } from "../drain/drains.ts";
import type { CheckView } from "../health/view.ts";
import type { PartState } from "../inventory/snapshot.ts";

/** The answers of the agent's HTTP API, as JSON carries them. Times are ISO 8601. */

/** `GET /v1/status` */
export interface StatusAnswer {
  /** The server's name in LXD; empty before LXD was read. */
  readonly server: string;
  readonly version: string;
  /** True after the first full read of LXD and the first announcement. */
  readonly ready: boolean;
  readonly draining: boolean;
  readonly startedAt: string;
  readonly lxd: {
    /** Events arrive. */
    readonly connected: boolean;
    readonly error?: string;
    /** Since when something is wrong. */
    readonly since?: string;
    /** When each part was last read in full. */
    readonly parts: Readonly<Record<string, Omit<PartState, "readAt"> & { readonly readAt: string }>>;
  };
  readonly members: readonly { readonly name: string; readonly status: string }[];
  readonly instances: number;
  readonly networks: number;
  readonly routes: { readonly announced: number; readonly refused: number };
  /** How many health checks of this server's instances are in each state. */
  readonly checks: Readonly<Record<CheckView["state"], number>>;
  readonly sessions: readonly SessionAnswer[];
  /** Wrong values in LXD's configuration, which are ignored. */
  readonly problems: readonly string[];
}

/** An entry of `GET /v1/sessions` */
export type SessionAnswer = SessionInfo;

/** `GET /v1/routes` */
export interface RoutesAnswer {
  readonly server: string;
  readonly ready: boolean;
  /** Sessions that are established: with none, nobody is told of the routes. */
  readonly routers: number;
  readonly routes: readonly RouteView[];
  /** With `?refused=true`: what is not announced, and why. */
  readonly refused?: readonly RefusedView[];
}

/** `GET /v1/health`: the checks of the instances that run on the answering server. */
export interface HealthAnswer {
  readonly server: string;
  readonly checks: readonly CheckView[];
}

/** `GET /v1/routes/explain?prefix=P`; with `&everywhere=true` of every server, else of this one. */
export interface ExplainAnswer {
  readonly prefix: string;
  readonly servers: readonly ServerExplanation[];
}

export type ServerExplanation =
  | ({ readonly server: string } & Explanation)
  /** The server could not be asked. */
  | { readonly server: string; readonly error: string };

/** `GET /v1/drain`; with `?everywhere=true` of every server, with `?server=NAME` of that one, else of this one. */
export interface DrainsAnswer {
  readonly servers: readonly ServerDrains[];
}

export type ServerDrains =
  | { readonly server: string; readonly drains: readonly DrainView[] }
  /** The server could not be asked. */
  | { readonly server: string; readonly error: string };

/** `PUT` and `DELETE /v1/drain?target=T`: what was ordered; `GET /v1/drain` tells how far it is. */
export interface DrainOrderAnswer {
  readonly target: string;
  readonly server: string;
  readonly drain: boolean;
  /** False when LXD had it so already. */
  readonly changed: boolean;
  /** What nobody else announces: traffic to it stops. Only with `force` it is drained nevertheless. */
  readonly alone: readonly string[];
  /** What else the server is ordered to drain. */
  readonly left: readonly string[];
  /** Of an order that was to be taken back and did not stand: the servers where it does. */
  readonly elsewhere: readonly string[];
}
