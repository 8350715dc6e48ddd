import { describe, expect, test } from "vitest";
import { RateLimit } from "../src/limits/rate-limit.ts";
import { TsigKey } from "../src/tsig/key.ts";
import { keyring, signQuery } from "../src/tsig/tsig.ts";
import { FLAG } from "../src/wire/codes.ts";
import { OPTION, readExtendedError } from "../src/wire/edns.ts";
import { decodeMessage, encodeMessage } from "../src/wire/message.ts";
import { Name } from "../src/wire/name.ts";
import { CLIENT, COOKIES, EDNS, NOW, ask, exchange, responderOf, shown, storeOf, zoneOf } from "./support.ts";

const TEXT = `
@ 3600 IN SOA ns admin 1 3600 900 604800 300
@ 3600 NS ns
ns 3600 A 192.0.2.53
host 60 A 192.0.2.1
$GENERATE 1-80 many 60 A 10.0.0.$
$GENERATE 1-30 @ 60 MX $ mail$
$GENERATE 1-30 mail$ 60 AAAA 2001:db8::$
$GENERATE 1-30 cut 60 NS ns$.cut
$GENERATE 1-30 ns$.cut 60 AAAA 2001:db8::$
`;
const store = storeOf(zoneOf("example.", TEXT));
const query = (parts: Partial<Parameters<typeof encodeMessage>[0]> = {}): Uint8Array =>
  encodeMessage({ id: 7, question: { name: Name.parse("host.example."), type: 1 }, ...parts });

describe("headers", () => {
  const responder = responderOf(store);

  test("id and RD come back; RA never does (RFC 1035 §4.1.1)", () => {
    const answer = ask(responder, "host.example.", "A", { id: 0xbeef, flags: FLAG.RD });
    expect(answer.id).toBe(0xbeef);
    expect(answer.flags).toBe(FLAG.QR | FLAG.AA | FLAG.RD);
  });

  test("the question comes back in the case it was asked in, also from the cache", () => {
    for (const text of ["host.example.", "HOST.eXample.", "hOsT.EXAMPLE."]) {
      const answer = ask(responder, text, "A");
      expect(answer.questions[0]?.name.toString()).toBe(text);
      expect(answer.answers[0]?.name.toString()).toBe(text);
    }
  });

  test("an answer is not answered, nor is what is no message", () => {
    expect(exchange(responder, query({ flags: FLAG.QR }))).toBeUndefined();
    expect(exchange(responder, query().subarray(0, 11))).toBeUndefined();
    expect(exchange(responder, new Uint8Array())).toBeUndefined();
  });

  test.each([1, 2, 4, 5, 6, 15])("opcode %i is NOTIMP", (opcode) => {
    const answer = exchange(responder, query({ opcode }));
    expect(answer && decodeMessage(answer)).toMatchObject({ rcode: 4, opcode });
  });

  test.each([
    ["no question", (b: Uint8Array) => b.with(5, 0)],
    ["two questions (RFC 9619)", (b: Uint8Array) => b.with(5, 2)],
    ["an answer section", (b: Uint8Array) => b.with(7, 1)],
    ["octets behind", (b: Uint8Array) => Uint8Array.from([...b, 0])],
    ["a question cut short", (b: Uint8Array) => b.subarray(0, -1)],
    ["a compression pointer in the question", (b: Uint8Array) => b.with(12, 0xc0)],
    ["a label that runs over the end", (b: Uint8Array) => b.with(12, 60)],
    ["four additional records announced", (b: Uint8Array) => b.with(11, 4)],
  ])("%s is FORMERR", (_, spoil) => {
    const answer = exchange(responder, spoil(query()));
    expect((answer?.[3] ?? 0) & 0xf).toBe(1);
  });

  test.each([3, 4, 255])("class %i is REFUSED", (klass) => {
    const answer = exchange(
      responder,
      query({ question: { name: Name.parse("host.example."), type: 1, class: klass } }),
    );
    expect(answer && decodeMessage(answer).rcode).toBe(5);
  });
});

describe("RFC 6891: EDNS", () => {
  const responder = responderOf(store, { identity: "srv1" });

  test("who sends no OPT record gets none", () => {
    expect(ask(responder, "host.example.", "A").edns).toBeUndefined();
    expect(ask(responder, "host.example.", "A", { edns: EDNS }).edns).toEqual(EDNS);
  });

  test("another version is BADVERS, with ours", () => {
    const answer = ask(responder, "host.example.", "A", { edns: { ...EDNS, version: 1 } });
    expect(answer).toMatchObject({ rcode: 16, answers: [], edns: { version: 0 } });
  });

  test("DO comes back (RFC 3225), unknown options do not", () => {
    const edns = { ...EDNS, dnssecOk: true, options: [{ code: 65001, data: Uint8Array.of(1, 2, 3) }] };
    expect(ask(responder, "host.example.", "A", { edns }).edns).toMatchObject({ dnssecOk: true, options: [] });
  });

  test("two OPT records, or one that is not the root's, are FORMERR", () => {
    const one = query({ edns: EDNS });
    const two = Uint8Array.from([...one, ...one.subarray(-11)]).with(11, 2);
    expect((exchange(responder, two)?.[3] ?? 0) & 0xf).toBe(1);
    const named = Uint8Array.from([...one.subarray(0, -11), 1, 0x61, ...one.subarray(-11)]);
    expect((exchange(responder, named)?.[3] ?? 0) & 0xf).toBe(1);
  });

  test("an option that runs over the record is FORMERR", () => {
    const bytes = query({ edns: { ...EDNS, options: [{ code: 3, data: Uint8Array.of(1) }] } });
    expect((exchange(responder, bytes.with(bytes.length - 2, 9))?.[3] ?? 0) & 0xf).toBe(1);
  });

  test("NSID says which server it is (RFC 5001)", () => {
    const edns = { ...EDNS, options: [{ code: OPTION.NSID, data: new Uint8Array() }] };
    const [option] = ask(responder, "host.example.", "A", { edns }).edns?.options ?? [];
    expect(Buffer.from(option?.data ?? []).toString()).toBe("srv1");
  });

  test("REFUSED says why (RFC 8914 §4.21)", () => {
    const [option] = ask(responder, "test.", "A", { edns: EDNS }).edns?.options ?? [];
    expect(option?.code).toBe(OPTION.EXTENDED_ERROR);
    expect(readExtendedError(option?.data ?? new Uint8Array())).toEqual({ code: 20, text: "" });
  });
});

describe("sizes", () => {
  const responder = responderOf(store);
  const size = (name: string, type: string, parts: Parameters<typeof ask>[3]): Uint8Array => {
    const bytes = encodeMessage({
      id: 1,
      question: { name: Name.parse(name), type: type === "A" ? 1 : type === "MX" ? 15 : 2 },
      ...parts,
    });
    return exchange(responder, bytes, { tcp: parts?.tcp === true }) ?? new Uint8Array();
  };

  test.each([
    [undefined, 512],
    [100, 512],
    [600, 600],
    [1232, 1232],
    [65_535, 1232],
  ])("advertised %s: never over %i octets; truncated answers are empty (RFC 2181 §9)", (udpSize, limit) => {
    const parts = udpSize === undefined ? {} : { edns: { ...EDNS, udpSize } };
    for (const [name, type] of [
      ["many.example.", "A"],
      ["example.", "MX"],
      ["x.cut.example.", "A"],
    ] as const)
      expect(size(name, type, parts).length).toBeLessThanOrEqual(limit);
    const answer = decodeMessage(size("many.example.", "A", parts));
    expect(answer.flags & FLAG.TC).toBe(FLAG.TC);
    expect(answer.answers).toEqual([]);
  });

  test("by TCP all of it fits", () => {
    const answer = decodeMessage(size("many.example.", "A", { tcp: true }));
    expect(answer.flags & FLAG.TC).toBe(0);
    expect(answer.answers).toHaveLength(80);
  });

  test("additional records that can be done without are left out before anything is truncated", () => {
    const answer = decodeMessage(size("example.", "MX", { edns: EDNS }));
    expect(answer.flags & FLAG.TC).toBe(0);
    expect([answer.answers.length, answer.additionals.length]).toEqual([30, 0]);
  });

  test("a referral without all its glue is truncated (RFC 9471)", () => {
    const answer = decodeMessage(size("x.cut.example.", "A", { edns: EDNS }));
    expect(answer.flags & (FLAG.TC | FLAG.AA)).toBe(FLAG.TC);
  });

  test("records that no message holds are SERVFAIL, not a crash", () => {
    const big = Array.from({ length: 2 }, (_, i) => `big 60 TYPE65280 \\# 40000 ${"0".repeat(79_998)}0${i}`).join("\n");
    const answer = ask(responderOf(storeOf(zoneOf("example.", `${TEXT}\n${big}\n`))), "big.example.", "TYPE65280", {
      tcp: true,
    });
    expect(answer).toMatchObject({ rcode: 2, answers: [] });
  });
});

describe("the cache", () => {
  test("a changed zone is seen at once", () => {
    const zones = storeOf(zoneOf("example.", TEXT));
    const responder = responderOf(zones);
    expect(ask(responder, "host.example.", "A").answers).toHaveLength(1);
    zones.replace(zoneOf("example.", TEXT.replace("host 60 A 192.0.2.1", "").replace(" admin 1 ", " admin 2 ")));
    expect(ask(responder, "host.example.", "A").rcode).toBe(3);
    zones.remove(Name.parse("example."));
    expect(ask(responder, "host.example.", "A").rcode).toBe(5);
  });

  test("names with equal hashes are kept apart", () => {
    // With room for two it also starts anew all the time.
    const responder = responderOf(store, { cacheSize: 160, seed: 0 });
    for (let round = 0; round < 3; round++)
      for (let i = 1; i <= 30; i++)
        expect(shown(ask(responder, `mail${i}.example.`, "AAAA")).answer).toEqual([
          `mail${i}.example. 60 IN AAAA 2001:db8::${i}`.replace(/::(\d+)$/, (_, n) => `::${n}`),
        ]);
  });

  test("names that do not exist leave nothing in it", () => {
    const responder = responderOf(store);
    for (let i = 0; i < 100; i++) ask(responder, `no${i % 2}.example.`, "A");
    expect(responder.counters.get("cacheHits")).toBe(0);
  });
});

describe("queries that come in a Buffer, as Node's sockets give them", () => {
  test("are answered alike, and not changed", () => {
    const shouted = encodeMessage({ id: 7, question: { name: Name.parse("HOST.Example."), type: 1 }, edns: EDNS });
    const buffer = Buffer.from(shouted);
    const answer = exchange(responderOf(store), buffer);
    expect(buffer).toEqual(Buffer.from(shouted));
    expect(answer).toEqual(exchange(responderOf(store), shouted));
  });

  test("also when they are signed", () => {
    const key = new TsigKey("key.", "hmac-sha256", "c2VjcmV0");
    const signed = signQuery(query(), key, NOW / 1000).message;
    const buffer = Buffer.from(signed);
    const answer = exchange(responderOf(store, { keys: keyring([key]) }), buffer);
    expect(buffer).toEqual(Buffer.from(signed));
    expect((answer?.[3] ?? 0) & 0xf).toBe(0);
  });

  test("what the cache keeps is not the buffer, which is used again", () => {
    const responder = responderOf(store);
    const buffer = Buffer.from(query());
    exchange(responder, buffer);
    buffer.fill(0x61, 12, 20);
    exchange(responder, query());
    expect(responder.counters.get("cacheHits")).toBe(1);
  });
});

describe("RFC 7873, RFC 9018: cookies in answers", () => {
  const responder = responderOf(store, { cookies: COOKIES });
  const withCookie = (data: Uint8Array) => ({ edns: { ...EDNS, options: [{ code: OPTION.COOKIE, data }] } });
  const mine = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

  test("the client's part comes back with a server's part that is good", () => {
    const [option] = ask(responder, "host.example.", "A", withCookie(mine)).edns?.options ?? [];
    expect(option?.data.subarray(0, 8)).toEqual(mine);
    expect(COOKIES.isValid(option?.data ?? mine, CLIENT, NOW / 1000)).toBe(true);
  });

  test.each([0, 7, 9, 15, 41])("a cookie of %i octets is FORMERR (RFC 7873 §5.2.2)", (length) => {
    expect(ask(responder, "host.example.", "A", withCookie(new Uint8Array(length))).rcode).toBe(1);
  });

  test("a good one frees from the rate limit, a forged one does not", () => {
    const limited = responderOf(store, {
      cookies: COOKIES,
      rateLimit: new RateLimit({ responsesPerSecond: 1, slip: 0 }),
    });
    const send = (data: Uint8Array): boolean => exchange(limited, query(withCookie(data))) !== undefined;
    const good = COOKIES.make(mine, CLIENT, NOW / 1000);
    const sent = Array.from({ length: 20 }, () => send(good));
    expect(sent.every(Boolean)).toBe(true);
    const forged = Array.from({ length: 20 }, () => send(good.with(good.length - 1, (good.at(-1) ?? 0) ^ 1)));
    expect(forged.filter(Boolean)).toHaveLength(2);
  });
});

describe("response rate limiting in answers", () => {
  test("slipped answers are empty and truncated; TCP is not limited", () => {
    const responder = responderOf(store, { rateLimit: new RateLimit({ responsesPerSecond: 1, slip: 2 }) });
    const answers = Array.from({ length: 10 }, () => exchange(responder, query()));
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(4);
    const slipped = answers.filter((answer) => answer !== undefined && ((answer[2] ?? 0) & 2) !== 0);
    expect(slipped).toHaveLength(4);
    expect(slipped[0]).toHaveLength(query().length);
    expect(exchange(responder, query(), { tcp: true })?.[7]).toBe(1);
  });
});
