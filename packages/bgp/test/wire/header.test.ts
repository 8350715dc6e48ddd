import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WireError } from "../../src/error.ts";
import { type Message, MessageReader, encodeMessage } from "../../src/wire/index.ts";
import {
  AS_PATH,
  NEXT_HOP,
  NLRI,
  ORIGIN,
  external,
  extended,
  fault,
  frame,
  hex,
  readAll,
  readOne,
  updateBytes,
} from "./bytes.ts";

const keepalive = frame(4, hex(""));
const update = updateBytes({ attributes: ORIGIN + AS_PATH + NEXT_HOP, nlri: NLRI });

describe("RFC 4271 §6.1 message header", () => {
  test("a marker that is not all ones: Connection Not Synchronized", () => {
    expect(fault(() => readAll(hex("ff".repeat(15) + "fe001304")))).toEqual([1, 1, ""]);
  });

  test.each([
    ["under 19 octets", 4, 18],
    ["a KEEPALIVE of 20", 4, 20],
    ["an OPEN of 28", 1, 28],
    ["an UPDATE of 22", 2, 22],
    ["a NOTIFICATION of 20", 3, 20],
    ["a ROUTE-REFRESH of 22", 5, 22],
    ["an UPDATE of 4097", 2, 4097],
  ])("%s: Bad Message Length, with the length as data", (_, type, length) => {
    const field = length.toString(16).padStart(4, "0");
    expect(fault(() => readAll(hex("ff".repeat(16) + field + `0${type}`)))).toEqual([1, 2, field]);
  });

  test.each([0, 6, 255])("type %i: Bad Message Type, with the type as data", (type) => {
    const octet = type.toString(16).padStart(2, "0");
    expect(fault(() => readAll(frame(type, hex("0000"))))).toEqual([1, 3, octet]);
  });

  test("after a fault the stream stays at fault", () => {
    const reader = new MessageReader();
    reader.push(hex("00".repeat(19)));
    expect(() => reader.next()).toThrow(WireError);
    reader.push(keepalive);
    expect(() => reader.next()).toThrow(WireError);
  });
});

describe("RFC 8654 extended messages", () => {
  const long = updateBytes({ withdrawn: "18c63364".repeat(1500) });

  test("are read where they were offered, and only there", () => {
    expect(long.length).toBeGreaterThan(4096);
    expect(readOne(long, extended)).toMatchObject({ kind: "update" });
    expect(fault(() => readAll(long, external))).toEqual([1, 2, "1787"]);
  });

  test("§4: an OPEN is never one", () => {
    expect(fault(() => readAll(hex("ff".repeat(16) + "100101"), extended))).toEqual([1, 2, "1001"]);
  });
});

describe("MessageReader", () => {
  const stream = Buffer.concat([keepalive, update, update, keepalive, update]);
  const whole = readAll(stream);

  test("gives the same messages however the stream is cut", () => {
    expect(whole.map(({ kind }) => kind)).toEqual(["keepalive", "update", "update", "keepalive", "update"]);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 30 }), (cuts) => {
        const at = [0, ...cuts, stream.length].sort((a, b) => a - b);
        const reader = new MessageReader();
        reader.context = external;
        const messages: Message[] = [];
        for (const [i, from] of at.slice(0, -1).entries()) {
          reader.push(stream.subarray(from, at[i + 1]));
          for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
        }
        expect(messages).toEqual(whole);
      }),
    );
  });

  test("keeps what is not asked for yet", () => {
    const reader = new MessageReader();
    reader.context = external;
    for (const octet of stream) reader.push(Uint8Array.of(octet));
    for (const message of whole) expect(reader.next()).toEqual(message);
    expect(reader.next()).toBeUndefined();
  });

  test("reads each message under the context of its time", () => {
    const reader = new MessageReader();
    reader.push(Buffer.concat([keepalive, update]));
    expect(reader.next()).toEqual({ kind: "keepalive" });
    reader.context = external;
    expect(reader.next()).toMatchObject({ attributes: { asPath: [{ asns: [64496] }] } });
  });

  test.each([
    ["Uint8Array", frame(3, hex("060203616263"))],
    ["Buffer", Buffer.from(frame(3, hex("060203616263")))],
  ])("messages are copies: the %s pushed may be used again", (_, chunk) => {
    const message = readOne(chunk);
    chunk.fill(0);
    expect(message).toEqual({ kind: "notification", code: 6, subcode: 2, data: hex("03616263") });
  });
});

describe("KEEPALIVE and ROUTE-REFRESH", () => {
  test("a KEEPALIVE is a header (RFC 4271 §4.4)", () => {
    expect(encodeMessage({ kind: "keepalive" }, external)).toEqual(keepalive);
  });

  test.each([
    ["a request", 0, "00010001"],
    ["begin", 1, "00010101"],
    ["end", 2, "00010201"],
  ])("RFC 7313 §3.2: %s", (_, subtype, body) => {
    const message = { kind: "route-refresh", family: { afi: 1, safi: 1 }, subtype } as const;
    expect(encodeMessage(message, external)).toEqual(frame(5, hex(body)));
    expect(readOne(frame(5, hex(body)))).toEqual(message);
  });

  test("RFC 7313 §5: another length is Invalid Message Length, with the whole message as data", () => {
    const message = frame(5, hex("0001010100"));
    expect(fault(() => readAll(message))).toEqual([7, 1, Buffer.from(message).toString("hex")]);
  });
});
