import { describe, expect, it } from "vitest";
import * as z from "zod";
import { formatDiagnostic, loadYaml } from "@trivet/spec";

const schema = z.strictObject({
  name: z.string(),
  mtu: z.int().min(1280).max(65_535).optional(),
  mode: z.enum(["mesh", "switch"]).default("mesh"),
  servers: z.record(
    z.string().regex(/^[a-z]+$/, "is no name; use small letters"),
    z.strictObject({ memory: z.number() }),
  ),
  secret: z.union([z.strictObject({ file: z.string() }), z.strictObject({ env: z.string() })]).optional(),
  peers: z.array(z.strictObject({ address: z.string() })).optional(),
});

function load(text: string) {
  return loadYaml({ path: "cluster.yaml", text, schema });
}

function refused(text: string) {
  const result = load(text);
  if (result.ok) throw new Error("the text was accepted");
  return result.diagnostics;
}

/** Code, place and message of everything that is wrong with a text. */
function faults(text: string) {
  return refused(text).map((d) => `${d.line}:${d.column} ${d.code}: ${d.message}; ${d.remedy}`);
}

const GOOD = "name: hive\nservers:\n  abydos: {memory: 64}\n";

describe("a YAML file that fits its schema", () => {
  it("yields the value, with defaults, and the place of each part", () => {
    const result = load(GOOD);
    if (!result.ok) throw new Error("the text was refused");
    expect(result.value).toEqual({ name: "hive", mode: "mesh", servers: { abydos: { memory: 64 } } });
    expect(result.locate(["servers", "abydos", "memory"])).toMatchObject({ line: 3, column: 20, endColumn: 22 });
    expect(result.locate(["servers", "abydos", "memory"], true)).toMatchObject({ line: 3, column: 12, endColumn: 18 });
    expect(result.locate(["servers", "orilla", "memory"])).toMatchObject({ line: 2, column: 1 });
  });

  it("may use anchors and aliases, and a byte order mark", () => {
    const result = load("\uFEFFname: &n hive\nservers:\n  abydos: &s {memory: 64}\n  orilla: *s\n");
    expect(result).toMatchObject({ ok: true, value: { servers: { orilla: { memory: 64 } } } });
    if (result.ok) expect(result.locate(["servers", "orilla", "memory"])).toMatchObject({ line: 3 });
  });
});

describe("what is wrong is said in the file's words, at its place", () => {
  it.each([
    [
      "an unknown key, with the one that was meant",
      `${GOOD}mdoe: mesh\n`,
      '4:1 unknown-key: unknown key "mdoe"; did you mean mode?',
    ],
    [
      "an unknown key inside",
      "name: a\nservers:\n  abydos: {memory: 1, memroy: 2}\n",
      '3:23 unknown-key: unknown key "memroy" in servers.abydos; did you mean memory?',
    ],
    [
      "an unknown key like no other",
      `${GOOD}zebra: 1\n`,
      '4:1 unknown-key: unknown key "zebra"; remove it, or use mode, mtu, name, peers, secret or servers',
    ],
    ["a missing key", "servers: {}\n", '1:1 missing-key: "name" is missing; add name:'],
    [
      "a missing key inside",
      "name: a\nservers:\n  abydos: {}\n",
      '3:3 missing-key: "memory" is missing in servers.abydos; add memory:',
    ],
    ["a wrong type", "name: [a]\nservers: {}\n", '1:1 invalid-type: "name" must be text, but is a list; write text'],
    [
      "a value out of range",
      `${GOOD}mtu: 100\n`,
      '4:6 out-of-range: "mtu" is 100, but must be at least 1280; correct the value',
    ],
    [
      "a word that is none of the choices",
      `${GOOD}mode: mehs\n`,
      '4:7 invalid-value: "mode" is "mehs", but must be mesh or switch; write mesh',
    ],
    [
      "a bad name",
      "name: a\nservers:\n  Abydos: {memory: 1}\n",
      '3:3 invalid-name: "Abydos" is no name; use small letters',
    ],
    [
      "a wrong key in one branch of several",
      `${GOOD}secret: {flie: x}\n`,
      '4:10 unknown-key: unknown key "flie" in secret; did you mean file?',
    ],
    [
      "a scalar where branches are maps",
      `${GOOD}secret: hunter2\n`,
      '4:9 invalid-type: "secret" must be a map (KEY: VALUE lines), but is something else; write a map (KEY: VALUE lines)',
    ],
    [
      "an entry of a list",
      `${GOOD}peers:\n  - 5\n`,
      "5:5 invalid-type: entry 1 of peers must be a map (KEY: VALUE lines), but is 5; write a map (KEY: VALUE lines)",
    ],
    [
      "a key given twice",
      `${GOOD}name: other\n`,
      '4:1 duplicate-key: "name" is already given in line 1; keep one of the two',
    ],
    [
      "a key that is no word",
      "[a]: 1\n",
      "1:1 yaml-key: a key must be a plain word; write KEY: VALUE with a name as the key",
    ],
    [
      "a key that means something to JavaScript",
      "__proto__: 1\n",
      "1:1 yaml-key: a key must be a plain word; write KEY: VALUE with a name as the key",
    ],
    [
      "an alias without anchor",
      "name: *x\n",
      "1:7 yaml-alias: the alias *x names no anchor before it; write the value out",
    ],
    [
      "an alias inside its anchor",
      "name: &x [*x]\n",
      "1:11 yaml-alias: the alias *x stands inside its own anchor; write the value out",
    ],
    [
      "two documents",
      `${GOOD}---\n${GOOD}`,
      "4:1 yaml-documents: the file holds more than one YAML document; keep one, without --- between; use include: for more files",
    ],
    [
      "an empty file",
      "",
      "1:1 invalid-type: the file must be a map (KEY: VALUE lines), but is empty; write a map (KEY: VALUE lines)",
    ],
  ])("%s", (_, text, expected) => {
    expect(faults(text)).toEqual([expected]);
  });

  it("all of it at once, in the order of the file", () => {
    expect(faults("nmae: a\nmtu: big\nservers: {}\n").map((f) => f.split(":", 3).join(":"))).toEqual([
      '1:1 unknown-key: unknown key "nmae"; did you mean name?',
      '2:6 invalid-type: "mtu" must be a number, but is "big"; write a number',
    ]);
  });

  it("syntax errors and foreign tags", () => {
    expect(refused("name: [a\n")[0]).toMatchObject({ code: "yaml-syntax" });
    expect(refused("name: !!js/function 'x'\nservers: {}\n")[0]).toMatchObject({ code: "yaml-syntax", line: 1 });
  });
});

describe("a diagnostic as text", () => {
  it("shows the line, a caret under the fault, and the remedy", () => {
    const [first] = refused(`${GOOD}mdoe: mesh\n`);
    expect(formatDiagnostic(first!)).toBe(
      [
        'cluster.yaml:4:1: error: unknown key "mdoe" [unknown-key]',
        "  4 | mdoe: mesh",
        "    | ^^^^",
        "  = did you mean mode?",
      ].join("\n"),
    );
  });

  it("shows the middle of a long line", () => {
    const text = formatDiagnostic(
      refused(`{name: a, servers: {}, ${"#".padStart(200)}\n  peers: "${"x".repeat(300)}"}\n`)[0]!,
    );
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(200);
  });

  it("shows the part of a very long line that the fault is in", () => {
    const text = formatDiagnostic(refused(`{name: a, ${" ".repeat(5000)}servers: 7, mtu: 1500}`)[0]!);
    const [, line = "", carets = ""] = text.split("\n");
    expect(line).toMatch(/^ {2}1 \| … +servers: 7, mtu: 1500}$/);
    expect(line.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe("7");
  });

  it("puts the caret below the fault, whatever stands before it: tabs, wide and combining characters", () => {
    const caret = (text: string) => formatDiagnostic(refused(text)[0]!).split("\n")[2];
    expect(caret("{name: 名前, servers: 7}")).toBe(`    | ${" ".repeat(22)}^`);
    expect(caret("{name: é, servers: 7}")).toBe(`    | ${" ".repeat(19)}^`);
    expect(caret("{name:\ta, servers: 7}")).toBe(`    | ${" ".repeat(19)}^`);
  });

  it("of a file with Windows' line ends, or in no UTF-8", () => {
    expect(faults("name: a\r\nservers: 7\r\n")[0]).toContain("2:10 invalid-type");
    expect(faults("name: a\nservers: \uFFFD\uFFFD\n")).toEqual([
      "2:10 yaml-syntax: the file is no text in UTF-8; save it as UTF-8",
    ]);
    expect(faults("n\0a\0m\0e\0")[0]).toContain("1:2 yaml-syntax: the file is no text in UTF-8");
  });

  it("lets no control character of the file reach the terminal", () => {
    const [unknown] = refused("name: a\nservers: {}\nx\x9b31m: 1\n");
    expect(formatDiagnostic(unknown!, { colour: true })).not.toContain("\x9b");
    expect(formatDiagnostic(refused('name: a\nservers: {}\n"\\e]0;x": 1\n')[0]!)).not.toContain("\x1b");
    expect(formatDiagnostic(refused("name: a\nservers: {}\nx\x1b[31m: 1\n")[0]!)).not.toContain("\x1b");
  });
});

describe("hostile input is refused within a moment", () => {
  const deep = 100_000;
  it.each([
    ["a large file", `a: ${"x".repeat(50 * 1024 * 1024)}`, "file-too-large"],
    ["deep flow lists", "[".repeat(deep), "too-deep"],
    ["deep flow maps", "{a: ".repeat(deep), "too-deep"],
    ["deep block lists", "- ".repeat(deep), "too-deep"],
    ["deep complex keys", "? ".repeat(deep), "too-deep"],
    ["deep block maps", Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), "too-deep"],
    [
      "a billion laughs",
      `a0: &a0 x\n${Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`).join("\n")}`,
      "yaml-alias",
    ],
    ["tens of thousands of unknown keys", Array.from({ length: 30_000 }, (_, i) => `k${i}:`).join("\n"), "unknown-key"],
  ])("%s", (_, text, code) => {
    expect(refused(text).map((d) => d.code)).toContain(code);
  });
});
