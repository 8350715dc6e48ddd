import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WireError } from "../src/error.ts";
import { decodeMessage, encodeMessage } from "../src/wire/message.ts";
import { Name } from "../src/wire/name.ts";
import { record } from "../src/wire/record.ts";
import { TsigKey } from "../src/tsig/key.ts";
import { keyring, signQuery } from "../src/tsig/tsig.ts";
import { COOKIES, EDNS, NOW, exchange, responderOf, storeOf, zoneOf } from "./support.ts";

const KEY = new TsigKey("key.", "hmac-sha256", "c2VjcmV0c2VjcmV0");
const store = storeOf(
  zoneOf(
    "example.",
    "@ 60 IN SOA ns admin 1 2 3 4 5\n@ 60 NS ns\n@ 60 MX 1 m\n*.w 60 TXT x\nd 60 DNAME example.org.\ncut 60 NS ns.cut\nns.cut 60 A 192.0.2.1\n$GENERATE 1-90 many 60 A 10.0.0.$\n",
  ),
);
const responder = responderOf(store, { cookies: COOKIES, keys: keyring([KEY]), identity: "srv1", transfers: [{}] });

const SEEDS: Uint8Array[] = [
  encodeMessage({ id: 1, question: { name: Name.parse("many.example."), type: 1 }, edns: EDNS }),
  encodeMessage({ id: 2, question: { name: Name.parse("a.b.w.example."), type: 16 } }),
  encodeMessage({
    id: 3,
    question: { name: Name.parse("x.d.example."), type: 255 },
    edns: {
      ...EDNS,
      options: [
        { code: 10, data: new Uint8Array(8) },
        { code: 3, data: new Uint8Array() },
      ],
    },
  }),
  encodeMessage({
    id: 4,
    question: { name: Name.parse("example."), type: 251 },
    authorities: [record("example.", 60, "SOA", "a. b. 1 2 3 4 5")],
  }),
  signQuery(encodeMessage({ id: 5, question: { name: Name.parse("example."), type: 6 } }), KEY, NOW / 1000).message,
  encodeMessage({
    id: 6,
    flags: 0x8000,
    question: { name: Name.parse("example."), type: 15 },
    answers: [record("example.", 1, "MX", "1 m.example."), record("_a.example.", 1, "HTTPS", "1 . alpn=h2 port=1")],
  }),
];

/** Octets at random, and messages with some octets changed, cut off or repeated: the interesting ones are nearly right. */
const mutated = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 8 }),
    fc.option(fc.nat(300), { nil: undefined }),
    fc.uint8Array({ maxLength: 20 }),
  )
  .map(([seed, changes, cut, tail]) => {
    const bytes = Uint8Array.from([...seed.subarray(0, cut ?? seed.length), ...tail]);
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
    return bytes;
  });
const hostile = fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated, mutated);
const RUNS = { numRuns: 5000, seed: 20240501 };

describe("hostile packets", () => {
  test("the decoder ends with a message or a WireError, nothing else", () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        try {
          decodeMessage(bytes);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
        }
      }),
      RUNS,
    );
  });

  test("the server answers with a well-formed message of bounded size, or not at all", () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        const answer = exchange(responder, bytes);
        if (answer === undefined) return;
        const message = decodeMessage(answer);
        expect(message.flags & 0x8000).toBe(0x8000);
        expect(answer.length).toBeLessThanOrEqual(1232);
        // Without EDNS no client, and no victim of a forged address, gets more than 512 octets.
        if (message.edns === undefined && message.additionals.every(({ type }) => type !== 250))
          expect(answer.length).toBeLessThanOrEqual(512);
      }),
      RUNS,
    );
  });

  test("a packet is answered the same whatever came before it (no state leaks from query to query)", () => {
    fc.assert(
      fc.property(hostile, hostile, (before, bytes) => {
        const fresh = exchange(
          responderOf(store, { cookies: COOKIES, keys: keyring([KEY]), identity: "srv1", transfers: [{}] }),
          bytes,
        );
        exchange(responder, before);
        expect(exchange(responder, bytes)).toEqual(fresh);
      }),
      { ...RUNS, numRuns: 1000 },
    );
  });
});

describe("work is bounded by the message's length", () => {
  /** 4,000 records whose names lead through up to `chain` pointers to a name of 255 octets. */
  function pointers(chain: number): Uint8Array {
    const octets = [0, 1, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 3; i++) octets.push(63, ...Array.from({ length: 63 }, () => 0x61));
    octets.push(61, ...Array.from({ length: 61 }, () => 0x61), 0, 0, 1, 0, 1);
    let target = 12;
    let count = 0;
    for (; count < 4000; count++) {
      const at = octets.length;
      octets.push(0xc0 | (target >> 8), target & 0xff, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4);
      if (count < chain - 1) target = at;
    }
    octets[6] = count >> 8;
    octets[7] = count & 0xff;
    return Uint8Array.from(octets);
  }

  test("chains of pointers are followed as far as a name has labels", () => {
    expect(decodeMessage(pointers(127)).answers.at(-1)?.name.wire).toHaveLength(255);
  });

  test("longer ones are refused at once", () => {
    expect(() => decodeMessage(pointers(128))).toThrow("a chain of compression pointers");
  });

  test("no answer to one spoofable query is larger than the limit, whatever is asked", () => {
    for (const type of [1, 2, 5, 6, 15, 16, 28, 43, 251, 252, 255])
      for (const name of ["example.", "many.example.", "x.cut.example.", "a.d.example.", "no.example.", "."]) {
        const query = encodeMessage({
          id: 1,
          question: { name: Name.parse(name), type },
          edns: { ...EDNS, udpSize: 65_535 },
        });
        expect(exchange(responder, query)?.length ?? 0).toBeLessThanOrEqual(1232);
      }
  });
});
