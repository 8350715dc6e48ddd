import { Prefix } from "@trivet/ip";
import { describe, expect, test } from "vitest";
import { TsigKey } from "../src/tsig/key.ts";
import { mayTransfer } from "../src/transfer/access.ts";
import { fullTransfer, fullTransferMessages, incrementalTransfer, transferMessages } from "../src/transfer/outbound.ts";
import { decodeMessage } from "../src/wire/message.ts";
import { Name } from "../src/wire/name.ts";
import { type ResourceRecord, record, recordText } from "../src/wire/record.ts";
import { ZoneStore } from "../src/zone/store.ts";
import { Zone } from "../src/zone/zone.ts";

const origin = Name.parse("example.");
const soa = (serial: number): ResourceRecord => record(origin, 60, "SOA", `ns. admin. ${serial} 2 3 4 5`);
const NS = record(origin, 60, "NS", "ns.example.org.");
const host = (i: number): ResourceRecord => record(`host${i}.example.`, 60, "A", `10.0.${i >> 8}.${i & 255}`);
const zone = (serial: number, ...records: ResourceRecord[]): Zone => Zone.build(origin, [soa(serial), NS, ...records]);
const brief = (records: Iterable<ResourceRecord>): string[] =>
  [...records].map((made) =>
    made.type === 6 ? `SOA ${recordText(made).split(" ")[6]}` : (recordText(made).split(" ")[0] ?? ""),
  );

describe("RFC 5936: AXFR", () => {
  test("all records once, between two copies of the SOA record (§2.2)", () => {
    expect(brief(fullTransfer(zone(9, host(1), host(2))).records)).toEqual([
      "SOA 9",
      "example.",
      "host1.example.",
      "host2.example.",
      "SOA 9",
    ]);
  });

  test("messages are bounded, the question is in the first, AA and id in all (§2.2.1)", () => {
    const big = zone(1, ...Array.from({ length: 5000 }, (_, i) => host(i)));
    const all: ResourceRecord[] = [];
    let count = 0;
    for (const bytes of transferMessages({ name: origin, type: 252 }, fullTransfer(big).records)) {
      expect(bytes.length).toBeLessThan(0x4000 + 300);
      const message = decodeMessage(bytes);
      expect(message).toMatchObject({ id: 0, rcode: 0, flags: 0x8400 });
      expect(message.questions).toHaveLength(count++ === 0 ? 1 : 0);
      all.push(...message.answers);
    }
    expect(count).toBeGreaterThan(5);
    expect(brief(all)).toEqual(brief(fullTransfer(big).records));
  });

  test("those who ask for one version share its messages, also when one began before the other ended", () => {
    const big = zone(1, ...Array.from({ length: 5000 }, (_, i) => host(i)));
    const expected = [...transferMessages({ name: origin, type: 252 }, fullTransfer(big).records)].length;
    const first = fullTransferMessages(big)[Symbol.iterator]();
    const head = first.next().value;
    const second = [...fullTransferMessages(big)];
    expect(second).toHaveLength(expected);
    expect(second[0]).toBe(head);
    expect(first.next().value).toBe(second[1]);
    expect(brief(second.flatMap((bytes) => decodeMessage(bytes).answers))).toEqual(brief(fullTransfer(big).records));
  });

  test("a record larger than a message's usual size gets one of its own, with room for a signature", () => {
    const large = (i: number): ResourceRecord => ({ ...host(i), type: 65280, rdata: new Uint8Array(64_000) });
    const big = zone(1, host(1), large(2), large(3), host(4));
    const sizes = [...transferMessages({ name: origin, type: 252 }, fullTransfer(big).records)].map(
      (bytes) => bytes.length,
    );
    expect(sizes.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(0xffff - 358);
  });
});

describe("RFC 1995: IXFR", () => {
  const store = new ZoneStore();
  for (const version of [zone(1, host(1)), zone(2, host(1), host(2)), zone(4, host(2), host(3))])
    store.replace(version);
  const newest = store.get(origin) ?? zone(0);
  const since = (serial: number) => incrementalTransfer(newest, store.journal(origin), serial);

  test("the steps since the client's version: removed ones after the old SOA, added ones after the new (§4)", () => {
    expect(brief(since(1).records)).toEqual([
      "SOA 4",
      "SOA 1",
      "SOA 2",
      "host2.example.",
      "SOA 2",
      "host1.example.",
      "SOA 4",
      "host3.example.",
      "SOA 4",
    ]);
    expect(brief(since(2).records)).toEqual(["SOA 4", "SOA 2", "host1.example.", "SOA 4", "host3.example.", "SOA 4"]);
  });

  test("a client that has it all, or more, gets the SOA record (§2)", () => {
    expect(brief(since(4).records)).toEqual(["SOA 4"]);
    expect(brief(since(5).records)).toEqual(["SOA 4"]);
  });

  test("a version that is not in the journal: the whole zone (§4)", () => {
    const transfer = since(3);
    expect(transfer.incremental).toBe(false);
    expect(brief(transfer.records)).toEqual(["SOA 4", "example.", "host2.example.", "host3.example.", "SOA 4"]);
  });

  test("more changes than the zone has records: the whole zone (§5)", () => {
    const busy = new ZoneStore();
    for (let serial = 1; serial < 50; serial++) busy.replace(zone(serial, host(serial)));
    const last = busy.get(origin) ?? zone(0);
    expect(incrementalTransfer(last, busy.journal(origin), 1).incremental).toBe(false);
    expect(incrementalTransfer(last, busy.journal(origin), 40).incremental).toBe(true);
  });
});

describe("who may transfer", () => {
  const inside = Uint8Array.of(192, 0, 2, 9);
  const outside = Uint8Array.of(198, 51, 100, 9);
  const key = new TsigKey("k.", "hmac-sha256", "c2VjcmV0");
  const from = [Prefix.parse("192.0.2.0/24")];

  test("nobody without a rule", () => {
    expect(mayTransfer([], origin, inside, key)).toBe(false);
  });

  test("all that a rule says must hold, and one rule is enough", () => {
    const both = [{ from, key: key.name }];
    expect(mayTransfer(both, origin, inside, key)).toBe(true);
    expect(mayTransfer(both, origin, inside, undefined)).toBe(false);
    expect(mayTransfer(both, origin, outside, key)).toBe(false);
    expect(mayTransfer([{ from: [Prefix.parse("2001:db8::/32")] }, { key: key.name }], origin, inside, key)).toBe(true);
    expect(mayTransfer([{ zones: [Name.parse("other.")] }], origin, inside, key)).toBe(false);
  });
});
