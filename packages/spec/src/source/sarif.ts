import { relative } from "node:path";
import { DIAGNOSTICS } from "../codes.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** The diagnostics as SARIF 2.1.0, which code hosts show beside the lines. Paths are relative to `root`. */
export function toSarif(
  diagnostics: readonly Diagnostic[],
  { version, root }: { version: string; root: string },
): object {
  const codes = [...new Set(diagnostics.map(({ code }) => code))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "trivet",
            version,
            rules: codes.map((id) => ({
              id,
              shortDescription: { text: (DIAGNOSTICS as Record<string, string | undefined>)[id] ?? id },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map((each) => ({
          ruleId: each.code,
          ruleIndex: codes.indexOf(each.code),
          level: each.severity,
          message: { text: `${each.message}; ${each.remedy}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(relative(root, each.file).replaceAll("\\", "/")) },
                ...(each.line > 0 && {
                  region: {
                    startLine: each.line,
                    startColumn: each.column,
                    endLine: each.endLine,
                    endColumn: each.endColumn,
                  },
                }),
              },
            },
          ],
        })),
      },
    ],
  };
}
