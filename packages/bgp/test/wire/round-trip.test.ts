import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Message, type WireContext, encodeMessage } from "../../src/wire/index.ts";
import { announcement, otherMessage } from "./arbitraries.ts";
import { extended, extendedNextHop, external, internal, readOne, twoOctet } from "./bytes.ts";

function comesBack(message: Message, context: WireContext): void {
  expect(readOne(encodeMessage(message, context), context)).toEqual(message);
}

describe("what is written is read again", () => {
  test("OPEN, NOTIFICATION, KEEPALIVE, ROUTE-REFRESH, withdrawals, End-of-RIB", () => {
    fc.assert(
      fc.property(otherMessage, (message) => comesBack(message, external)),
      { numRuns: 500 },
    );
  });

  test.each([
    ["an external peer", external],
    ["an internal peer", internal],
    ["a peer with two-octet AS numbers", twoOctet],
    ["a peer that takes extended messages", extended],
  ])("announcements to %s", (_, context) => {
    const update = fc.oneof(announcement(4, context.peering, [4]), announcement(6, context.peering, [6]));
    fc.assert(
      fc.property(update, (message) => comesBack(message, context)),
      { numRuns: 300 },
    );
  });

  test("announcements to a peer that takes IPv6 next hops for IPv4 (RFC 8950)", () => {
    fc.assert(fc.property(announcement(4, "external", [4, 6]), (message) => comesBack(message, extendedNextHop)));
  });
});
