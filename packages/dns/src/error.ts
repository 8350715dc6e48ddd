/** Bytes of a peer that are no DNS message, or one that breaks the protocol. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly fault = "world";
  /** The RCODE a server answers it with. */
  readonly rcode: number;

  constructor(message: string, rcode = 1) {
    super(message);
    this.rcode = rcode;
  }
}

/** Text that is no domain name, or no data of the record type it is given as. */
export class RecordError extends Error {
  override readonly name = "RecordError";
  readonly fault = "input";
  readonly text: string;

  constructor(text: string, problem: string) {
    super(`${JSON.stringify(text)} ${problem}`);
    this.text = text;
  }
}

/** Records that make no zone. */
export class ZoneError extends Error {
  override readonly name = "ZoneError";
  readonly fault = "input";
  readonly origin: string;
  readonly problems: readonly string[];

  constructor(origin: string, problems: readonly string[]) {
    const more = problems.length > 3 ? ` (and ${problems.length - 3} more)` : "";
    super(`zone ${origin}: ${problems.slice(0, 3).join("; ")}${more}`);
    this.origin = origin;
    this.problems = problems;
  }
}

/** A fault in a zone file. Line and column count from 1. */
export class ZoneFileError extends Error {
  override readonly name = "ZoneFileError";
  readonly fault = "input";
  readonly path: string;
  readonly line: number;
  readonly column: number;

  constructor(path: string, line: number, column: number, problem: string) {
    super(`${path}:${line}:${column}: ${problem}`);
    this.path = path;
    this.line = line;
    this.column = column;
  }
}

/** A server that did not answer, or answered with an error. */
export class ExchangeError extends Error {
  override readonly name = "ExchangeError";
  readonly fault = "world";
  readonly server: string;
  /** The RCODE it answered with, or `undefined` when it did not answer. */
  readonly rcode: number | undefined;

  constructor(server: string, problem: string, rcode?: number) {
    super(`${server}: ${problem}`);
    this.server = server;
    this.rcode = rcode;
  }
}
