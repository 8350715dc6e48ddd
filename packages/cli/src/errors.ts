/**
 * The exit statuses all commands share; a command's own (1 for findings, 3 for differences, 4 for down) are in its help.
 * 69 and 70 are sysexits' EX_UNAVAILABLE and EX_SOFTWARE.
 */
export const EXIT = { input: 1, usage: 2, world: 69, bug: 70 } as const;

type Fault = "input" | "world" | "bug";

/** Whose fault an error is: the user's, the world's, or (anything that does not say) ours. See ARCHITECTURE.md. */
export function faultOf(error: unknown): Fault {
  const fault = error instanceof Error ? (error as { fault?: unknown }).fault : undefined;
  return fault === "input" || fault === "world" ? fault : "bug";
}

/**
 * What the user reads of an error: one line that says what, where and what to do. An error may bring a longer `report` of its own
 * (a configuration file's diagnostics with the lines they point at). Only a bug, or `--debug`, shows more.
 */
export function formatError(error: unknown, debug: boolean): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (faultOf(error) !== "bug") {
    const { report } = error as { report?: unknown };
    const text = typeof report === "string" ? report.trimEnd() : `trivet: ${(error as Error).message}`;
    return debug ? `${text}\n${stack}` : text;
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return debug
    ? `trivet: this is a bug in trivet\n${stack}`
    : `trivet: this is a bug in trivet: ${what}; run it again with --debug and report what that prints`;
}
