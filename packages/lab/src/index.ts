/** A whole cluster on one machine: real, in containers and namespaces, and simulated. */
export { Namespace } from "./host/namespace.ts";
export { type Requirements, findProgram, missingRequirements } from "./host/requirements.ts";
export { CommandError, type RunOptions, type RunResult, run } from "./host/run.ts";
