import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZoneFileError } from "../src/error.ts";
import { Name } from "../src/wire/name.ts";
import { recordText } from "../src/wire/record.ts";
import { Zone } from "../src/zone/zone.ts";
import { readZoneFile } from "../src/zonefile/reader.ts";
import { writeZoneFile } from "../src/zonefile/writer.ts";
import { anyName } from "./arbitrary.ts";

const origin = Name.parse("example.org.");
const read = (text: string): string[] => [...readZoneFile(text, { origin, path: "x.zone" })].map(recordText);

describe("RFC 1035 §5: zone files", () => {
  test("the example of §5.3, with parentheses, comments and names left out", () => {
    const text = `
@   IN  SOA     VENERA      Action\\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VENERA
        MX      10      VENERA
A       A       26.3.0.103
VENERA  A       10.1.0.52
        A       128.9.0.32
`;
    expect(read(text)).toEqual([
      String.raw`example.org. 60 IN SOA VENERA.example.org. Action\.domains.example.org. 20 7200 600 3600000 60`,
      "example.org. 60 IN NS A.ISI.EDU.",
      "example.org. 60 IN NS VENERA.example.org.",
      "example.org. 60 IN MX 10 VENERA.example.org.",
      "A.example.org. 60 IN A 26.3.0.103",
      "VENERA.example.org. 60 IN A 10.1.0.52",
      "VENERA.example.org. 60 IN A 128.9.0.32",
    ]);
  });

  test("TTL and class in either order, units, $TTL and $ORIGIN (RFC 2308 §4)", () => {
    expect(
      read(
        "$TTL 1h\na IN 5m A 192.0.2.1\nb 1w2d IN A 192.0.2.2\nc A 192.0.2.3\n$ORIGIN sub\nd 7 CLASS1 TYPE1 192.0.2.4\n@ A 192.0.2.5\n",
      ),
    ).toEqual([
      "a.example.org. 300 IN A 192.0.2.1",
      "b.example.org. 777600 IN A 192.0.2.2",
      "c.example.org. 3600 IN A 192.0.2.3",
      "d.sub.example.org. 7 IN A 192.0.2.4",
      "sub.example.org. 3600 IN A 192.0.2.5",
    ]);
  });

  test("quotes, escapes, and a semicolon that is none", () => {
    expect(read(String.raw`a 1 TXT "one ; two" three\;four "q\"\065" ; comment`)).toEqual([
      String.raw`a.example.org. 1 IN TXT "one ; two" "three;four" "q\"A"`,
    ]);
  });

  test("a line may end without a newline, or with CR LF", () => {
    expect(read("a 1 A 192.0.2.1\r\nb 1 A 192.0.2.2")).toHaveLength(2);
  });

  test("a name may look like a type, a number or a class", () => {
    expect(read("a 1 A 192.0.2.1\nin 1 A 192.0.2.1\n300 1 PTR a\n")).toEqual([
      "a.example.org. 1 IN A 192.0.2.1",
      "in.example.org. 1 IN A 192.0.2.1",
      "300.example.org. 1 IN PTR a.example.org.",
    ]);
  });

  test("parameters with quoted values are one word (RFC 9460 §2.1)", () => {
    expect(read('a 1 HTTPS 1 . alpn="h2,h3" key667="a b"')).toEqual([
      'a.example.org. 1 IN HTTPS 1 . alpn="h2,h3" key667="a b"',
    ]);
  });

  test("$GENERATE", () => {
    expect(read("$GENERATE 8-12/2 h${0,3,d} 60 A 192.0.2.$\n$GENERATE 10-10 x${-6,2,x} 60 CNAME h$\n")).toEqual([
      "h008.example.org. 60 IN A 192.0.2.8",
      "h010.example.org. 60 IN A 192.0.2.10",
      "h012.example.org. 60 IN A 192.0.2.12",
      "x04.example.org. 60 IN CNAME h10.example.org.",
    ]);
  });

  test.each([
    ["a 1 A 192.0.2.1 (\n", "x.zone:1:17: a `(` that is never closed"],
    ["a 1 A )\n", "x.zone:1:7: a `)` without a `(`"],
    ['\na 1 TXT "open\n', "x.zone:2:9: a quote that is not closed"],
    ["a 1 A 192.0.2.300", 'x.zone:1:7: "192.0.2.300" is no IPv4 address'],
    ["a 1 BOGUS x", "x.zone:1:5: `BOGUS` is no record type"],
    ["a A 192.0.2.1", "x.zone:1:1: a record without a TTL"],
    ["  A 192.0.2.1", "x.zone:1:3: the first record has no name"],
    ["a 1 CH TXT x", "x.zone:1:5: class CH"],
    ["a 1 IN", "x.zone:1:1: a record without a type"],
    ["$INCLUDE other.zone", "x.zone:1:1: $INCLUDE is not supported"],
    ["$TTL", "x.zone:1:1: $TTL needs a value"],
    ["$GENERATE 5-1 a A 1", 'x.zone:1:11: "5-1" is no range'],
    ["$GENERATE 1-99999999 a A 1", "range of more than 65536 numbers"],
    ["a..b 1 A 192.0.2.1", 'x.zone:1:1: "a..b" has an empty label'],
  ])("%j is refused with line and column", (text, problem) => {
    expect(() => read(text)).toThrow(ZoneFileError);
    expect(() => read(text)).toThrow(problem);
  });
});

describe("writing zone files", () => {
  test("the SOA record first, then names in canonical order; read again they make the same zone", () => {
    const text =
      '@ 60 IN SOA ns admin 1 2 3 4 5\nz 60 A 192.0.2.1\na.b 60 TXT "x;y"\n@ 60 NS ns\nb 60 TYPE65280 \\# 2 abcd\n*.b 60 A 192.0.2.2\n';
    const zone = Zone.build(origin, readZoneFile(text, { origin }));
    const written = [...writeZoneFile(zone)].join("");
    expect(written.split("\n").map((line) => line.split(" ")[0])).toEqual([
      "example.org.",
      "example.org.",
      "b.example.org.",
      "*.b.example.org.",
      "a.b.example.org.",
      "z.example.org.",
      "",
    ]);
    const again = Zone.build(origin, readZoneFile(written, { origin }));
    expect([...again.records()].map(recordText).sort()).toEqual([...zone.records()].map(recordText).sort());
  });

  test("names and strings of any octets survive", () => {
    fc.assert(
      fc.property(anyName, fc.uint8Array({ maxLength: 255 }), (name, octets) => {
        const made = { name, type: 16, ttl: 1, rdata: Uint8Array.from([octets.length, ...octets]) };
        const [back] = readZoneFile(recordText(made), { origin: Name.root });
        expect(back).toEqual(made);
      }),
    );
  });
});
