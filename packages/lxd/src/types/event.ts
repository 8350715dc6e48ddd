import type { OperationState } from "./operation.ts";

interface EventBase {
  readonly timestamp: string;
  /** The project it happened in; absent for what belongs to no project. */
  readonly project?: string;
  /** The cluster member that it comes from. */
  readonly location?: string;
}

/** Something was created, changed or removed, e.g. `instance-started`. */
export interface LifecycleEvent extends EventBase {
  readonly type: "lifecycle";
  readonly metadata: {
    readonly action: string;
    /** `/1.0/instances/c1?project=p`; see `eventSubject`. */
    readonly source: string;
    readonly context?: Readonly<Record<string, unknown>> | null;
    readonly requestor?: { readonly username: string; readonly protocol: string; readonly address?: string } | null;
    readonly name?: string;
    readonly project?: string;
  };
}

export interface OperationEvent extends EventBase {
  readonly type: "operation";
  readonly metadata: OperationState;
}

export interface LoggingEvent extends EventBase {
  readonly type: "logging";
  readonly metadata: {
    readonly level: string;
    readonly message: string;
    readonly context: Readonly<Record<string, string>> | null;
  };
}

export type LxdEvent = LifecycleEvent | OperationEvent | LoggingEvent;

/**
 * What an event stream yields: events, and two signals of the stream itself.
 *
 * `resync`: from here on events arrive, but any before may be lost, so read everything again. It comes first of all, after every
 * reconnect, and when the reader was too slow for the buffer. `down`: the connection is lost and is tried again in `retryIn` ms.
 */
export type StreamItem =
  | LxdEvent
  | { readonly type: "resync"; readonly reason: "connected" | "reconnected" | "overflow" }
  | { readonly type: "down"; readonly error: Error; readonly retryIn: number };

/** What a lifecycle event is about. */
export interface EventSubject {
  /** The API's collection: `instances`, `networks`, `profiles`, `cluster/members`, … */
  readonly kind: string;
  readonly name: string;
  readonly project: string;
  /** Below the thing itself, e.g. `["forwards", "192.0.2.1"]` of a network; empty when it is the thing. */
  readonly rest: readonly string[];
}
