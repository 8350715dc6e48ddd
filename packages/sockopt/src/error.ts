/** A system call that failed, or one that cannot be made because the optional library is missing. */
export class SocketError extends Error {
  override readonly name = "SocketError";
  readonly fault = "world";
  /** The C name of the error (`EADDRINUSE`), or `ENOSYS` when sockets cannot be made here at all. */
  readonly code: string;
  readonly detail: string;

  constructor(call: string, code: string, detail: string) {
    super(`${call}: ${code}${detail === "" ? "" : `: ${detail}`}`);
    this.code = code;
    this.detail = detail;
  }
}
