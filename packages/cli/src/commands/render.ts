import { basename, dirname } from "node:path";
import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { jsonFlag } from "../flags.ts";

interface Flags {
  readonly json: boolean;
  readonly out: string;
  readonly force: boolean;
}

export const render = buildCommand<Flags, [string], Context>({
  docs: {
    brief: "Writes every layer's configuration",
    fullDescription:
      "The tree is written as a whole or not at all. Files in it that trivet did not write, or that were changed since, are not overwritten unless --force is given.",
  },
  parameters: {
    flags: {
      out: {
        kind: "parsed",
        parse: String,
        brief: "The folder to write to",
        placeholder: "folder",
        default: "rendered",
      },
      force: { kind: "boolean", brief: "Overwrite files that trivet did not write", default: false },
      json: jsonFlag,
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "The cluster's file", parse: String, placeholder: "file", default: "cluster.yaml" }],
    },
  },
  async func({ json, out, force }, path) {
    const [{ readCluster }, { openSecrets, renderCluster, writeTree }] = await Promise.all([
      import("@trivet/spec"),
      import("@trivet/render"),
    ]);
    const cluster = readCluster(path);
    const secret = await openSecrets(cluster, dirname(path), this.process.env);
    const report = writeTree(renderCluster(cluster, { source: basename(path), secret }), out, { force });
    if (json) return this.printJson(report);
    for (const file of report.written) this.print(`${this.paint("green", "written")}  ${file}`);
    for (const file of report.removed) this.print(`${this.paint("yellow", "removed")}  ${file}`);
    this.print(
      `${out}: ${report.written.length} written, ${report.unchanged.length} unchanged, ${report.removed.length} removed`,
    );
    return undefined;
  },
});
