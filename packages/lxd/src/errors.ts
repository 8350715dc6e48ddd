import type { OperationState } from "./types/operation.ts";

/** Where a failed call went. */
export interface CallSite {
  /** The endpoint: a socket path, a URL, or the name given to the client. */
  readonly server: string;
  /** `GET /1.0/instances`. */
  readonly call: string;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  readonly cause?: unknown;
}

/**
 * A call that did not succeed: which server, which call, what went wrong and what to do. The message is one line of all four.
 * `fault` is `"input"` when the caller asked for something wrong, `"world"` when the server or the way to it failed.
 */
export abstract class LxdError extends Error {
  abstract readonly fault: "input" | "world";
  readonly server: string;
  readonly call: string;
  readonly status: number | undefined;
  readonly remedy: string;

  constructor(site: CallSite, what: string, remedy: string) {
    super(`${site.server}: ${site.call}: ${what}; ${remedy}`, { cause: site.cause });
    this.server = site.server;
    this.call = site.call;
    this.status = site.status;
    this.remedy = remedy;
  }
}

/** No connection: no such socket, refused, no route, reset before the answer was complete. */
export class UnreachableError extends LxdError {
  override readonly name = "UnreachableError";
  readonly fault = "world";

  constructor(site: CallSite, what: string, remedy = "is the daemon running?") {
    super(site, what, remedy);
  }
}

/** The server showed another certificate than the pinned one. Nothing was sent to it. */
export class UntrustedServerError extends LxdError {
  override readonly name = "UntrustedServerError";
  readonly fault = "world";

  constructor(site: CallSite, what: string) {
    super(site, what, "if its certificate was replaced on purpose, pin the new one");
  }
}

/** No complete answer within the deadline: a hanging daemon, or a cluster whose database has no quorum. */
export class DeadlineError extends LxdError {
  override readonly name = "DeadlineError";
  readonly fault = "world";
  /** Milliseconds. */
  readonly timeout: number;

  constructor(site: CallSite, timeout: number) {
    super(
      site,
      `no answer within ${timeout} ms`,
      "is the daemon overloaded, or the cluster's database without quorum?",
    );
    this.timeout = timeout;
  }
}

/** A command in an instance that did not end in time. */
export class ExecDeadlineError extends DeadlineError {
  /** Its streams were open, so that the daemon ran it. If not, this says nothing of the command. */
  readonly begun: boolean;
  /** Milliseconds by which this process, kept from running, noticed the deadline too late. */
  readonly late: number;

  constructor(site: CallSite, timeout: number, { begun, late }: { begun: boolean; late: number }) {
    super(site, timeout);
    this.begun = begun;
    this.late = late;
  }
}

/** 401 or 403. */
export class ForbiddenError extends LxdError {
  override readonly name = "ForbiddenError";
  readonly fault = "input";

  constructor(site: CallSite, what: string) {
    super(site, what, "does the server trust this client's certificate, and for this project?");
  }
}

/** 404. */
export class NotFoundError extends LxdError {
  override readonly name = "NotFoundError";
  readonly fault = "input";

  constructor(site: CallSite, what: string) {
    super(site, what, "check the name and the project");
  }
}

/** 409, or 412 when an ETag no longer matches: someone else was first. */
export class ConflictError extends LxdError {
  override readonly name = "ConflictError";
  readonly fault = "world";

  constructor(site: CallSite, what: string) {
    super(site, what, "read it again and decide anew");
  }
}

/** Another 4xx: the server did not accept what was asked. */
export class BadRequestError extends LxdError {
  override readonly name = "BadRequestError";
  readonly fault = "input";

  constructor(site: CallSite, what: string) {
    super(site, what, "correct the request");
  }
}

/** The daemon lacks the API extension that the call needs. */
export class UnsupportedError extends LxdError {
  override readonly name = "UnsupportedError";
  readonly fault = "input";
  readonly extension: string;

  constructor(site: CallSite, extension: string) {
    super(site, `the daemon lacks the API extension ${extension}`, "a newer LXD or Incus has it");
    this.extension = extension;
  }
}

/** 5xx. */
export class ServerError extends LxdError {
  override readonly name = "ServerError";
  readonly fault = "world";

  constructor(site: CallSite, what: string) {
    super(site, what, "the daemon's log says more");
  }
}

/** An answer that is not LXD's: garbage, or another program's. */
export class AnswerError extends LxdError {
  override readonly name = "AnswerError";
  readonly fault = "world";

  constructor(site: CallSite, what: string) {
    super(site, what, "is this LXD or Incus?");
  }
}

/** An operation ended in failure, was cancelled, or vanished because its daemon restarted. */
export class OperationError extends LxdError {
  override readonly name = "OperationError";
  readonly fault = "world";
  readonly outcome: "failure" | "cancelled" | "lost";
  /** Its last state, unless it is lost. */
  readonly state: OperationState | undefined;

  constructor(site: CallSite, what: string, outcome: OperationError["outcome"], state?: OperationState) {
    super(
      site,
      what,
      outcome === "lost" ? "its outcome is unknown: read the state again" : "the daemon's log says more",
    );
    this.outcome = outcome;
    this.state = state;
  }
}

/** The error for an HTTP status of 400 or more. */
export function statusError(site: CallSite, what: string): LxdError {
  const status = site.status ?? 500;
  if (status === 401 || status === 403) return new ForbiddenError(site, what);
  if (status === 404) return new NotFoundError(site, what);
  if (status === 409 || status === 412) return new ConflictError(site, what);
  return status < 500 ? new BadRequestError(site, what) : new ServerError(site, what);
}
