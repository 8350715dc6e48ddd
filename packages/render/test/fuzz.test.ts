import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { audit, whatIf } from "@trivet/audit";
import { loadCluster } from "@trivet/spec";
import { render } from "./support.ts";

const BASE = readFileSync(new URL("../../spec/test/fixtures/base.yaml", import.meta.url), "utf8");

describe("whatever passes the check", () => {
  it("can be rendered, audited and asked what if", () => {
    const lines = BASE.split("\n");
    let passed = 0;
    // Dropping a line, or a key with its value, often leaves a cluster that is still good, and unlike any example.
    const drops = fc.uniqueArray(fc.nat(lines.length - 1), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(drops, fc.boolean(), (at, whole) => {
        const text = whole
          ? lines.filter((_, index) => !at.includes(index)).join("\n")
          : lines
              .map((line, index) =>
                at.includes(index) ? line.replace(/(?<=[{,] ?)\w+: (\[[^\]]*\]|[^,{}[\]]+)(, )?/, "") : line,
              )
              .join("\n");
        const loaded = loadCluster("cluster.yaml", { read: () => text, list: () => [] });
        if (!loaded.ok) return;
        passed++;
        const files = render(loaded.cluster);
        expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
        for (const file of files) expect(file.text, file.path).not.toMatch(/undefined|\[object Object\]|NaN/);
        for (const { path } of audit(loaded.cluster)) expect(loaded.locate(path).line).toBeGreaterThan(0);
        if (passed % 10 === 0) whatIf(loaded.cluster);
      }),
      { numRuns: 150 },
    );
    expect(passed).toBeGreaterThan(10);
  });
});
