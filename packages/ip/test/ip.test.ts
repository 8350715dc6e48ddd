import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Address,
  AddressError,
  Prefix,
  PrefixSet,
  aggregate,
  parseInterface,
  parseScoped,
  rangeToPrefixes,
} from "../src/index.ts";

const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((b) => Address.fromBytes(b)),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Address.fromBytes(b)),
);
const prefix = address.chain((a) => fc.integer({ min: 0, max: a.family === 4 ? 32 : 128 }).map((n) => Prefix.of(a, n)));
/** Prefixes close together, so that they nest and meet. */
const neighbours = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
    .map(([n, length]) => Prefix.of(Address.parse(`192.0.2.${n}`), length)),
  { maxLength: 30 },
);
const covered = (prefixes: Iterable<Prefix>): Set<number> => {
  const found = new Set<number>();
  for (const p of prefixes) for (let a = p.address.toBigInt(); a <= p.last.toBigInt(); a++) found.add(Number(a));
  return found;
};

describe("Address", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["fe80::", "fe80::"],
  ])("RFC 5952: %s is written %s", (text, canonical) => {
    expect(Address.parse(text).toString()).toBe(canonical);
  });

  test.each([
    "010.0.0.1",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "1.2.3.-4",
    "0x7f.0.0.1",
    "2130706433",
    " 1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.4/24",
    "",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "fe80::1%eth0",
    "2001:db8::/32",
    "::ffff:010.0.0.1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "g::",
  ])("refuses %j", (text) => {
    expect(() => Address.parse(text)).toThrow(AddressError);
    expect(Address.tryParse(text)).toBeUndefined();
  });

  test("says why a leading zero is refused", () => {
    expect(() => Address.parse("010.0.0.1")).toThrow(
      '"010.0.0.1" has an octet with a leading zero, which some read as octal; write it without',
    );
  });

  test("text, bytes and number all give the address back", () => {
    fc.assert(
      fc.property(address, (a) => {
        expect(Address.parse(a.toString()).equals(a)).toBe(true);
        expect(Address.fromBytes(a.bytes).equals(a)).toBe(true);
        expect(Address.fromBigInt(a.family, a.toBigInt()).equals(a)).toBe(true);
      }),
    );
  });

  test("does not follow later changes of the bytes it was made from", () => {
    const bytes = Uint8Array.of(192, 0, 2, 1);
    const a = Address.fromBytes(bytes);
    bytes[0] = 1;
    expect(a.toString()).toBe("192.0.2.1");
  });

  test("plus stays inside the address space", () => {
    expect(Address.parse("192.0.2.255").plus(1).toString()).toBe("192.0.3.0");
    expect(Address.parse("2001:db8::").plus(-1).toString()).toBe("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff");
    expect(() => Address.parse("255.255.255.255").plus(1)).toThrow(AddressError);
    expect(() => Address.parse("::").plus(-1)).toThrow(AddressError);
  });

  test("knows the special kinds", () => {
    expect(Address.parse("fe80::1").isLinkLocal && Address.parse("169.254.1.1").isLinkLocal).toBe(true);
    expect(Address.parse("febf::1").isLinkLocal).toBe(true);
    expect(Address.parse("fec0::1").isLinkLocal).toBe(false);
    expect(Address.parse("::1").isLoopback && Address.parse("127.9.9.9").isLoopback).toBe(true);
    expect(Address.parse("ff02::1").isMulticast && Address.parse("224.0.0.1").isMulticast).toBe(true);
    expect(Address.parse("::").isUnspecified && !Address.parse("::1").isUnspecified).toBe(true);
  });

  test("a zone belongs to link-local IPv6 only", () => {
    expect(parseScoped("fe80::1%br-mesh")).toEqual({ address: Address.parse("fe80::1"), zone: "br-mesh" });
    expect(parseScoped("192.0.2.1").zone).toBeUndefined();
    for (const text of ["192.0.2.1%eth0", "2001:db8::1%eth0", "fe80::1%", "fe80::1%a b", "fe80::1%0123456789abcdef"])
      expect(() => parseScoped(text)).toThrow(AddressError);
  });
});

describe("Prefix", () => {
  test.each([
    "192.0.2.1/24",
    "2001:db8::1/64",
    "192.0.2.0",
    "192.0.2.0/33",
    "2001:db8::/129",
    "192.0.2.0/024",
    "192.0.2.0/-1",
    "192.0.2.0/",
    "/24",
    "192.0.2.0/2 4",
  ])("refuses %j", (text) => {
    expect(() => Prefix.parse(text)).toThrow(AddressError);
  });

  test("names the network when host bits are set", () => {
    expect(() => Prefix.parse("192.0.2.77/27")).toThrow("the network is 192.0.2.64/27");
    expect(parseInterface("192.0.2.77/27")).toEqual({
      address: Address.parse("192.0.2.77"),
      prefix: Prefix.parse("192.0.2.64/27"),
    });
  });

  test("NLRI round trip, and the fewest octets (RFC 4271 §4.3)", () => {
    fc.assert(
      fc.property(prefix, (p) => {
        const nlri = p.toNlri();
        expect(nlri.length).toBe(1 + Math.ceil(p.length / 8));
        expect(Prefix.readNlri(nlri, 0, p.family)).toEqual({ prefix: p, end: nlri.length });
      }),
    );
  });

  test("NLRI: trailing bits are irrelevant; short or overlong entries are refused", () => {
    expect(Prefix.readNlri(Uint8Array.of(9, 10, 0xff), 0, 4)?.prefix.toString()).toBe("10.128.0.0/9");
    expect(Prefix.readNlri(Uint8Array.of(24, 10, 0), 0, 4)).toBeUndefined();
    expect(Prefix.readNlri(Uint8Array.of(33, 1, 2, 3, 4, 5), 0, 4)).toBeUndefined();
    expect(Prefix.readNlri(new Uint8Array(0), 0, 4)).toBeUndefined();
  });

  test("contains agrees with the numbers", () => {
    fc.assert(
      fc.property(prefix, address, (p, a) => {
        const inside =
          p.family === a.family && a.toBigInt() >= p.address.toBigInt() && a.toBigInt() <= p.last.toBigInt();
        expect(p.contains(a)).toBe(inside);
      }),
    );
    fc.assert(
      fc.property(prefix, fc.nat(128), (p, n) => {
        const longer = Prefix.of(p.last, Math.min(p.length + n, p.family === 4 ? 32 : 128));
        expect(p.contains(longer)).toBe(true);
        expect(longer.contains(p)).toBe(longer.length === p.length);
      }),
    );
  });

  test("subnets and at", () => {
    expect([...Prefix.parse("192.0.2.0/24").subnets(26)].map(String)).toEqual([
      "192.0.2.0/26",
      "192.0.2.64/26",
      "192.0.2.128/26",
      "192.0.2.192/26",
    ]);
    expect(Prefix.parse("2001:db8::/48").subnets(64).next().value?.toString()).toBe("2001:db8::/64");
    expect(() => [...Prefix.parse("192.0.2.0/24").subnets(23)]).toThrow(AddressError);
    expect(Prefix.parse("2001:db8::/64").at(10).toString()).toBe("2001:db8::a");
    expect(() => Prefix.parse("192.0.2.0/30").at(4)).toThrow(AddressError);
  });
});

describe("PrefixSet", () => {
  test("longest match agrees with a scan of all members", () => {
    fc.assert(
      fc.property(neighbours, fc.nat(255), (members, n) => {
        const target = Address.parse(`192.0.2.${n}`);
        const best = members.filter((p) => p.contains(target)).sort((a, b) => b.length - a.length)[0];
        expect(new PrefixSet(members).longestMatch(target)?.toString()).toBe(best?.toString());
      }),
    );
  });

  test("add, has, delete and size", () => {
    const set = new PrefixSet();
    const p = Prefix.parse("2001:db8::/32");
    expect([set.add(p), set.add(p), set.size, set.has(p), set.covers(Prefix.parse("2001:db8:1::/48"))]).toEqual([
      true,
      false,
      1,
      true,
      true,
    ]);
    expect([set.delete(p), set.delete(p), set.size, set.covers(p)]).toEqual([true, false, 0, false]);
    expect(set.covers(Prefix.parse("0.0.0.0/0"))).toBe(false);
  });
});

describe("aggregate", () => {
  test("holds exactly the same addresses, in the fewest prefixes", () => {
    fc.assert(
      fc.property(neighbours, (prefixes) => {
        const result = aggregate(prefixes);
        expect(covered(result)).toEqual(covered(prefixes));
        expect(aggregate(result)).toEqual(result);
        expect(result.reduce((sum, p) => sum + p.size, 0n)).toBe(BigInt(covered(prefixes).size));
      }),
    );
  });

  test("merges across lengths and keeps families apart", () => {
    const texts = ["192.0.2.128/25", "192.0.2.0/26", "192.0.2.64/26", "2001:db8:1::/48", "2001:db8::/48", "0.0.0.0/32"];
    expect(aggregate(texts.map((t) => Prefix.parse(t))).map(String)).toEqual([
      "0.0.0.0/32",
      "192.0.2.0/24",
      "2001:db8::/47",
    ]);
  });
});

describe("rangeToPrefixes", () => {
  test("covers the range exactly", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), (a, b) => {
        const prefixes = rangeToPrefixes(Address.parse(`192.0.2.${a}`), Address.parse(`192.0.2.${b}`));
        expect(covered(prefixes).size).toBe(Math.max(0, b - a + 1));
        expect(aggregate(prefixes)).toEqual(prefixes);
      }),
    );
    expect(rangeToPrefixes(Address.parse("::"), Prefix.parse("::/0").last).map(String)).toEqual(["::/0"]);
  });
});
