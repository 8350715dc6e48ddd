import { describe, expect, test } from "vitest";
import { EncodeError } from "../../src/error.ts";
import {
  IPV4_UNICAST,
  IPV6_UNICAST,
  type PathAttributes,
  type UpdateMessage,
  type WireContext,
  encodeMessage,
} from "../../src/wire/index.ts";
import {
  AS_PATH,
  MANDATORY,
  NEXT_HOP,
  NLRI,
  ORIGIN,
  address,
  attribute,
  extendedNextHop,
  external,
  frame,
  hex,
  internal,
  prefixes,
  readOne,
  readUpdateParts,
  toHex,
  twoOctet,
  updateBytes,
} from "./bytes.ts";

const plain: PathAttributes = { origin: "igp", asPath: [{ kind: "sequence", asns: [64496] }] };
const announcement = (attributes: PathAttributes): UpdateMessage => ({
  kind: "update",
  withdrawn: [],
  announced: [{ nextHop: { address: address("192.0.2.1") }, prefixes: prefixes("198.51.100.0/24") }],
  attributes,
});
/** Both ways: the bytes are read as the message, and the message is written as the bytes. */
function same(message: UpdateMessage, bytes: Uint8Array, context: WireContext = external): void {
  expect(readOne(bytes, context)).toEqual(message);
  expect(toHex(encodeMessage(message, context))).toBe(toHex(bytes));
}

describe("RFC 4271 §4.3 UPDATE", () => {
  test("announces", () => {
    same(announcement(plain), updateBytes({ attributes: MANDATORY, nlri: NLRI }));
  });

  test("withdraws", () => {
    const message: UpdateMessage = {
      kind: "update",
      withdrawn: prefixes("198.51.100.0/24", "0.0.0.0/0"),
      announced: [],
    };
    same(message, updateBytes({ withdrawn: NLRI + "00" }));
  });

  test("withdraws and announces at once, as older speakers do", () => {
    const message = readUpdateParts({ withdrawn: "10c000", attributes: MANDATORY, nlri: NLRI });
    expect(message.withdrawn).toEqual(prefixes("192.0.0.0/16"));
    expect(message.announced).toMatchObject([{ prefixes: prefixes("198.51.100.0/24") }]);
  });

  test("bits past a prefix's length do not count", () => {
    expect(readUpdateParts({ withdrawn: "09ffff" }).withdrawn).toEqual(prefixes("255.128.0.0/9"));
  });

  test.each<[string, Partial<PathAttributes>, string, WireContext]>([
    ["MULTI_EXIT_DISC", { med: 4294967295 }, attribute(0x80, 4, "ffffffff"), external],
    ["LOCAL_PREF, from an internal peer", { localPref: 200 }, attribute(0x40, 5, "000000c8"), internal],
    ["ATOMIC_AGGREGATE", { atomicAggregate: true }, attribute(0x40, 6, ""), external],
    [
      "AGGREGATOR",
      { aggregator: { asn: 4200000001, address: address("192.0.2.9") } },
      attribute(0xc0, 7, "fa56ea01c0000209"),
      external,
    ],
    [
      "COMMUNITIES (RFC 1997)",
      { communities: [0xffff0000, 0xfbf00001] },
      attribute(0xc0, 8, "ffff0000fbf00001"),
      external,
    ],
    ["ORIGINATOR_ID (RFC 4456)", { originatorId: address("192.0.2.7") }, attribute(0x80, 9, "c0000207"), internal],
    [
      "CLUSTER_LIST (RFC 4456)",
      { clusterList: [address("192.0.2.7"), address("192.0.2.8")] },
      attribute(0x80, 10, "c0000207c0000208"),
      internal,
    ],
    [
      "EXTENDED COMMUNITIES (RFC 4360)",
      { extendedCommunities: [0x0002fbf000000001n] },
      attribute(0xc0, 16, "0002fbf000000001"),
      external,
    ],
    [
      "LARGE_COMMUNITY (RFC 8092)",
      { largeCommunities: [[4200000001, 1, 2]] },
      attribute(0xc0, 32, "fa56ea010000000100000002"),
      external,
    ],
    ["ONLY_TO_CUSTOMER (RFC 9234)", { onlyToCustomer: 64496 }, attribute(0xc0, 35, "0000fbf0"), external],
  ])("%s", (_, attributes, bytes, context) => {
    same(
      announcement({ ...plain, ...attributes }),
      updateBytes({ attributes: MANDATORY + bytes, nlri: NLRI }),
      context,
    );
  });

  test.each([
    ["egp", "01"],
    ["incomplete", "02"],
  ] as const)("ORIGIN %s", (origin, code) => {
    const attributes = attribute(0x40, 1, code) + AS_PATH + NEXT_HOP;
    same(announcement({ ...plain, origin }), updateBytes({ attributes, nlri: NLRI }));
  });

  test("an AS_PATH of every kind of segment (RFC 5065 §3), and an empty one", () => {
    const asPath: PathAttributes["asPath"] = [
      { kind: "confed-sequence", asns: [65001, 65002] },
      { kind: "confed-set", asns: [65003] },
      { kind: "sequence", asns: [64496, 4200000001] },
      { kind: "set", asns: [64498, 64499] },
    ];
    const value = "0302 0000fde9 0000fdea 0401 0000fdeb 0202 0000fbf0 fa56ea01 0102 0000fbf2 0000fbf3";
    const path = attribute(0x40, 2, value.replaceAll(" ", ""));
    same(announcement({ origin: "igp", asPath }), updateBytes({ attributes: ORIGIN + path + NEXT_HOP, nlri: NLRI }));
    const empty = ORIGIN + attribute(0x40, 2, "") + NEXT_HOP;
    same(announcement({ origin: "igp", asPath: [] }), updateBytes({ attributes: empty, nlri: NLRI }));
  });

  test("a sequence of more than 255 AS numbers is several segments", () => {
    const asns = Array.from({ length: 600 }, (_, i) => i + 1);
    const bytes = encodeMessage(announcement({ origin: "igp", asPath: [{ kind: "sequence", asns }] }), external);
    expect(readOne(bytes)).toMatchObject({
      attributes: { asPath: [{ asns: asns.slice(0, 255) }, { asns: asns.slice(255, 510) }, { asns: asns.slice(510) }] },
    });
  });

  test("§5: an unknown optional transitive attribute is kept, and partial from here on", () => {
    const message = readUpdateParts({ attributes: MANDATORY + attribute(0xc0, 99, "cafe"), nlri: NLRI });
    expect(message).toEqual(announcement({ ...plain, unknown: [{ type: 99, partial: true, value: hex("cafe") }] }));
    expect(toHex(encodeMessage(message, external))).toContain(attribute(0xe0, 99, "cafe"));
  });

  test("§5: an unknown optional attribute that is not transitive is passed over", () => {
    expect(readUpdateParts({ attributes: MANDATORY + attribute(0x80, 99, "cafe"), nlri: NLRI })).toEqual(
      announcement(plain),
    );
  });

  test("an attribute with two octets of length that needs one is read all the same", () => {
    expect(readUpdateParts({ attributes: MANDATORY + "9004000400000005", nlri: NLRI }).attributes?.med).toBe(5);
  });
});

describe("RFC 4760 multiprotocol", () => {
  const HOP = "20010db8000000000000000000000001";
  const LINK_LOCAL = "fe800000000000000000000000000001";
  const ipv6 = (linkLocal?: string): UpdateMessage => ({
    kind: "update",
    withdrawn: [],
    announced: [
      {
        nextHop: {
          address: address("2001:db8::1"),
          ...(linkLocal === undefined ? {} : { linkLocal: address(linkLocal) }),
        },
        prefixes: prefixes("2001:db8:1::/48", "::/0"),
      },
    ],
    attributes: plain,
  });
  const PREFIXES = "3020010db8000100";

  test("IPv6 is announced in MP_REACH_NLRI, the first attribute (RFC 7606 §5.1)", () => {
    same(ipv6(), frame(2, hex(`0000 002e 900e001d 000201 10 ${HOP} 00 ${PREFIXES} ${ORIGIN} ${AS_PATH}`)));
  });

  test("RFC 2545 §3: the link-local next hop stands beside the global one", () => {
    same(
      ipv6("fe80::1"),
      frame(2, hex(`0000 003e 900e002d 000201 20 ${HOP}${LINK_LOCAL} 00 ${PREFIXES} ${ORIGIN} ${AS_PATH}`)),
    );
  });

  test("a link-local next hop of all zeros is none", () => {
    const bytes = frame(
      2,
      hex(`0000 003e 900e002d 000201 20 ${HOP}${"00".repeat(16)} 00 ${PREFIXES} ${ORIGIN} ${AS_PATH}`),
    );
    expect(readOne(bytes)).toEqual(ipv6());
  });

  test("MP_REACH_NLRI is read in any place, with one octet of length too", () => {
    const reach = attribute(0x80, 14, `00020110${HOP}00${PREFIXES}`);
    expect(readUpdateParts({ attributes: ORIGIN + reach + AS_PATH })).toEqual(ipv6());
  });

  test("IPv6 is withdrawn in MP_UNREACH_NLRI", () => {
    const message: UpdateMessage = { kind: "update", withdrawn: prefixes("2001:db8:1::/48"), announced: [] };
    same(message, frame(2, hex("0000 000e 900f000a 000201 3020010db80001")));
  });

  test("RFC 8950: IPv4 with an IPv6 next hop", () => {
    const message: UpdateMessage = {
      kind: "update",
      withdrawn: [],
      announced: [{ nextHop: { address: address("2001:db8::1") }, prefixes: prefixes("198.51.100.0/24") }],
      attributes: plain,
    };
    same(
      message,
      frame(2, hex(`0000 002a 900e0019 000101 10 ${HOP} 00 ${NLRI} ${ORIGIN} ${AS_PATH}`)),
      extendedNextHop,
    );
    expect(() => encodeMessage(message, external)).toThrow(EncodeError);
    const withdrawal: UpdateMessage = { kind: "update", withdrawn: prefixes("198.51.100.0/24"), announced: [] };
    same(withdrawal, frame(2, hex(`0000 000b 900f0007 000101 ${NLRI}`)), extendedNextHop);
  });

  test("both families and all four fields at once, as older speakers may (RFC 7606 §5.1)", () => {
    const attributes =
      MANDATORY + attribute(0x80, 14, `00020110${HOP}003020010db80001`) + attribute(0x80, 15, "0002013020010db80002");
    expect(readUpdateParts({ withdrawn: "10c000", attributes, nlri: NLRI })).toEqual({
      kind: "update",
      withdrawn: prefixes("192.0.0.0/16", "2001:db8:2::/48"),
      announced: [
        { nextHop: { address: address("192.0.2.1") }, prefixes: prefixes("198.51.100.0/24") },
        { nextHop: { address: address("2001:db8::1") }, prefixes: prefixes("2001:db8:1::/48") },
      ],
      attributes: plain,
    });
  });

  test("§8: a family that was not agreed on is passed over, and that is said", () => {
    const attributes = attribute(0x80, 14, "000180 0c 000000000000000000000000 00 20aabbccdd".replaceAll(" ", ""));
    const message = readUpdateParts({ attributes: ORIGIN + AS_PATH + attributes });
    expect(message).toMatchObject({
      withdrawn: [],
      announced: [],
      problems: [{ action: "ignore-family", attribute: 14 }],
    });
    const onlyIpv6: WireContext = { ...external, families: [6] };
    expect(readUpdateParts({ attributes: MANDATORY, nlri: NLRI }, onlyIpv6)).toMatchObject({
      announced: [],
      problems: [{ action: "ignore-family", attribute: 0 }],
    });
  });
});

describe("RFC 4724 §2 End-of-RIB", () => {
  test("IPv4: an empty UPDATE", () => {
    same({ kind: "update", withdrawn: [], announced: [], endOfRib: IPV4_UNICAST }, updateBytes({}));
  });

  test("IPv6: an empty MP_UNREACH_NLRI, and nothing else", () => {
    const message: UpdateMessage = { kind: "update", withdrawn: [], announced: [], endOfRib: IPV6_UNICAST };
    same(message, frame(2, hex("0000 0007 900f0003 000201")));
    expect(readUpdateParts({ attributes: attribute(0x80, 15, "000201") })).toEqual(message);
    expect(readUpdateParts({ attributes: attribute(0x80, 15, "000201") + ORIGIN })).not.toHaveProperty("endOfRib");
  });
});

describe("RFC 6793 a peer with two-octet AS numbers", () => {
  const wide: PathAttributes = {
    origin: "igp",
    asPath: [{ kind: "sequence", asns: [64496, 4200000001] }],
    aggregator: { asn: 4200000002, address: address("192.0.2.9") },
  };
  const AS4_PATH = attribute(0xc0, 17, "02020000fbf0fa56ea01");
  const AS4_AGGREGATOR = attribute(0xc0, 18, "fa56ea02c0000209");
  const OLD_PATH = attribute(0x40, 2, "0202fbf05ba0");
  const OLD_AGGREGATOR = attribute(0xc0, 7, "5ba0c0000209");

  test("§4.2.2: AS_TRANS in AS_PATH and AGGREGATOR, the truth in AS4_PATH and AS4_AGGREGATOR", () => {
    const attributes = ORIGIN + OLD_PATH + NEXT_HOP + OLD_AGGREGATOR + AS4_PATH + AS4_AGGREGATOR;
    same(announcement(wide), updateBytes({ attributes, nlri: NLRI }), twoOctet);
  });

  test("§4.2.2: no AS4_ attribute where all AS numbers fit, and no confederation in AS4_PATH", () => {
    const narrow: PathAttributes = { ...plain, aggregator: { asn: 64496, address: address("192.0.2.9") } };
    const attributes = ORIGIN + attribute(0x40, 2, "0201fbf0") + NEXT_HOP + attribute(0xc0, 7, "fbf0c0000209");
    same(announcement(narrow), updateBytes({ attributes, nlri: NLRI }), twoOctet);
    const confed: PathAttributes = {
      origin: "igp",
      asPath: [{ kind: "confed-sequence", asns: [4200000009] }, ...wide.asPath],
    };
    const bytes = encodeMessage(announcement(confed), twoOctet);
    expect(toHex(bytes)).toContain(attribute(0x40, 2, "03015ba00202fbf05ba0"));
    expect(toHex(bytes)).toContain(AS4_PATH);
  });

  const merged = (path: string, as4Path: string, more = ""): PathAttributes["asPath"] | undefined => {
    const attributes = ORIGIN + attribute(0x40, 2, path) + NEXT_HOP + more + attribute(0xc0, 17, as4Path);
    return readUpdateParts({ attributes, nlri: NLRI }, twoOctet).attributes?.asPath;
  };

  test("§4.2.3: what old speakers prepended leads", () => {
    expect(merged("0203fc00fbf05ba0", "02020000fbf0fa56ea01")).toEqual([
      { kind: "sequence", asns: [64512, 64496, 4200000001] },
    ]);
    expect(merged("0101fc000202fbf05ba0", "02020000fbf0fa56ea01")).toEqual([
      { kind: "set", asns: [64512] },
      { kind: "sequence", asns: [64496, 4200000001] },
    ]);
    expect(merged("0301fde90202fbf05ba0", "02020000fbf0fa56ea01")).toEqual([
      { kind: "confed-sequence", asns: [65001] },
      { kind: "sequence", asns: [64496, 4200000001] },
    ]);
  });

  test("§4.2.3: an AS4_PATH longer than AS_PATH is passed over", () => {
    expect(merged("02015ba0", "02020000fbf0fa56ea01")).toEqual([{ kind: "sequence", asns: [23456] }]);
  });

  test("§4.2.3: an AGGREGATOR with a real AS makes AS4_ attributes stale", () => {
    const stale = attribute(0xc0, 7, "fbf0c0000209") + AS4_AGGREGATOR;
    expect(merged("0202fbf05ba0", "02020000fbf0fa56ea01", stale)).toEqual([{ kind: "sequence", asns: [64496, 23456] }]);
  });

  test("§6: confederation segments in AS4_PATH are dropped", () => {
    expect(merged("0202fbf05ba0", "03010000fde902020000fbf0fa56ea01")).toEqual(wide.asPath);
  });

  test("§6: a malformed AS4_PATH or AS4_AGGREGATOR is discarded, and the route stays", () => {
    const attributes = ORIGIN + OLD_PATH + NEXT_HOP + OLD_AGGREGATOR;
    for (const bad of [
      attribute(0xc0, 17, "0200"),
      attribute(0xc0, 17, ""),
      attribute(0xc0, 18, "00"),
      attribute(0xc0, 18, ""),
    ]) {
      const message = readUpdateParts({ attributes: attributes + bad, nlri: NLRI }, twoOctet);
      expect(message).toMatchObject({
        announced: [{ prefixes: prefixes("198.51.100.0/24") }],
        attributes: { asPath: [{ asns: [64496, 23456] }], aggregator: { asn: 23456 } },
        problems: [{ action: "attribute-discard" }],
      });
    }
  });

  test("§4.1: from a peer with four octets they are discarded", () => {
    const message = readUpdateParts({ attributes: MANDATORY + AS4_PATH + AS4_AGGREGATOR, nlri: NLRI });
    expect(message.attributes).toEqual(plain);
    expect(message.problems).toMatchObject([
      { action: "attribute-discard", attribute: 17 },
      { action: "attribute-discard", attribute: 18 },
    ]);
  });
});

describe("what cannot be written", () => {
  const [route] = announcement(plain).announced;
  const cases: [string, UpdateMessage][] = [
    ["nothing", { kind: "update", withdrawn: [], announced: [] }],
    ["announcement and withdrawal (RFC 7606 §5.1)", { ...announcement(plain), withdrawn: prefixes("10.0.0.0/8") }],
    ["both families", { kind: "update", withdrawn: prefixes("10.0.0.0/8", "::/0"), announced: [] }],
    ["no prefixes", { ...announcement(plain), announced: route === undefined ? [] : [{ ...route, prefixes: [] }] }],
    ["no attributes", { kind: "update", withdrawn: [], announced: route === undefined ? [] : [route] }],
    ["an empty segment", announcement({ ...plain, asPath: [{ kind: "sequence", asns: [] }] })],
    ["a set of 256", announcement({ ...plain, asPath: [{ kind: "set", asns: Array.from({ length: 256 }, () => 1) }] })],
    ["a number that is too great", announcement({ ...plain, med: 2 ** 32 })],
    ["a number that is none", announcement({ ...plain, med: 0.5 })],
    ["an IPv6 aggregator", announcement({ ...plain, aggregator: { asn: 1, address: address("::1") } })],
    ["too many communities", announcement({ ...plain, communities: Array.from({ length: 1100 }, (_, i) => i) })],
    [
      "IPv6 with an IPv4 next hop",
      {
        ...announcement(plain),
        announced: [{ nextHop: { address: address("192.0.2.1") }, prefixes: prefixes("::/0") }],
      },
    ],
    [
      "more prefixes than fit",
      { kind: "update", withdrawn: [...(prefixes("10.0.0.0/8")[0]?.subnets(20) ?? [])], announced: [] },
    ],
  ];
  test.each(cases)("%s", (_, message) => {
    expect(() => encodeMessage(message, external)).toThrow(EncodeError);
  });
});
