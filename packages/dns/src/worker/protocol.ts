import type { ServerOptions } from "../socket/options.ts";
import type { Role } from "../socket/engine.ts";
import type { Endpoint } from "../socket/udp.ts";
import type { NotifyState } from "../transfer/notify.ts";
import { Name } from "../wire/name.ts";
import { packZone, unpackZone } from "../zone/archive.ts";
import { decodeRecords, encodeRecords } from "../zone/blob.ts";
import type { ZoneChange, ZoneStore } from "../zone/store.ts";

/** What a worker is started with. */
export interface WorkerStart {
  readonly options: ServerOptions;
  readonly role: Role;
  readonly counters: SharedArrayBuffer;
}

/** To a worker: changes of the zones, as blocks of records. */
export type ToWorker =
  | { readonly kind: "zone"; readonly archive: Uint8Array }
  | {
      readonly kind: "difference";
      readonly origin: string;
      readonly soas: Uint8Array;
      readonly removed: Uint8Array;
      readonly added: Uint8Array;
    }
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
  if (difference === undefined) return { kind: "zone", archive: packZone({ zone, changes: history }) };
  return {
    kind: "difference",
    origin,
    soas: encodeRecords([difference.oldSoa, difference.newSoa]),
    removed: encodeRecords(difference.removed),
    added: encodeRecords(difference.added),
  };
}

/** Makes the change in the worker's own store. */
export function applyChange(store: ZoneStore, change: ToWorker): void {
  if (change.kind === "zone") {
    const { zone, changes } = unpackZone(change.archive);
    store.restore(zone, changes);
  } else if (change.kind === "removed") {
    store.remove(Name.parse(change.origin));
  } else if (change.kind === "difference") {
    const [oldSoa, newSoa] = [...decodeRecords(change.soas)];
    if (oldSoa === undefined || newSoa === undefined) return;
    store.apply(Name.parse(change.origin), {
      oldSoa,
      newSoa,
      removed: [...decodeRecords(change.removed)],
      added: [...decodeRecords(change.added)],
    });
  }
}
