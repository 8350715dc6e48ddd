import type { OperationRecord } from "./operations.ts";
import { ApiError, type ClusterState } from "./state.ts";

/** One call of the API, as its handler sees it. */
export interface Call {
  readonly cluster: ClusterState;
  /** The server that was asked. */
  readonly server: string;
  readonly query: URLSearchParams;
  /** `?project=`, `default` unless told. */
  readonly project: string;
  readonly recursion: number;
  /** The request's JSON, or an empty object. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly ifMatch: string | undefined;
  /** A named part of the path, decoded. */
  readonly param: (name: string) => string;
}

/** What a handler answers: a resource, as JSON (with an ETag if it is one that may be changed), or a background operation. */
export type Reply =
  | { readonly json: string; readonly etag?: string; readonly created?: true }
  | { readonly operation: OperationRecord };

export type Handler = (call: Call) => Reply | Promise<Reply>;

/** Handlers by `METHOD /path/:part`. */
export type Routes = Readonly<Record<string, Handler>>;

export type Router = (method: string, path: string) => { handler: Handler; params: Record<string, string> } | undefined;

export function createRouter(...tables: readonly Routes[]): Router {
  const routes = tables
    .flatMap((table) => Object.entries(table))
    .map(([pattern, handler]) => {
      const [method, path = ""] = pattern.split(" ");
      return { method, handler, expression: new RegExp(`^${path.replaceAll(/:(\w+)/g, "(?<$1>[^/]+)")}$`) };
    });
  return (method, path) => {
    for (const route of routes) {
      if (route.method !== method) continue;
      const match = route.expression.exec(path);
      if (match !== null) return { handler: route.handler, params: { ...match.groups } };
    }
    return undefined;
  };
}

/** A successful answer. */
export function ok(value: unknown): Reply {
  return { json: JSON.stringify(value) };
}

/** A resource was made, or has a new name: 201. */
export const CREATED: Reply = { json: "null", created: true };

/** A value of the request's body, checked. */
export function text(call: Call, key: string): string {
  const value = call.body[key];
  if (typeof value !== "string" || value === "") throw new ApiError(400, `No ${key} provided`);
  return value;
}

/** A map of the request's body, as `config`; `undefined` when it is not there. */
export function map<T>(call: Call, key: string): Record<string, T> | undefined {
  const value = call.body[key];
  return typeof value === "object" && value !== null ? (value as Record<string, T>) : undefined;
}

/** A configuration with some keys set; the empty value removes one. */
export function merged<T>(
  base: Readonly<Record<string, T>>,
  change: Readonly<Record<string, T>> = {},
): Record<string, T> {
  return Object.fromEntries(Object.entries({ ...base, ...change }).filter(([, value]) => value !== ""));
}
