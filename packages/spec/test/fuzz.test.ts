import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDiagnostic, loadCluster } from "@trivet/spec";

const BASE = readFileSync(new URL("fixtures/base.yaml", import.meta.url), "utf8");
const LINES = BASE.split("\n");

/** Loading never throws, and what it says of broken text has a place and a remedy and can be printed. */
function survives(text: string): void {
  const result = loadCluster("cluster.yaml", { read: () => text, list: () => [] });
  for (const each of result.diagnostics) {
    expect(each.line).toBeGreaterThan(0);
    expect(each.column).toBeGreaterThan(0);
    expect(each.line).toBeLessThanOrEqual(text.split("\n").length + 1);
    expect(each.remedy).not.toBe("");
    expect(formatDiagnostic(each)).not.toMatch(/undefined|\[object|NaN/);
  }
  if (!result.ok) expect(result.diagnostics.length).toBeGreaterThan(0);
}

describe("no text, however broken, does more than be refused", () => {
  it("the fixture with lines dropped, doubled, moved and indented", () => {
    const line = fc.nat(LINES.length - 1);
    const edit = fc.record({ at: line, to: line, how: fc.constantFrom("drop", "double", "move", "indent", "outdent") });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const lines = [...LINES];
        for (const { at, to, how } of edits) {
          const text = lines[at] ?? "";
          if (how === "drop") lines.splice(at, 1);
          if (how === "double") lines.splice(to, 0, text);
          if (how === "move") lines.splice(to, 0, ...lines.splice(at, 1));
          if (how === "indent") lines[at] = `  ${text}`;
          if (how === "outdent") lines[at] = text.replace(/^ {2}/, "");
        }
        survives(lines.join("\n"));
      }),
      { numRuns: 150 },
    );
  });

  it("the fixture with any value in place of another", () => {
    const spots = [...BASE.matchAll(/(?<=[:,[] )[^\s{}[\],]+|\{\}/g)].map(({ index, 0: word }) => ({
      index,
      length: word.length,
    }));
    const value = fc.constantFrom(
      "",
      "null",
      "~",
      "-1",
      "0",
      "1e999",
      ".nan",
      "[]",
      "{}",
      "[[]]",
      "{a: {}}",
      "true",
      '"\\u0000"',
      "::",
      "::/0",
      "0.0.0.0/0",
      "fe80::1",
      "ff02::1",
      "2001:db8::/129",
      "256.1.1.1",
      "9".repeat(40),
      "x".repeat(300),
      "../../etc/passwd",
      "__proto__",
      "constructor",
      "!!binary x",
      "&a *a",
      "|",
      ">",
      "?",
      "-",
    );
    fc.assert(
      fc.property(fc.constantFrom(...spots), value, (spot, text) => {
        survives(BASE.slice(0, spot.index) + text + BASE.slice(spot.index + spot.length));
      }),
      { numRuns: 300 },
    );
  });

  it("the fixture with stray characters, and cut anywhere", () => {
    const stray = fc.constantFrom(
      "\0",
      "\t",
      "\r",
      "\x1b",
      "{",
      "}",
      "[",
      "]",
      ":",
      "&",
      "*",
      "!",
      "|",
      ">",
      "%",
      "@",
      "`",
      '"',
      "'",
      "#",
      "-",
      "?",
      ",",
      "\u2028",
      "\ud800",
      "\uFEFF",
    );
    fc.assert(
      fc.property(fc.nat(BASE.length), stray, fc.nat(BASE.length), (at, text, end) => {
        survives((BASE.slice(0, at) + text + BASE.slice(at)).slice(0, Math.max(end, at + 1)));
      }),
      { numRuns: 200 },
    );
  });

  it("any text at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => survives(text)),
      { numRuns: 200 },
    );
  });
});
