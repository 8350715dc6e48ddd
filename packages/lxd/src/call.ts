/** What every call takes. */
export interface CallOptions {
  /** Milliseconds for the whole call, from connecting to the last byte; the client's default unless told. */
  readonly timeout?: number;
  /** Ends the call; it then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** The project; `default` unless told. */
  readonly project?: string;
  /** The cluster member that shall answer. */
  readonly target?: string;
  /** Further query parameters. */
  readonly query?: Readonly<Record<string, string>>;
}

export interface WriteOptions extends CallOptions {
  /** From {@link Tagged}: the change is refused with `ConflictError` when the thing has changed since. Not atomic on the server. */
  readonly etag?: string;
}

export interface Tagged<T> {
  readonly value: T;
  readonly etag: string | undefined;
}

/** A path with its variable parts encoded: `` path`/1.0/instances/${name}` ``. */
export function path(parts: TemplateStringsArray, ...names: readonly string[]): string {
  return parts.map((part, index) => part + encodeURIComponent(names[index] ?? "")).join("");
}

/** Appends a call's parameters to its path, keeping those that are already there. */
export function withQuery(pathname: string, { project, target, query }: CallOptions): string {
  const parameters = new URLSearchParams(query);
  if (project !== undefined) parameters.set("project", project);
  if (target !== undefined) parameters.set("target", target);
  const text = parameters.toString();
  return text === "" ? pathname : `${pathname}${pathname.includes("?") ? "&" : "?"}${text}`;
}
