/** Something asked of the lab that cannot be: what, and what to do. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly fault = "input";

  constructor(what: string, remedy: string) {
    super(`${what}: ${remedy}`);
  }
}
