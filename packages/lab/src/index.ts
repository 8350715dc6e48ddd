/** A whole cluster on one machine: real, in containers and namespaces, and simulated. */
export { Namespace } from "./host/namespace.ts";
export { type Requirements, findProgram, missingRequirements } from "./host/requirements.ts";
export { CommandError, type RunOptions, type RunResult, run } from "./host/run.ts";
export type { Suite } from "./image/packages.ts";
export { type ImageOptions, serverImage } from "./image/server-image.ts";
