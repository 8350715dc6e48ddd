import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CommunityError } from "../../src/error.ts";
import {
  formatCommunity,
  formatExtendedCommunity,
  formatLargeCommunity,
  parseCommunity,
  parseExtendedCommunity,
  parseLargeCommunity,
} from "../../src/wire/index.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe("communities as text", () => {
  test.each([
    ["64500:1", 0xfbf40001],
    ["0:0", 0],
    ["65535:65535", 0xffffffff],
    ["graceful-shutdown", 0xffff0000],
    ["no-export", 0xffffff01],
    ["blackhole", 0xffff029a],
  ])("%s", (text, value) => {
    expect(parseCommunity(text)).toBe(value);
    expect(formatCommunity(value)).toBe(text);
  });

  test("RFC 8326: 65535:0 is graceful-shutdown", () => {
    expect(parseCommunity("65535:0")).toBe(parseCommunity("graceful-shutdown"));
  });

  test("RFC 8092 §5: large communities", () => {
    expect(parseLargeCommunity("4200000001:1:2")).toEqual([4200000001, 1, 2]);
    expect(formatLargeCommunity([4200000001, 1, 2])).toBe("4200000001:1:2");
  });

  test.each([
    ["rt:64500:4294967295", 0x0002fbf4ffffffffn],
    ["ro:192.0.2.1:7", 0x0103c00002010007n],
    ["rt:4200000001:65535", 0x0202fa56ea01ffffn],
    ["0x43000000deadbeef", 0x43000000deadbeefn],
    ["0x02020000fbf40001", 0x02020000fbf40001n],
  ])("RFC 4360, RFC 5668: %s", (text, value) => {
    expect(parseExtendedCommunity(text)).toBe(value);
    expect(formatExtendedCommunity(value)).toBe(text);
  });

  test("every value comes back from its text", () => {
    fc.assert(fc.property(u32, (value) => parseCommunity(formatCommunity(value)) === value));
    fc.assert(
      fc.property(fc.tuple(u32, u32, u32), (value) => {
        expect(parseLargeCommunity(formatLargeCommunity(value))).toEqual(value);
      }),
    );
    const type = fc.bigInt({ min: 0n, max: 0x0fffn });
    const rest = fc.bigInt({ min: 0n, max: (1n << 48n) - 1n });
    fc.assert(
      fc.property(type, rest, (t, r) => {
        const value = (t << 48n) | r;
        return parseExtendedCommunity(formatExtendedCommunity(value)) === value;
      }),
    );
  });

  test.each([
    "",
    "1",
    "1:2:3",
    "65536:1",
    "1:65536",
    "-1:2",
    "01:2",
    "1: 2",
    "no-such",
    "constructor",
    "0x1:2",
    "1e2:3",
  ])("refuses %j as a community", (text) => {
    expect(() => parseCommunity(text)).toThrow(CommunityError);
  });

  test.each(["1:2", "1:2:3:4", "4294967296:1:1", "a:b:c", "99999999999:1:1"])("refuses %j as a large one", (text) => {
    expect(() => parseLargeCommunity(text)).toThrow(CommunityError);
  });

  test.each([
    "",
    "rt",
    "rt:1",
    "xx:1:2",
    "rt:1:2:3",
    "rt:1.2.3.4:65536",
    "rt:4200000001:65536",
    "rt:a:1",
    "0x12",
    "rt:::1",
  ])("refuses %j as an extended one", (text) => {
    expect(() => parseExtendedCommunity(text)).toThrow(CommunityError);
  });

  test("says what is right", () => {
    expect(() => parseCommunity("no-exprt")).toThrow(
      '"no-exprt" is no community: write AS:VALUE, or one of graceful-shutdown, ',
    );
    expect(() => parseCommunity("65536:1")).toThrow('"65536:1" has 65536, which is over 65535');
  });
});
