import packet from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WireError } from "../src/error.ts";
import { FLAG, TYPE } from "../src/wire/codes.ts";
import { decodeMessage, encodeMessage } from "../src/wire/message.ts";
import { Name } from "../src/wire/name.ts";
import { type ResourceRecord, record, recordText } from "../src/wire/record.ts";
import { EDNS } from "./support.ts";

const RECORDS = [
  record("www.example.org.", 300, "A", "192.0.2.1"),
  record("www.example.org.", 300, "AAAA", "2001:db8::1"),
  record("example.org.", 3600, "MX", "10 mail.example.org."),
  record("example.org.", 3600, "SOA", "ns1.example.org. admin.example.org. 7 3600 900 604800 300"),
  record("_sip._tcp.example.org.", 60, "SRV", "1 2 5060 sip.example.org."),
  record("example.org.", 60, "TXT", '"v=spf1 -all"'),
  record("4.3.2.1.in-addr.arpa.", 60, "PTR", "www.example.org."),
  record("example.org.", 60, "CAA", '0 issue "ca.example.net"'),
];

describe("messages, with dns-packet as the oracle", () => {
  test("dns-packet reads what we write, compression included", () => {
    const bytes = encodeMessage({
      id: 1234,
      flags: FLAG.QR | FLAG.AA,
      question: { name: Name.parse("www.example.org."), type: TYPE.A },
      answers: RECORDS,
    });
    const theirs = packet.decode(Buffer.from(bytes));
    expect(theirs.id).toBe(1234);
    expect(theirs.answers?.map(({ name, type }) => `${name}. ${type}`)).toEqual(
      RECORDS.map((made) =>
        recordText(made)
          .split(" ")
          .filter((_, i) => i === 0 || i === 3)
          .join(" "),
      ),
    );
    const [, , mx, soa, srv] = theirs.answers ?? [];
    expect(mx).toMatchObject({ data: { preference: 10, exchange: "mail.example.org" } });
    expect(soa).toMatchObject({ data: { mname: "ns1.example.org", serial: 7, minimum: 300 } });
    expect(srv).toMatchObject({ data: { priority: 1, weight: 2, port: 5060, target: "sip.example.org" } });
  });

  test("we read what dns-packet writes", () => {
    const bytes = packet.encode({
      id: 77,
      type: "response",
      questions: [{ name: "example.org", type: "MX" }],
      answers: [
        { name: "example.org", type: "MX", ttl: 60, data: { preference: 5, exchange: "mx.example.org" } },
        { name: "example.org", type: "TXT", ttl: 60, data: ["a", "b"] },
      ],
      additionals: [{ name: "mx.example.org", type: "A", ttl: 60, data: "192.0.2.9" }],
    });
    const ours = decodeMessage(bytes);
    expect(ours.answers.map(recordText)).toEqual([
      "example.org. 60 IN MX 5 mx.example.org.",
      'example.org. 60 IN TXT "a" "b"',
    ]);
    expect(ours.additionals.map(recordText)).toEqual(["mx.example.org. 60 IN A 192.0.2.9"]);
  });

  test("names in types newer than RFC 1035 are not compressed (RFC 3597 §4)", () => {
    const bytes = encodeMessage({
      id: 1,
      question: { name: Name.parse("sip.example.org."), type: TYPE.SRV },
      answers: [record("sip.example.org.", 60, "SRV", "1 2 3 sip.example.org.")],
    });
    expect(bytes).toHaveLength(12 + 17 + 4 + 2 + 10 + 6 + 17);
  });
});

describe("messages", () => {
  const anyRecord = fc.constantFrom(...RECORDS);
  const section = fc.array(anyRecord, { maxLength: 5 });

  test("what is written is read again", () => {
    fc.assert(
      fc.property(section, section, section, fc.nat(0xffff), (answers, authorities, additionals, id) => {
        const question = { name: Name.parse("Www.Example.Org."), type: TYPE.A };
        const message = decodeMessage(encodeMessage({ id, question, answers, authorities, additionals, edns: EDNS }));
        const texts = (records: readonly ResourceRecord[]): string[] => records.map(recordText);
        expect(message.id).toBe(id);
        expect(message.questions[0]?.name.toString()).toBe("Www.Example.Org.");
        expect(
          [message.answers, message.authorities, message.additionals].map((records) =>
            texts(records).map((t) => t.toLowerCase()),
          ),
        ).toEqual([answers, authorities, additionals].map((records) => texts(records).map((t) => t.toLowerCase())));
        expect(message.edns).toEqual(EDNS);
      }),
    );
  });

  test("extended RCODEs are split between header and OPT record (RFC 6891 §6.1.3)", () => {
    const bytes = encodeMessage({ id: 1, rcode: 16, question: { name: Name.root, type: TYPE.A }, edns: EDNS });
    expect((bytes[3] ?? 0) & 0xf).toBe(0);
    expect(decodeMessage(bytes).rcode).toBe(16);
  });

  test.each([
    ["cut short", (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ["with octets behind it", (bytes: Uint8Array) => Uint8Array.from([...bytes, 0])],
    [
      "with two OPT records",
      (bytes: Uint8Array) => {
        const two = Uint8Array.from([...bytes, ...bytes.subarray(-11)]);
        two[11] = 2;
        return two;
      },
    ],
  ])("a message %s is an error", (_, spoil) => {
    const bytes = encodeMessage({ id: 1, question: { name: Name.parse("a."), type: TYPE.A }, edns: EDNS });
    expect(() => decodeMessage(spoil(bytes))).toThrow(WireError);
  });
});
