import { type Diagnostic, type LoadedCluster, compareDiagnostics } from "@trivet/spec";
import { audit } from "./findings/index.ts";

/** The file's own warnings and what the audit finds, each at its place. What stands once, in a model, is said once for all its servers. */
export function auditDiagnostics(loaded: LoadedCluster): Diagnostic[] {
  const found = new Map<string, { diagnostic: Diagnostic; others: number }>();
  for (const { path, code, severity, message, remedy } of audit(loaded.cluster)) {
    const diagnostic = { code, severity, message, remedy, ...loaded.locate(path) };
    const key = `${code} ${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`;
    const same = found.get(key);
    if (same === undefined) found.set(key, { diagnostic, others: 0 });
    else same.others++;
  }
  const own = Array.from(found.values(), ({ diagnostic, others }): Diagnostic => {
    if (others === 0) return diagnostic;
    return {
      ...diagnostic,
      message: `${diagnostic.message} (and so on ${others} other server${others === 1 ? "" : "s"})`,
    };
  });
  return [...loaded.diagnostics, ...own].sort(compareDiagnostics);
}
