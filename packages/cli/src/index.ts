/** The `trivet` command, as tests run it. */
export { trivet } from "./app.ts";
export type { CommandProcess } from "./context.ts";
