import { describe, expect, test } from "vitest";
import { catalogRecords } from "../src/catalog/catalog.ts";
import { Name } from "../src/wire/name.ts";
import { recordText } from "../src/wire/record.ts";
import { Zone } from "../src/zone/zone.ts";

const origin = Name.parse("catalog.invalid.");
const members = [{ zone: Name.parse("a.example."), group: "lan" }, { zone: Name.parse("b.example.") }];

describe("RFC 9432: catalog zones", () => {
  const records = catalogRecords({ origin, serial: 3, members });

  test("version 2, and a PTR record for each zone, with its group", () => {
    const texts = records.map(recordText);
    expect(texts[0]).toBe("catalog.invalid. 0 IN SOA invalid. invalid. 3 3600 60 2419200 0");
    expect(texts).toContain("catalog.invalid. 0 IN NS invalid.");
    expect(texts).toContain('version.catalog.invalid. 0 IN TXT "2"');
    const pointers = texts.filter((text) => text.includes(" PTR "));
    expect(pointers.map((text) => text.split(" ").at(-1))).toEqual(["a.example.", "b.example."]);
    const [first = ""] = pointers;
    expect(first).toMatch(/^[0-9a-f]{32}\.zones\.catalog\.invalid\. /);
    expect(texts).toContain(`group.${first.split(" ")[0]} 0 IN TXT "lan"`);
    expect(Zone.build(origin, records).serial).toBe(3);
  });

  test("a member's label depends on its name only, not on its case (§4.1)", () => {
    const again = catalogRecords({ origin, serial: 9, members: [{ zone: Name.parse("B.Example.") }] });
    expect(again.at(-1)?.name.equals(records.at(-1)?.name ?? origin)).toBe(true);
  });
});
