import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { toYaml } from "../src/yaml.ts";

describe("values as YAML", () => {
  it("are read back as they were, by YAML 1.1 and 1.2, whatever they hold", () => {
    const tricky = fc.constantFrom(
      "",
      " ",
      "yes",
      "No",
      "~",
      "null",
      "-",
      "- a",
      "?",
      "a: b",
      "a:",
      "a #b",
      "#a",
      "*a",
      "&a",
      "!a",
      "%a",
      "@a",
      "`a",
      "1",
      "1.5",
      "-0",
      "1e3",
      "0x1f",
      "0o17",
      "1_000",
      "12:30",
      "52:54:00:12:34:56",
      "2026-01-01",
      ".inf",
      "<<",
      "=",
      "[a]",
      "{a: b}",
      "a]",
      "'a'",
      '"',
      "a\\b",
      "a\nb",
      "\ta",
      "a ",
      "é",
      "\u2028",
      "\x7f",
      "\x85",
      "---",
      "...",
      "|",
      ">",
    );
    const scalar = fc.oneof(tricky, fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("value"), { maxLength: 4 }), tie("map")),
      map: fc.dictionary(
        fc.oneof(tricky, fc.string()).filter((key) => key !== "__proto__"),
        tie("value"),
        { maxKeys: 4 },
      ),
    }));
    fc.assert(
      fc.property(value, (each) => {
        const text = toYaml(each as never);
        for (const version of ["1.1", "1.2"] as const)
          expect(parse(text, { version, merge: false, uniqueKeys: false }), text).toEqual(each);
      }),
      { numRuns: 500 },
    );
  });

  it("read as people write them", () => {
    expect(
      toYaml({
        bonds: { b: { interfaces: ["eno1", "eno2"], parameters: { mode: "802.3ad" } }, none: {} },
        routes: [{ to: "2001:db8::1/128", via: "fe80::1" }],
        macaddress: "52:54:00:12:34:56",
        empty: [],
        left: undefined,
      }),
    ).toBe(`bonds:
  b:
    interfaces:
      - eno1
      - eno2
    parameters:
      mode: 802.3ad
  none: {}
routes:
  - to: 2001:db8::1/128
    via: fe80::1
macaddress: "52:54:00:12:34:56"
empty: []
`);
  });
});
