/** Something asked of the lab that cannot be: what, and what to do. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly fault = "input";

  constructor(what: string, remedy: string) {
    super(`${what}: ${remedy}`);
  }
}

/** `t<digits>` are namespaces of test runs; dashes separate a lab's name from its parts; interfaces and paths are made of it. */
const LAB_NAME = /^(?!t\d+$)[a-z][a-z0-9]{0,9}$/;

/** @throws LabError on a name that a lab cannot have */
export function checkLabName(name: string): void {
  if (!LAB_NAME.test(name))
    throw new LabError(
      `lab name ${JSON.stringify(name)}`,
      "use up to 10 lower-case letters and digits, a letter first; t and a number alone are kept for tests",
    );
}
