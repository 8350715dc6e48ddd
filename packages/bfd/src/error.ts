/** A session that cannot be configured as asked; the message names the peer and the remedy. */
export class BfdConfigError extends Error {
  override readonly name = "BfdConfigError";
  readonly fault = "input";
  readonly peer: string;

  constructor(peer: string, reason: string) {
    super(`BFD session with ${peer}: ${reason}`);
    this.peer = peer;
  }
}

/** One session whose sockets could not be opened, and why. Plain data: it crosses from the worker thread. */
export interface SessionFailure {
  readonly name: string;
  readonly reason: string;
}

/** Sessions whose sockets could not be opened; the others run. Asking for the same set again tries these again. */
export class BfdSocketError extends Error {
  override readonly name = "BfdSocketError";
  readonly fault = "world";
  readonly failures: readonly SessionFailure[];

  constructor(failures: readonly SessionFailure[]) {
    super(failures.map(({ name, reason }) => `BFD session ${name}: ${reason}`).join("; "));
    this.failures = failures;
  }
}

/** Nothing is watched any more: the endpoint was stopped, or its thread ended unasked (then with a cause, as far as it is known). */
export class BfdEndedError extends Error {
  override readonly name = "BfdEndedError";
  readonly fault = "world";

  constructor(reason: string, cause?: Error) {
    super(`BFD has ended: ${reason}`, cause === undefined ? {} : { cause });
  }
}
