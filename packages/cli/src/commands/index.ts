import { status } from "./status.ts";

/**
 * Every command, in the order of `trivet --help`. A command is a file here that says its flags and imports what it runs only when it
 * runs (`await import("@trivet/...")` inside `func`), so that start-up stays short.
 */
export const routes = {
  status,
};
