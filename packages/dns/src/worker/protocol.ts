import type { ServerOptions } from "../socket/options.ts";
import type { Role } from "../socket/engine.ts";
import type { Endpoint } from "../socket/udp.ts";
import type { NotifyState } from "../transfer/notify.ts";
import { Name } from "../wire/name.ts";
import { packChanges, unpackChanges } from "../zone/archive.ts";
import type { SharedNodes } from "../zone/packed.ts";
import type { ZoneChange, ZoneStore } from "../zone/store.ts";
import { Zone } from "../zone/zone.ts";

/** What a worker is started with. */
export interface WorkerStart {
  readonly options: ServerOptions;
  readonly role: Role;
  readonly counters: SharedArrayBuffer;
}

/** To a worker: zones, in memory that all threads share, and changes of them, as blocks of records. */
export type ToWorker =
  | { readonly kind: "zone"; readonly origin: string; readonly nodes: SharedNodes; readonly history: Uint8Array }
  | { readonly kind: "change"; readonly origin: string; readonly change: Uint8Array }
  | { readonly kind: "removed"; readonly origin: string }
  | { readonly kind: "listen" }
  | { readonly kind: "stop" };

/** From a worker. */
export type FromWorker =
  | { readonly kind: "listening"; readonly listen: readonly Endpoint[] }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "fault"; readonly error: Error }
  | { readonly kind: "notify"; readonly state: NotifyState };

export function encodeChange(change: ZoneChange): ToWorker {
  if (change.kind === "removed") return { kind: "removed", origin: change.origin.toString() };
  const { zone, difference, history = [] } = change;
  const origin = zone.origin.toString();
  return difference === undefined
    ? { kind: "zone", origin, nodes: zone.shared, history: packChanges(history) }
    : { kind: "change", origin, change: packChanges([difference]) };
}

/** Makes the change in the worker's own store. */
export function applyChange(store: ZoneStore, message: ToWorker): void {
  if (message.kind === "zone") {
    const origin = Name.parse(message.origin);
    store.restore(Zone.fromShared(origin, message.nodes), unpackChanges(message.history));
  } else if (message.kind === "change") {
    for (const change of unpackChanges(message.change)) store.apply(Name.parse(message.origin), change);
  } else if (message.kind === "removed") store.remove(Name.parse(message.origin));
}
