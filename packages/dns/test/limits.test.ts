import { describe, expect, test } from "vitest";
import { Cookies } from "../src/limits/cookies.ts";
import { RateLimit } from "../src/limits/rate-limit.ts";
import { siphash24 } from "../src/limits/siphash.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

describe("SipHash-2-4", () => {
  // The first vectors of the reference implementation: key 00..0f, input 00..n.
  test.each([
    [0, "310e0edd47db6f72"],
    [1, "fd67dc93c539f874"],
    [7, "37d1018bf50002ab"],
    [8, "6224939a79f5f593"],
    [15, "e545be4961ca29a1"],
  ])("%i octets", (length, expected) => {
    const key = Uint8Array.from({ length: 16 }, (_, i) => i);
    expect(
      siphash24(
        key,
        Uint8Array.from({ length }, (_, i) => i),
      ),
    ).toEqual(hex(expected));
  });
});

describe("RFC 9018 appendix A", () => {
  const secret = hex("e5e973e5a6b2a43f48e7dc849e37bfcf");
  const client = Uint8Array.of(198, 51, 100, 100);
  const now = 1_559_731_985;

  test("A.1: a new server cookie", () => {
    expect(new Cookies(secret).make(hex("2464c4abcf10c957"), client, now)).toEqual(
      hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480"),
    );
  });

  test("A.2: it is good a while later, and a fresh one is made", () => {
    const cookies = new Cookies(secret);
    const sent = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
    expect(cookies.isValid(sent, client, 1_559_734_385)).toBe(true);
    expect(cookies.make(sent, client, 1_559_734_385)).toEqual(hex("2464c4abcf10c957010000005cf7a871d4a564a1442aca77"));
  });

  test("not from another address, with another version, a changed octet, or from the wrong time", () => {
    const cookies = new Cookies(secret);
    const good = cookies.make(hex("2464c4abcf10c957"), client, now);
    expect(cookies.isValid(good, client, now)).toBe(true);
    expect(cookies.isValid(good, Uint8Array.of(198, 51, 100, 101), now)).toBe(false);
    expect(cookies.isValid(good.with(8, 2), client, now)).toBe(false);
    expect(cookies.isValid(good.with(23, (good[23] ?? 0) ^ 1), client, now)).toBe(false);
    expect(cookies.isValid(good, client, now + 3601)).toBe(false);
    expect(cookies.isValid(good, client, now - 301)).toBe(false);
    expect(cookies.isValid(good.subarray(0, 8), client, now)).toBe(false);
  });

  test("while the secret rolls over, the one before is still good (RFC 9018 §5)", () => {
    const old = new Cookies(secret).make(hex("2464c4abcf10c957"), client, now);
    const other = hex("000102030405060708090a0b0c0d0e0f");
    expect(new Cookies(other, secret).isValid(old, client, now)).toBe(true);
    expect(new Cookies(other).isValid(old, client, now)).toBe(false);
  });
});

describe("response rate limiting", () => {
  const client = Uint8Array.of(192, 0, 2, 1);
  const run = (limit: RateLimit, count: number, now: number, from: Uint8Array = client): string[] =>
    Array.from({ length: count }, () => limit.judge(from, 7, now));

  test("two seconds' worth at once, then every second slips, and a second later it goes on", () => {
    const limit = new RateLimit({ responsesPerSecond: 5 });
    expect(run(limit, 14, 0)).toEqual([...Array.from({ length: 10 }, () => "send"), "drop", "slip", "drop", "slip"]);
    expect(run(limit, 6, 1000)).toEqual(["send", "send", "send", "send", "send", "drop"]);
  });

  test("a network shares, another network does not; other answers count by themselves", () => {
    const limit = new RateLimit({ responsesPerSecond: 1, slip: 0 });
    run(limit, 2, 0);
    expect(limit.judge(Uint8Array.of(192, 0, 2, 200), 7, 0)).toBe("drop");
    expect(limit.judge(Uint8Array.of(192, 0, 3, 1), 7, 0)).toBe("send");
    expect(limit.judge(client, 8, 0)).toBe("send");
  });

  test("IPv6 networks are /56", () => {
    const limit = new RateLimit({ responsesPerSecond: 1, slip: 0 });
    const from = (seventh: number, eighth: number): Uint8Array =>
      Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, seventh, eighth, 0, 0, 0, 0, 0, 0, 0, 1);
    run(limit, 2, 0, from(0, 0));
    expect(limit.judge(from(0, 255), 7, 0)).toBe("drop");
    expect(limit.judge(from(1, 0), 7, 0)).toBe("send");
  });
});
