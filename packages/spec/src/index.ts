/** cluster.yaml: the language, its schema and its diagnostics; and the loader of every YAML file that trivet reads. */
export type * from "./model.ts";
export type { SecretRef } from "./schema/common.ts";
export { DIAGNOSTICS } from "./codes.ts";
export { HOST, vrrpPenalty, vrrpPriority } from "./plan.ts";
export { ClusterError, type LoadedCluster, loadCluster, readCluster } from "./load-cluster.ts";
export { type Diagnostic, type Location, type Severity, SpecError } from "./source/diagnostic.ts";
export type { FileReader } from "./source/composite.ts";
export type { Path } from "./source/document.ts";
export { type Loaded, type Rejected, loadYaml } from "./source/load.ts";
export { type Answers, draft } from "./init/draft.ts";
export { FACTS_SCRIPT, type Facts, parseFacts, readFacts } from "./init/facts.ts";
export { compareDiagnostics } from "./source/diagnostic.ts";
export { formatDiagnostic } from "./source/print.ts";
export { toSarif } from "./source/sarif.ts";
