import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { jsonFlag } from "../flags.ts";
import { VERSION } from "../version.ts";

interface Flags {
  readonly json: boolean;
  readonly sarif: boolean;
  readonly strict: boolean;
}

export const check = buildCommand<Flags, [string], Context>({
  docs: {
    brief: "Checks cluster.yaml: what contradicts itself, and what will hurt",
    fullDescription:
      "Every problem at once, each with its place, reason and remedy; then the single points of failure.\n" +
      "Exit status: 0 when it can be used, 1 when not (with --strict also for warnings), 2 for wrong usage. docs/cluster-yaml.md explains the codes.",
  },
  parameters: {
    flags: {
      json: jsonFlag,
      sarif: { kind: "boolean", brief: "Print SARIF 2.1.0, for code hosts", default: false },
      strict: { kind: "boolean", brief: "End with 1 for warnings, too", default: false },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "The cluster's file", parse: String, placeholder: "file", default: "cluster.yaml" }],
    },
  },
  async func({ json, sarif, strict }, path) {
    const [{ formatDiagnostic, loadCluster, toSarif }, { auditDiagnostics, singlePoints }] = await Promise.all([
      import("@trivet/spec"),
      import("@trivet/audit"),
    ]);
    const loaded = loadCluster(path);
    const diagnostics = loaded.ok ? auditDiagnostics(loaded) : loaded.diagnostics;
    const points = loaded.ok ? singlePoints(loaded.cluster) : [];
    const count = (severity: string) => diagnostics.filter((each) => each.severity === severity).length;
    this.exit(!loaded.ok || (strict && count("warning") > 0) ? 1 : 0);
    if (sarif) return this.printJson(toSarif(diagnostics, { version: VERSION, root: globalThis.process.cwd() }));
    const found = points.map(({ lost, down, remedy }) => ({
      component: lost[0]?.name,
      label: lost[0]?.label,
      down,
      remedy,
    }));
    if (json) return this.printJson({ ok: loaded.ok, diagnostics, singlePointsOfFailure: found });
    const colour = this.paint("bold", "") !== "";
    for (const each of diagnostics) this.print(formatDiagnostic(each, { colour }));
    if (found.length > 0) {
      this.print(`\n${this.paint("bold", "Single points of failure:")}`);
      for (const { label, down, remedy } of found) this.print(`  ${label}: ends ${down.join(", ")}\n    = ${remedy}`);
      this.print("");
    }
    const plural = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
    const words = (["error", "warning", "note"] as const).map((severity) => plural(count(severity), severity));
    if (loaded.ok) words.push(plural(found.length, "single point").concat(" of failure"));
    this.print(`${path}: ${loaded.ok ? "good" : "cannot be used"}: ${words.join(", ")}`);
    return undefined;
  },
});
