import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordError, WireError } from "../src/error.ts";
import { Name } from "../src/wire/name.ts";
import { anyName } from "./arbitrary.ts";

describe("domain names (RFC 1035 §3.1, §5.1)", () => {
  test("relative names are completed with the origin, complete ones are not", () => {
    const origin = Name.parse("example.org.");
    expect(Name.parse("www", origin).toString()).toBe("www.example.org.");
    expect(Name.parse("www.", origin).toString()).toBe("www.");
  });

  test.each([
    [String.raw`a\.b.example.`, [3, 0x61, 0x2e, 0x62]],
    [String.raw`\000\255.example.`, [2, 0, 255]],
    [String.raw`a\\b.example.`, [3, 0x61, 0x5c, 0x62]],
  ])("%s has the octets it says, and is written the same way again", (text, label) => {
    const name = Name.parse(text);
    expect([...name.wire.subarray(0, label.length)]).toEqual(label);
    expect(name.toString()).toBe(text);
  });

  test.each([
    ["", "is no domain name"],
    ["a..b.", "has an empty label"],
    [".a.", "has an empty label"],
    [`${"a".repeat(64)}.`, "more than 63 octets"],
    ["a.".repeat(128), "longer than 255 octets"],
    ["höst.example.", "outside printable ASCII"],
    [String.raw`a\256.`, "over 255"],
    ["a\\", "no escape"],
  ])("%j is refused", (text, problem) => {
    expect(() => Name.parse(text)).toThrow(RecordError);
    expect(() => Name.parse(text)).toThrow(problem);
  });

  test("63-octet labels and 255-octet names are the limit", () => {
    const label = "a".repeat(63);
    expect(Name.parse(`${label}.${label}.${label}.${"a".repeat(61)}.`).wire.length).toBe(255);
    expect(() => Name.parse(`${label}.${label}.${label}.${"a".repeat(62)}.`)).toThrow("longer than 255 octets");
  });

  test("any octets survive text and back", () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(Name.parse(name.toString()).wire).toEqual(name.wire);
      }),
    );
  });
});

describe("comparing names (RFC 4343, RFC 4034 §6.1)", () => {
  test("case does not matter, but is kept", () => {
    const name = Name.parse("WwW.Example.ORG.");
    expect(name.equals(Name.parse("www.example.org."))).toBe(true);
    expect(name.toString()).toBe("WwW.Example.ORG.");
  });

  test("only ASCII letters have case", () => {
    expect(Name.parse(String.raw`\192.`).equals(Name.parse(String.raw`\224.`))).toBe(false);
  });

  test("the order of RFC 4034 §6.1", () => {
    const ordered = [
      "example.",
      "a.example.",
      "yljkjljk.a.example.",
      "Z.a.example.",
      "zABC.a.EXAMPLE.",
      "z.example.",
      String.raw`\001.z.example.`,
      "*.z.example.",
      String.raw`\200.z.example.`,
    ].map((text) => Name.parse(text));
    expect([...ordered].reverse().sort((a, b) => a.compare(b))).toEqual(ordered);
  });

  test("being below a name goes by labels, not by octets", () => {
    const org = Name.parse("example.org.");
    expect(Name.parse("a.Example.org.").isAtOrBelow(org)).toBe(true);
    expect(org.isAtOrBelow(org)).toBe(true);
    expect(Name.parse("notexample.org.").isAtOrBelow(org)).toBe(false);
    expect(Name.parse(String.raw`x\007example.org.`).isAtOrBelow(org)).toBe(false);
  });
});

describe("compression (RFC 1035 §4.1.4)", () => {
  test("a pointer leads to an earlier name", () => {
    const bytes = Uint8Array.of(1, 0x61, 0, 1, 0x62, 0xc0, 0);
    expect(Name.readFrom(bytes, 3)).toEqual({ name: Name.parse("b.a."), end: 7 });
  });

  test.each([
    ["to itself", [0xc0, 0]],
    ["forward", [0xc0, 2, 0]],
    ["in a circle", [1, 0x61, 0xc0, 4, 1, 0x62, 0xc0, 0]],
    ["past the end", [0xc0]],
  ])("a pointer %s is an error", (_, octets) => {
    expect(() => Name.readFrom(Uint8Array.from(octets), octets.length > 4 ? 4 : 0)).toThrow(WireError);
  });

  test.each([0x40, 0x80])("label type %i is an error (RFC 6891 §5)", (type) => {
    expect(() => Name.readFrom(Uint8Array.of(type, 0, 0), 0)).toThrow("unknown kind");
  });

  test("names that grow beyond 255 octets through pointers are an error", () => {
    const octets: number[] = [];
    for (let i = 0; i < 5; i++) {
      const at = octets.length;
      octets.push(60, ...Array.from({ length: 60 }, () => 0x61));
      octets.push(...(i === 0 ? [0] : [0xc0, at - (i === 1 ? 62 : 63)]));
    }
    expect(() => Name.readFrom(Uint8Array.from(octets), octets.length - 63)).toThrow("longer than 255");
  });
});
