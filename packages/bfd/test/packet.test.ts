import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ControlPacket, STATES, decodePacket, encodePacket } from "../src/wire/packet.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const packets: fc.Arbitrary<ControlPacket> = fc.record({
  diagnostic: fc.nat(31),
  state: fc.constantFrom(...STATES),
  poll: fc.boolean(),
  final: fc.boolean(),
  controlPlaneIndependent: fc.boolean(),
  demand: fc.boolean(),
  detectMultiplier: fc.integer({ min: 1, max: 255 }),
  myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
  yourDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
  desiredMinTx: u32,
  requiredMinRx: u32,
  requiredMinEchoRx: u32,
});

/** RFC 5880 §4.1, by hand: version 1, diagnostic 3, state Up, final, multiplier 3, 1 -> 2, 300 ms, 400 ms, no echo. */
const sample = "23d00318000000010000000200".concat("0493e0", "00061a80", "00000000");
const changed = (offset: number, value: number): Buffer => {
  const bytes = Buffer.from(sample, "hex");
  bytes[offset] = value;
  return bytes;
};

describe("RFC 5880 §4.1 control packet", () => {
  test("encodes and decodes the octets of the figure", () => {
    const packet = decodePacket(Buffer.from(sample, "hex"));
    expect(packet).toEqual({
      diagnostic: 3,
      state: "Up",
      poll: false,
      final: true,
      controlPlaneIndependent: false,
      demand: false,
      detectMultiplier: 3,
      myDiscriminator: 1,
      yourDiscriminator: 2,
      desiredMinTx: 300_000,
      requiredMinRx: 400_000,
      requiredMinEchoRx: 0,
    });
    expect(encodePacket(packet as ControlPacket).toString("hex")).toBe(sample);
  });

  test("round trip", () => {
    fc.assert(
      fc.property(packets, (packet) => {
        expect(decodePacket(encodePacket(packet))).toEqual(packet);
      }),
    );
  });
});

describe("RFC 5880 §6.8.6 packets to discard", () => {
  test.each([
    ["another version", changed(0, 0x43), "version 2, not 1"],
    ["a length below the mandatory section", changed(3, 23), "length field 23 in 24 octets"],
    ["a length beyond the payload", changed(3, 25), "length field 25 in 24 octets"],
    ["too few octets", Buffer.from(sample, "hex").subarray(0, 23), "23 octets, fewer than 24"],
    ["detect multiplier zero", changed(2, 0), "detect multiplier 0"],
    ["the multipoint bit", changed(1, 0xd1), "multipoint bit set"],
    ["my discriminator zero", changed(7, 0), "my discriminator 0"],
    ["your discriminator zero while up", changed(11, 0), "your discriminator 0 in state Up"],
    [
      "authentication",
      Buffer.concat([changed(1, 0xd4).fill(26, 3, 4), Buffer.from([1, 2])]),
      "authentication is in use at the peer, and not here",
    ],
    ["authentication bit without room for it", changed(1, 0xd4), "length field 24 in 24 octets"],
  ])("%s", (_name, bytes, reason) => {
    expect(decodePacket(bytes)).toEqual({ discard: reason });
  });

  test("any octets give a packet or a reason, never an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const result = decodePacket(bytes);
        if (!("discard" in result)) expect(decodePacket(encodePacket(result))).toEqual(result);
      }),
      { numRuns: 5_000 },
    );
  });
});
