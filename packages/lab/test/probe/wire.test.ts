import { Name, TYPE, encodeMessage, txtRdata } from "@trivet/dns";
import { describe, expect, test } from "vitest";
import { dnsWire, echoWire, fullNumber } from "../../src/probe/wire.ts";

const name = Name.parse("id.server.");
const question = { name, type: TYPE.TXT, class: 3 };
const answers = [{ name, type: TYPE.TXT, ttl: 0, rdata: txtRdata("dns02") }];
const RESPONSE = 0x8000;

describe("probes by DNS", () => {
  test("ask who answers, with the probe's number as the message's", () => {
    const wire = dnsWire();
    expect(Buffer.from(wire.request(0x12345))).toEqual(Buffer.from(encodeMessage({ id: 0x2345, question })));
  });

  test("are answered by an instance that says its name", () => {
    const message = encodeMessage({ id: 7, flags: RESPONSE, question, answers });
    expect(dnsWire().answer(Buffer.from(message))).toEqual({ number: 7, by: "dns02" });
  });

  test.each([
    ["a refusal", encodeMessage({ id: 7, flags: RESPONSE, rcode: 5, question })],
    ["an empty answer", encodeMessage({ id: 7, flags: RESPONSE, question })],
    ["their own question", encodeMessage({ id: 7, question, answers })],
    ["what is no DNS message", Buffer.alloc(30, 0xff)],
    ["a few octets", Buffer.from([0, 7])],
  ])("%s is no answer", (_, message) => {
    expect(dnsWire().answer(Buffer.from(message))).toBeUndefined();
  });
});

describe("probes by ICMP", () => {
  test.each([
    [4, 8, 0],
    [6, 128, 129],
  ] as const)("IPv%d: request %d, reply %d, with the probe's number", (family, request, reply) => {
    const wire = echoWire(family, "mx01");
    const bytes = Buffer.from(wire.request(0x1fffe));
    expect(bytes[0]).toBe(request);
    expect(wire.answer(bytes)).toBeUndefined();
    bytes[0] = reply;
    expect(wire.answer(bytes)).toEqual({ number: 0xfffe, by: "mx01" });
  });
});

describe("the number that is meant", () => {
  test.each([
    [5, 6, 5],
    [0xffff, 0x10002, 0xffff],
    [1, 0x10002, 0x10001],
    [2, 0x10002, 2],
  ])("%d, when %d comes next, is %d", (low, next, number) => {
    expect(fullNumber(low, next)).toBe(number);
  });
});
