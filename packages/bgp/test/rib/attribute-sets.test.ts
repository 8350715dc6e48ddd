import { Address, Prefix } from "@trivet/ip";
import { describe, expect, test } from "vitest";
import { type RouteAttributes, RouteError } from "@trivet/bgp";
import { AttributeSets } from "../../src/rib/attribute-sets.ts";

const prefix = Prefix.parse("10.0.0.0/8");
const nextHop = Address.parse("192.0.2.1");

describe("attribute sets", () => {
  test("are the same when they mean the same", () => {
    const sets = new AttributeSets(() => undefined);
    const id = sets.intern({ prefix, nextHop, attributes: { communities: [1, 2], origin: "igp" } });
    const hop = Address.parse("192.0.2.1");
    expect(sets.intern({ prefix, nextHop: hop, attributes: { communities: [2, 1], prepend: 0 } })).toBe(id);
    expect(sets.intern({ prefix, nextHop, attributes: { communities: [1, 3] } })).not.toBe(id);
    expect(sets.intern({ prefix, attributes: { communities: [1, 2] } })).not.toBe(id);
  });

  test("are forgotten with their last route, and their numbers are not used again", () => {
    const forgotten: number[] = [];
    const sets = new AttributeSets((id) => forgotten.push(id));
    const attributes = { med: 1 };
    const first = sets.intern({ prefix, nextHop, attributes });
    sets.retain(first);
    sets.retain(first);
    sets.release(first);
    expect([forgotten, sets.size]).toEqual([[], 1]);
    sets.release(first);
    expect([forgotten, sets.size]).toEqual([[first], 0]);
    expect(sets.intern({ prefix, nextHop, attributes })).not.toBe(first);
  });

  test.each<[RouteAttributes, string]>([
    [{ med: -1 }, "MED -1; it must be a whole number from 0 to 4294967295"],
    [{ localPref: 1.5 }, "local preference 1.5; it must be a whole number from 0 to 4294967295"],
    [{ communities: [2 ** 32] }, "community 4294967296; it must be a whole number from 0 to 4294967295"],
    [{ prepend: 251 }, "prepend 251; it must be from 0 to 250"],
  ])("%j is refused", (attributes, reason) => {
    const sets = new AttributeSets(() => undefined);
    expect(() => sets.intern({ prefix, nextHop, attributes })).toThrow(new RouteError("10.0.0.0/8", `has ${reason}`));
  });
});
