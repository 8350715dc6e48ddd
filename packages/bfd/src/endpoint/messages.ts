import type { SessionSpec, SessionStatus } from "../engine.ts";
import type { SessionFailure } from "../error.ts";
import type { State } from "../wire/packet.ts";

/** What the main thread asks of the worker; each is answered by a `done` with its number. */
export type Request = { readonly id: number } & (
  | { readonly kind: "set"; readonly specs: readonly SessionSpec[] }
  | { readonly kind: "statuses" }
  | { readonly kind: "close" }
);

/** What the worker says. */
export type Report =
  /** Once, first; `ordinary` is why its thread shares the processor with ordinary work, `undefined` when it comes before that. */
  | { readonly kind: "started"; readonly ordinary: string | undefined }
  | {
      readonly kind: "done";
      readonly id: number;
      readonly statuses: readonly SessionStatus[];
      readonly discards: number;
    }
  | { readonly kind: "failed"; readonly id: number; readonly failures: readonly SessionFailure[] }
  | { readonly kind: "state"; readonly status: SessionStatus; readonly from: State }
  | { readonly kind: "socket-error"; readonly message: string };
