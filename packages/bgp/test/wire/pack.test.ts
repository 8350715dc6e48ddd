import { type Family, Prefix } from "@trivet/ip";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EncodeError } from "../../src/error.ts";
import {
  type NextHop,
  type PathAttributes,
  type UpdateMessage,
  type WireContext,
  encodeAttributes,
  encodeEndOfRib,
  encodeMessage,
  packAnnouncements,
  packWithdrawals,
} from "../../src/wire/index.ts";
import { NlriBuffer } from "../../src/wire/nlri.ts";
import { prefix } from "./arbitraries.ts";
import { address, extended, extendedNextHop, external, prefixes, readAll, toHex } from "./bytes.ts";

const attributes: PathAttributes = {
  origin: "igp",
  asPath: [{ kind: "sequence", asns: [64496, 4200000001] }],
  communities: [0xfbf00001],
};
const hop: Record<Family, NextHop> = {
  4: { address: address("192.0.2.1") },
  6: { address: address("2001:db8::1"), linkLocal: address("fe80::1") },
};

function nlriOf(list: Iterable<Prefix>): Uint8Array {
  const buffer = new NlriBuffer();
  for (const one of list) buffer.add(one);
  return buffer.bytes;
}

/** The UPDATEs in the chunks, and their lengths. */
function open(chunks: Iterable<Uint8Array>, context: WireContext): { updates: UpdateMessage[]; lengths: number[] } {
  const stream = Buffer.concat([...chunks]);
  const lengths: number[] = [];
  for (let at = 0; at < stream.length; at += stream.readUInt16BE(at + 16)) lengths.push(stream.readUInt16BE(at + 16));
  return { updates: readAll(stream, context) as UpdateMessage[], lengths };
}

/** Contexts, families of prefix and of next hop: every form that an announcement can take. */
const forms: [string, WireContext, Family, Family][] = [
  ["IPv4", external, 4, 4],
  ["IPv6", external, 6, 6],
  ["IPv4 with an IPv6 next hop", extendedNextHop, 4, 6],
  ["IPv4 in extended messages", extended, 4, 4],
  ["IPv6 in extended messages", extended, 6, 6],
];

describe.each(forms)("packed announcements: %s", (_, context, family, hopFamily) => {
  const block = encodeAttributes(attributes, hop[hopFamily], family, context);

  test("hold every prefix once, in order, with attributes and next hop", () => {
    fc.assert(
      fc.property(fc.array(prefix(family), { maxLength: 3000, size: "max" }), (list) => {
        const { updates } = open(packAnnouncements(block, nlriOf(list), context), context);
        expect(updates.flatMap(({ announced }) => announced.flatMap((one) => one.prefixes))).toEqual(list);
        for (const update of updates) {
          expect(update.attributes).toEqual(attributes);
          expect(update.announced[0]?.nextHop).toEqual(hop[hopFamily]);
        }
      }),
      { numRuns: 5 },
    );
  });

  test("are as few as can be: no message has room for the first prefix of the next", () => {
    fc.assert(
      fc.property(fc.array(prefix(family), { minLength: 2000, maxLength: 3000, size: "max" }), (list) => {
        const { updates, lengths } = open(packAnnouncements(block, nlriOf(list), context), context);
        for (const [i, update] of updates.slice(1).entries()) {
          const next = update.announced[0]?.prefixes[0]?.toNlri().length ?? 0;
          expect((lengths[i] ?? 0) + next).toBeGreaterThan(context.maxSend);
        }
        expect(Math.max(...lengths)).toBeLessThanOrEqual(context.maxSend);
      }),
      { numRuns: 3 },
    );
  });

  test("one UPDATE is what encodeMessage makes of it", () => {
    const list = family === 4 ? prefixes("10.0.0.0/8", "0.0.0.0/0") : prefixes("2001:db8::/32", "::/0");
    const message = {
      kind: "update",
      withdrawn: [],
      announced: [{ nextHop: hop[hopFamily], prefixes: list }],
      attributes,
    } as const;
    const [only, ...others] = packAnnouncements(block, nlriOf(list), context);
    expect(others).toEqual([]);
    expect(toHex(only ?? new Uint8Array())).toBe(toHex(encodeMessage(message, context)));
  });

  test("withdrawals hold every prefix once, in order", () => {
    const bits = context === extended ? 14 : 11;
    const list = [
      ...Prefix.parse(family === 4 ? "10.0.0.0/8" : "2001:db8::/32").subnets(family === 4 ? 8 + bits : 32 + bits),
    ];
    const { updates, lengths } = open(packWithdrawals(family, nlriOf(list), context), context);
    expect(updates.flatMap(({ withdrawn }) => withdrawn)).toEqual(list);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(context.maxSend);
    expect(Math.max(...lengths)).toBeGreaterThan(context.maxSend - 16);
  });
});

describe("packing", () => {
  const block = encodeAttributes(attributes, hop[4], 4, external);

  test("nothing is no UPDATE", () => {
    expect([...packAnnouncements(block, new Uint8Array(), external)]).toEqual([]);
    expect([...packWithdrawals(6, new Uint8Array(), external)]).toEqual([]);
  });

  test("fills a message to the last octet", () => {
    const room = 4096 - 23 - block.attributes.length;
    const list = [...Prefix.parse("10.0.0.0/8").subnets(24)].slice(0, Math.floor(room / 4));
    const exact = nlriOf([...list.slice(1), ...prefixes("10.0.0.0/8", "0.0.0.0/0")].slice(-list.length));
    const padded = Buffer.concat([exact, new Uint8Array(room - exact.length)]); // default routes of one octet
    expect(open(packAnnouncements(block, padded, external), external).lengths).toEqual([4096]);
    const more = Buffer.concat([padded, new Uint8Array(1)]);
    expect(open(packAnnouncements(block, more, external), external).lengths).toEqual([
      4096,
      23 + block.attributes.length + 1,
    ]);
  });

  test("chunks are whole messages of up to 128 KiB, and never written to again", () => {
    const nlri = nlriOf(Prefix.parse("10.0.0.0/8").subnets(24));
    const chunks: { chunk: Uint8Array; copy: string }[] = [];
    for (const chunk of packAnnouncements(block, nlri, external)) chunks.push({ chunk, copy: toHex(chunk) });
    expect(chunks.length).toBeGreaterThan(2);
    for (const { chunk, copy } of chunks) {
      expect(toHex(chunk)).toBe(copy);
      expect(chunk.length).toBeLessThanOrEqual(128 * 1024);
      expect(readAll(chunk).length).toBeGreaterThan(0);
    }
  });

  test("says so when attributes leave no room for a prefix", () => {
    const communities = Array.from({ length: 1010 }, (_, i) => i);
    const large = encodeAttributes({ ...attributes, communities }, hop[6], 6, external);
    expect(() => [...packAnnouncements(large, nlriOf(prefixes("2001:db8::1/128")), external)]).toThrow(EncodeError);
    expect(() => [...packAnnouncements(large, nlriOf(prefixes("2001:db8::1/128")), extended)]).not.toThrow();
  });

  test("attributes and next hop that no session can say are refused", () => {
    expect(() => encodeAttributes(attributes, hop[6], 4, external)).toThrow(EncodeError);
    expect(() => encodeAttributes(attributes, hop[4], 6, external)).toThrow(EncodeError);
  });

  test("RFC 4724 §2: End-of-RIB of both families", () => {
    expect(readAll(Buffer.concat([encodeEndOfRib(4), encodeEndOfRib(6)]))).toMatchObject([
      { endOfRib: { afi: 1, safi: 1 } },
      { endOfRib: { afi: 2, safi: 1 } },
    ]);
  });
});
