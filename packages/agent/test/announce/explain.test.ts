import { describe, expect, test } from "vitest";
import { Prefix } from "@trivet/ip";
import { Announcer } from "../../src/announce/announce.ts";
import { diffRoutes } from "../../src/announce/diff.ts";
import { explain } from "../../src/announce/explain.ts";
import { OPEN, instance, ovn, snapshot } from "./world.ts";

const allow = [Prefix.parse("203.0.113.0/24")];
const route = (address: string) => ({ network: "ovn-a", "ipv4.routes.external": address });
const world = snapshot({
  networks: [ovn("ovn-a", { "ipv4.address": "203.0.113.1/28" })],
  instances: [
    instance("ns1", route("203.0.113.53/32")),
    instance("ns2", route("203.0.113.53/32"), { location: "server-2" }),
    instance("off", route("203.0.113.54/32"), { status: "Stopped" }),
    instance("out", route("198.51.100.1/32")),
  ],
});
const announcement = new Announcer({ ...OPEN, allow }).announce(world);
const why = (prefix: string) => explain(announcement, Prefix.parse(prefix), allow);

describe("explaining a prefix", () => {
  test("that routers are asked not to prefer: why", () => {
    const conditions = ["the gateway is lost", "it is old"].map((why) => () => ({ attributes: { med: 5 }, why }));
    const held = new Announcer({ ...OPEN, allow }).announce(world, conditions);
    const { verdict, route: shown } = explain(held, Prefix.parse("203.0.113.53/32"), allow);
    expect(verdict).toMatch(/ \(eth0 on ovn-a\); held back: the gateway is lost; held back: it is old$/);
    expect(shown?.heldBack).toEqual(["the gateway is lost", "it is old"]);
  });

  test("that is announced: what asks for it, by which next hop, and what else does not", () => {
    expect(why("203.0.113.53/32")).toEqual({
      prefix: "203.0.113.53/32",
      announced: true,
      verdict:
        "announced via 172.17.0.10 (the OVN router's address on the uplink): external route of instance default/ns1 (eth0 on ovn-a)",
      route: {
        prefix: "203.0.113.53/32",
        nextHop: "172.17.0.10",
        nextHopFrom: "the OVN router's address on the uplink",
        reasons: ["external route of instance default/ns1 (eth0 on ovn-a)"],
      },
      refused: [
        {
          prefix: "203.0.113.53/32",
          source: "external route of instance default/ns2 (eth0 on ovn-a)",
          code: "elsewhere",
          why: "the instance is on server-2",
        },
      ],
      coveredBy: [],
    });
  });

  test.each([
    [
      "203.0.113.54/32",
      "not announced: external route of instance default/off (eth0 on ovn-a): the instance is stopped",
    ],
    [
      "198.51.100.1/32",
      "not announced: external route of instance default/out (eth0 on ovn-a): `allow` does not contain it",
    ],
    ["203.0.113.5/32", "not announced by itself, but 203.0.113.0/28 is, which contains it"],
    ["203.0.113.99/32", "not announced: no network, forward, load balancer or instance has it"],
    ["192.0.2.1/32", "not announced: nothing has it, and `allow` does not contain it"],
  ])("%s: %s", (prefix, verdict) => {
    expect(why(prefix)).toMatchObject({ announced: false, verdict });
  });
});

describe("what changed for the routers", () => {
  test("new, changed and gone routes; nothing when nothing did", () => {
    const announcer = new Announcer({ ...OPEN, attributes: [] });
    const before = announcer.announce(world);
    expect(diffRoutes(before.routes, announcer.announce(world).routes)).toEqual({ announced: [], withdrawn: [] });
    const after = announcer.announce(
      snapshot({
        networks: [ovn("ovn-a", { "ipv4.address": "203.0.113.1/28" })],
        instances: [
          instance("ns1", route("203.0.113.53/32"), { config: { "user.trivet.announce.med": "5" } }),
          instance("off", route("203.0.113.54/32")),
        ],
      }),
    );
    const { announced, withdrawn } = diffRoutes(before.routes, after.routes);
    expect(announced.map(({ prefix }) => prefix.toString()).sort()).toEqual(["203.0.113.53/32", "203.0.113.54/32"]);
    expect(withdrawn.map(({ prefix }) => prefix.toString())).toEqual(["198.51.100.1/32"]);
  });
});
