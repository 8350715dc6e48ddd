import { describe, expect, test } from "vitest";
import type { UpdateProblem, WireContext } from "../../src/wire/index.ts";
import {
  AS_PATH,
  MANDATORY,
  NEXT_HOP,
  NLRI,
  ORIGIN,
  type UpdateParts,
  attribute,
  extendedNextHop,
  external,
  fault,
  frame,
  hex,
  internal,
  prefixes,
  readOne,
  readUpdateParts,
  twoOctet,
  updateBytes,
} from "./bytes.ts";

const ROUTE = prefixes("198.51.100.0/24");
const HOP6 = "20010db8000000000000000000000001";
const reach = (value: string): string => attribute(0x80, 14, value.replaceAll(" ", ""));
const unreach = (value: string): string => attribute(0x80, 15, value.replaceAll(" ", ""));

/** The announced route is gone, and `attribute` is why. */
function isWithdrawn(attributes: string, type: number, context?: WireContext): void {
  const message = readUpdateParts({ attributes, nlri: NLRI }, context);
  expect(message).toMatchObject({ withdrawn: ROUTE, announced: [] });
  expect(message).not.toHaveProperty("attributes");
  expect(message.problems).toContainEqual(problem("treat-as-withdraw", type));
}

/** The route stays, without the attribute. */
function isDiscarded(attributes: string, type: number, key: string, context?: WireContext): void {
  const message = readUpdateParts({ attributes, nlri: NLRI }, context);
  expect(message).toMatchObject({ withdrawn: [], announced: [{ prefixes: ROUTE }] });
  expect(message.attributes).not.toHaveProperty(key);
  expect(message.problems).toEqual([problem("attribute-discard", type)]);
}

function problem(action: UpdateProblem["action"], type: number): unknown {
  return { action, attribute: type, reason: expect.stringMatching(/RFC \d{4} §/) as string };
}

function resets(parts: UpdateParts, context?: WireContext): [number, number, string] {
  return fault(() => readUpdateParts(parts, context));
}

describe("RFC 7606 §3 the message", () => {
  test("b: lengths that exceed the message's: session reset, Malformed Attribute List", () => {
    const frames = ["0005 0000", "0000 0001", "0001 1800", "ffff ffff"];
    for (const body of frames) expect(fault(() => readOne(frame(2, hex(body))))).toEqual([3, 1, ""]);
  });

  test.each([
    ["ORIGIN said to be optional", attribute(0xc0, 1, "00") + AS_PATH + NEXT_HOP, 1],
    ["AS_PATH said not to be transitive", ORIGIN + attribute(0x00, 2, "") + NEXT_HOP, 2],
    ["MULTI_EXIT_DISC said to be transitive", MANDATORY + attribute(0xc0, 4, "00000001"), 4],
    ["COMMUNITIES said not to be transitive", MANDATORY + attribute(0x80, 8, "00000001"), 8],
    ["ATOMIC_AGGREGATE said to be optional", MANDATORY + attribute(0xc0, 6, ""), 6],
  ])("c: flags that are wrong, %s: treat-as-withdraw", (_, attributes, type) => {
    isWithdrawn(attributes, type);
  });

  test("c: the partial bit does not count", () => {
    expect(
      readUpdateParts({ attributes: attribute(0x60, 1, "00") + AS_PATH + NEXT_HOP, nlri: NLRI }),
    ).not.toHaveProperty("problems");
  });

  test.each([
    ["ORIGIN", AS_PATH + NEXT_HOP, 1],
    ["AS_PATH", ORIGIN + NEXT_HOP, 2],
    ["NEXT_HOP, with IPv4 prefixes", ORIGIN + AS_PATH, 3],
    ["all", "", 1],
  ])("d: %s is missing: treat-as-withdraw", (_, attributes, type) => {
    isWithdrawn(attributes, type);
  });

  test("d: MP_REACH_NLRI needs no NEXT_HOP, but ORIGIN and AS_PATH", () => {
    const ipv6 = reach(`000201 10 ${HOP6} 00 20 20010db8`);
    expect(readUpdateParts({ attributes: ipv6 + ORIGIN + AS_PATH })).not.toHaveProperty("problems");
    expect(readUpdateParts({ attributes: ipv6 + ORIGIN })).toMatchObject({
      withdrawn: prefixes("2001:db8::/32"),
      announced: [],
    });
  });

  test("RFC 4271 §6.3: a well-known attribute that is not known: session reset, with the attribute", () => {
    const unknown = attribute(0x40, 99, "00");
    expect(resets({ attributes: MANDATORY + unknown, nlri: NLRI })).toEqual([3, 2, unknown]);
  });

  test("g: MP_REACH_NLRI or MP_UNREACH_NLRI twice: session reset, Malformed Attribute List", () => {
    const one = reach(`000201 10 ${HOP6} 00`);
    expect(resets({ attributes: one + one + ORIGIN + AS_PATH })).toEqual([3, 1, ""]);
    expect(resets({ attributes: unreach("000201") + unreach("000201") })).toEqual([3, 1, ""]);
  });

  test.each([
    ["ORIGIN", attribute(0x40, 1, "02"), 1],
    ["one not known here", attribute(0xc0, 99, "02"), 99],
    ["a malformed one", attribute(0x40, 1, ""), 1],
  ])("g: any other twice, %s: the first counts", (_, again, type) => {
    const attributes = MANDATORY + attribute(0xc0, 99, "01") + again;
    const message = readUpdateParts({ attributes, nlri: NLRI });
    expect(message).toMatchObject({
      announced: [{ prefixes: ROUTE }],
      attributes: { origin: "igp", unknown: [{ type: 99, value: Uint8Array.of(1) }] },
    });
    expect(message.problems).toEqual([problem("attribute-discard", type)]);
  });

  test("g: a thousand times is one problem", () => {
    const message = readUpdateParts({ attributes: MANDATORY + attribute(0x40, 1, "00").repeat(900), nlri: NLRI });
    expect(message.problems).toEqual([problem("attribute-discard", 1)]);
  });

  test("h: of several faults the strongest counts", () => {
    const discard = attribute(0x40, 6, "00");
    const withdraw = attribute(0x80, 4, "00");
    isWithdrawn(MANDATORY + discard + withdraw, 4);
    isWithdrawn(MANDATORY + withdraw + discard, 4);
    expect(resets({ attributes: MANDATORY + withdraw + unreach("00"), nlri: NLRI })[1]).toBe(9);
  });
});

describe("RFC 7606 §4 attribute lengths", () => {
  test.each([
    ["the last attribute runs past the end", MANDATORY + "800405000000"],
    ["two octets are left", MANDATORY + "8004"],
    ["one octet is left", MANDATORY + "80"],
    ["three octets are left of an extended one", MANDATORY + "900400"],
    ["the very first runs past the end", "4001ff00"],
  ])("%s: treat-as-withdraw, and the prefixes are found by the total length", (_, attributes) => {
    const message = readUpdateParts({ attributes, nlri: NLRI });
    expect(message).toMatchObject({ withdrawn: ROUTE, announced: [] });
    expect(message.problems?.[0]).toMatchObject({ action: "treat-as-withdraw" });
  });

  test.each([1, 3, 4, 8, 16, 32, 35])("attribute %i without a value: treat-as-withdraw", (type) => {
    const flags = type === 1 || type === 3 ? 0x40 : type === 4 ? 0x80 : 0xc0;
    const others = [ORIGIN, AS_PATH, NEXT_HOP].filter((text) => text !== { 1: ORIGIN, 3: NEXT_HOP }[type]).join("");
    isWithdrawn(others + attribute(flags, type, ""), type);
  });
});

describe("RFC 7606 §5 prefixes", () => {
  test.each([
    ["an IPv4 prefix of 33 bits", { attributes: MANDATORY, nlri: "21c633640000" }, [3, 10, ""]],
    ["an IPv4 prefix cut short", { attributes: MANDATORY, nlri: "18c633" }, [3, 10, ""]],
    ["a withdrawn prefix of 255 bits", { withdrawn: "ff00" }, [3, 10, ""]],
    ["a withdrawn prefix cut short", { withdrawn: "20c63364" }, [3, 10, ""]],
  ] satisfies [string, UpdateParts, unknown][])("§5.3 %s: session reset", (_, parts, expected) => {
    expect(resets(parts)).toEqual(expected);
  });

  test.each([
    ["MP_REACH_NLRI of 4 octets", reach("00020100")],
    ["MP_REACH_NLRI with a prefix of 129 bits", reach(`000201 10 ${HOP6} 00 81 ${HOP6} 00`)],
    ["MP_REACH_NLRI with a prefix cut short", reach(`000201 10 ${HOP6} 00 40 20010db8`)],
    ["§7.11 an IPv6 next hop of 4 octets", reach("000201 04 c0000201 00")],
    ["§7.11 an IPv6 next hop of 24 octets", reach(`000201 18 ${HOP6} 0000000000000000 00`)],
    ["§7.11 a next hop longer than the attribute", reach(`000201 20 ${HOP6} 00`)],
    ["§7.11 an IPv6 next hop for IPv4, not agreed on", reach(`000101 10 ${HOP6} 00 ${NLRI}`)],
    ["MP_UNREACH_NLRI of 2 octets", unreach("0002")],
    ["MP_UNREACH_NLRI with a prefix of 129 bits", unreach(`000201 81 ${HOP6} 00`)],
    ["MP_UNREACH_NLRI with a prefix cut short", unreach("000201 20 2001")],
  ])("§5.3 %s: session reset, Optional Attribute Error, with the attribute", (_, bad) => {
    expect(resets({ attributes: ORIGIN + AS_PATH + bad })).toEqual([3, 9, bad]);
  });

  test.each([
    ["MP_REACH_NLRI", attribute(0xc0, 14, `00020110${HOP6}00`)],
    ["MP_UNREACH_NLRI", attribute(0x40, 15, "000201")],
  ])("§5.3 %s with wrong flags: session reset", (_, bad) => {
    expect(resets({ attributes: ORIGIN + AS_PATH + bad })).toEqual([3, 4, bad]);
  });

  test("§5.2: a fault in an UPDATE that announces nothing: session reset, as its prefixes may be in what was not understood", () => {
    const med = attribute(0x80, 4, "00");
    expect(resets({ withdrawn: NLRI, attributes: ORIGIN + med })).toEqual([3, 5, med]);
    expect(resets({ attributes: unreach("000201 20 20010db8") + med })).toEqual([3, 5, med]);
    expect(resets({ attributes: "900e00" })).toEqual([3, 1, "900e00"]);
    expect(resets({ attributes: unreach("000201") + "80" })).toEqual([3, 1, "80"]);
  });

  test("§5.2: unless the fault is only an attribute to discard", () => {
    const message = readUpdateParts({ withdrawn: NLRI, attributes: attribute(0x40, 6, "00") });
    expect(message).toMatchObject({ withdrawn: ROUTE, problems: [{ action: "attribute-discard" }] });
  });

  test("a route of both families is withdrawn in both", () => {
    const attributes = ORIGIN + NEXT_HOP + reach(`000201 10 ${HOP6} 00 20 20010db8`);
    expect(readUpdateParts({ attributes, nlri: NLRI })).toMatchObject({
      withdrawn: prefixes("198.51.100.0/24", "2001:db8::/32"),
      announced: [],
    });
  });
});

describe("RFC 7606 §6 for whoever looks into it", () => {
  test("the whole message comes with its problems, and only then", () => {
    const bytes = updateBytes({ attributes: MANDATORY + attribute(0x80, 4, "00"), nlri: NLRI });
    expect(readOne(bytes)).toMatchObject({ octets: bytes, withdrawn: ROUTE });
    expect(readUpdateParts({ attributes: MANDATORY, nlri: NLRI })).not.toHaveProperty("octets");
  });
});

describe("RFC 7606 §7 attribute by attribute", () => {
  test.each([
    ["7.1 ORIGIN of 2 octets", attribute(0x40, 1, "0000") + AS_PATH + NEXT_HOP, 1],
    ["7.1 ORIGIN 3", attribute(0x40, 1, "03") + AS_PATH + NEXT_HOP, 1],
    ["7.2 AS_PATH with segment type 5", ORIGIN + attribute(0x40, 2, "05010000fbf0") + NEXT_HOP, 2],
    ["7.2 AS_PATH with segment type 0", ORIGIN + attribute(0x40, 2, "00010000fbf0") + NEXT_HOP, 2],
    ["7.2 AS_PATH segment overrun", ORIGIN + attribute(0x40, 2, "02020000fbf0") + NEXT_HOP, 2],
    ["7.2 AS_PATH segment underrun", ORIGIN + attribute(0x40, 2, "02010000fbf002") + NEXT_HOP, 2],
    ["7.2 AS_PATH empty segment", ORIGIN + attribute(0x40, 2, "0200") + NEXT_HOP, 2],
    ["RFC 7607 AS 0 in AS_PATH", ORIGIN + attribute(0x40, 2, "020100000000") + NEXT_HOP, 2],
    ["7.3 NEXT_HOP of 5 octets", ORIGIN + AS_PATH + attribute(0x40, 3, "c000020100"), 3],
    ["7.3 NEXT_HOP 0.0.0.0", ORIGIN + AS_PATH + attribute(0x40, 3, "00000000"), 3],
    ["7.3 NEXT_HOP multicast", ORIGIN + AS_PATH + attribute(0x40, 3, "e0000001"), 3],
    ["7.3 NEXT_HOP 255.255.255.255", ORIGIN + AS_PATH + attribute(0x40, 3, "ffffffff"), 3],
    ["7.4 MULTI_EXIT_DISC of 3 octets", MANDATORY + attribute(0x80, 4, "000000"), 4],
    ["7.8 COMMUNITIES of 6 octets", MANDATORY + attribute(0xc0, 8, "000000000000"), 8],
    ["7.14 EXTENDED COMMUNITIES of 12 octets", MANDATORY + attribute(0xc0, 16, "00".repeat(12)), 16],
    ["RFC 8092 §6 LARGE_COMMUNITY of 8 octets", MANDATORY + attribute(0xc0, 32, "00".repeat(8)), 32],
    ["RFC 9234 §5 ONLY_TO_CUSTOMER of 2 octets", MANDATORY + attribute(0xc0, 35, "fbf0"), 35],
  ])("§%s: treat-as-withdraw", (_, attributes, type) => {
    isWithdrawn(attributes, type);
  });

  test.each([
    ["7.5 LOCAL_PREF of 5 octets", attribute(0x40, 5, "0000000000"), 5],
    ["7.9 ORIGINATOR_ID of 3 octets", attribute(0x80, 9, "c00002"), 9],
    ["7.10 CLUSTER_LIST of 6 octets", attribute(0x80, 10, "c00002010000"), 10],
    ["7.10 CLUSTER_LIST without a value", attribute(0x80, 10, ""), 10],
  ])("§%s, from an internal peer: treat-as-withdraw", (_, bad, type) => {
    isWithdrawn(MANDATORY + bad, type, internal);
  });

  test.each([
    ["7.5 LOCAL_PREF", attribute(0x40, 5, "00000064"), 5, "localPref"],
    ["7.5 LOCAL_PREF, even malformed", attribute(0x40, 5, "00"), 5, "localPref"],
    ["7.9 ORIGINATOR_ID", attribute(0x80, 9, "c0000201"), 9, "originatorId"],
    ["7.10 CLUSTER_LIST", attribute(0x80, 10, "c0000201"), 10, "clusterList"],
  ])("§%s, from an external peer: attribute discard", (_, bad, type, key) => {
    isDiscarded(MANDATORY + bad, type, key, external);
  });

  test.each([
    ["7.6 ATOMIC_AGGREGATE with a value", attribute(0x40, 6, "00"), 6, "atomicAggregate", external],
    [
      "7.7 AGGREGATOR of 6 octets, where AS numbers have 4",
      attribute(0xc0, 7, "fbf0c0000209"),
      7,
      "aggregator",
      external,
    ],
    ["RFC 7607 AGGREGATOR of AS 0", attribute(0xc0, 7, "00000000c0000209"), 7, "aggregator", external],
  ])("§%s: attribute discard", (_, bad, type, key, context) => {
    isDiscarded(MANDATORY + bad, type, key, context);
  });

  test("§7.7 AGGREGATOR of 8 octets, where AS numbers have 2: attribute discard", () => {
    const old = ORIGIN + attribute(0x40, 2, "0201fbf0") + NEXT_HOP;
    isDiscarded(old + attribute(0xc0, 7, "0000fbf0c0000209"), 7, "aggregator", twoOctet);
  });

  test("§7.11 an unusable IPv6 next hop is a route's fault, not the session's", () => {
    const attributes = ORIGIN + AS_PATH + reach(`000201 10 ff${"00".repeat(14)}01 00 20 20010db8`);
    expect(readUpdateParts({ attributes })).toMatchObject({ withdrawn: prefixes("2001:db8::/32"), announced: [] });
  });

  test("RFC 8950 §3: IPv4 next hops of 4, 16 and 32 octets, where agreed on", () => {
    for (const [length, hop] of [
      ["04", "c0000201"],
      ["10", HOP6],
      ["20", HOP6 + HOP6],
    ])
      expect(
        readUpdateParts(
          { attributes: ORIGIN + AS_PATH + reach(`000101 ${length} ${hop} 00 ${NLRI}`) },
          extendedNextHop,
        ),
      ).toMatchObject({ announced: [{ prefixes: ROUTE }] });
  });
});
