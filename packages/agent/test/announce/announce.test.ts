import { describe, expect, test } from "vitest";
import { Prefix } from "@trivet/ip";
import type { Instance, NetworkForward } from "@trivet/lxd";
import { Announcer } from "../../src/announce/announce.ts";
import { describeSource } from "../../src/announce/candidate.ts";
import type { Condition } from "../../src/announce/condition.ts";
import type { AnnounceConfig } from "../../src/announce/config.ts";
import { diffRoutes } from "../../src/announce/diff.ts";
import type { LoadBalancer, Network } from "../../src/inventory/snapshot.ts";
import { OPEN, bridge, instance, ovn, snapshot, uplink } from "./world.ts";

interface World {
  networks?: Network[];
  instances?: Instance[];
  clustered?: boolean;
}

/** What is announced, as `PREFIX via NEXTHOP`, and what is not, as `PREFIX: CODE`. */
function announce(world: World, config: Partial<AnnounceConfig> = {}) {
  const { routes, refused, problems } = new Announcer({ ...OPEN, ...config }).announce(snapshot(world));
  return {
    announced: [...routes.values()]
      .map(({ prefix, nextHop }) => `${prefix.toString()} via ${nextHop?.toString() ?? "self"}`)
      .sort(),
    refused: refused.map(({ prefix, refusal }) => `${prefix.toString()}: ${refusal.code}`).sort(),
    problems: problems.map(({ key, value, why }) => `${key}=${value}: ${why}`),
    routes,
  };
}

const announced = (world: World, config?: Partial<AnnounceConfig>): string[] => announce(world, config).announced;

const forward = (listen_address: string, location?: string): NetworkForward => ({
  listen_address,
  description: "",
  config: {},
  ports: [],
  ...(location === undefined ? {} : { location }),
});

const balancer = (listen_address: string, online?: boolean): LoadBalancer => ({
  listen_address,
  description: "",
  config: {},
  backends: [],
  ports: [],
  ...(online === undefined ? {} : { online }),
});

const DUAL = { "ipv4.address": "203.0.113.1/28", "ipv6.address": "2001:db8:1::1/64" };
const ROUTES = {
  network: "ovn-a",
  "ipv4.routes.external": "203.0.113.65/32",
  "ipv6.routes.external": "2001:db8:f::53/128",
};

describe("subnets", () => {
  test("an OVN network's are announced by every server, via its router's address on the uplink", () => {
    expect(announced({ networks: [ovn("ovn-a", DUAL)] })).toEqual([
      "2001:db8:1::/64 via fd00:17::10",
      "203.0.113.0/28 via 172.17.0.10",
    ]);
  });

  test("a bridge's are announced via this server", () => {
    expect(announced({ networks: [bridge("br0", DUAL)] })).toEqual([
      "2001:db8:1::/64 via self",
      "203.0.113.0/28 via self",
    ]);
  });

  test("behind NAT the subnet is not announced, but its NAT address is", () => {
    const nat = { "ipv4.nat": "true", "ipv4.nat.address": "203.0.113.200" };
    const result = announce({ networks: [ovn("ovn-a", { ...DUAL, ...nat })] });
    expect(result.announced).toEqual(["2001:db8:1::/64 via fd00:17::10", "203.0.113.200/32 via 172.17.0.10"]);
    expect(result.refused).toEqual(["203.0.113.0/28: nat"]);
  });

  test("behind NAT without an own address nothing is announced", () => {
    const nat = { "ipv4.nat": "true", "ipv6.nat": "true" };
    expect(announced({ networks: [ovn("ovn-a", { ...DUAL, ...nat })] })).toEqual([]);
  });

  test("a NAT address counts only where there is NAT", () => {
    expect(announced({ networks: [ovn("ovn-a", { "ipv4.nat.address": "203.0.113.200" })] })).toEqual([]);
  });

  test("a physical network's are not announced: it is the uplink itself", () => {
    expect(announced({ networks: [{ ...uplink(DUAL), name: "other" }] })).toEqual([]);
  });

  test("an OVN network without an uplink cannot be reached", () => {
    const result = announce({ networks: [ovn("ovn-a", { ...DUAL, network: "none" })] });
    expect(result.announced).toEqual([]);
    expect(result.refused).toEqual(["2001:db8:1::/64: no-uplink", "203.0.113.0/28: no-uplink"]);
  });
});

describe("next hop", () => {
  test("bgp.ipvN.nexthop of the uplink comes before the OVN router's address", () => {
    const networks = [
      uplink({ "bgp.ipv4.nexthop": "172.17.0.2", "bgp.ipv6.nexthop": "fd00:17::2" }),
      ovn("ovn-a", { ...DUAL, "bgp.ipv4.nexthop": "192.0.2.99" }),
    ];
    expect(announced({ networks })).toEqual(["2001:db8:1::/64 via fd00:17::2", "203.0.113.0/28 via 172.17.0.2"]);
  });

  test("bgp.ipvN.nexthop of a bridge is its own", () => {
    expect(announced({ networks: [bridge("br0", { ...DUAL, "bgp.ipv4.nexthop": "192.0.2.1" })] })).toEqual([
      "2001:db8:1::/64 via self",
      "203.0.113.0/28 via 192.0.2.1",
    ]);
  });

  test("0.0.0.0 and :: mean this server, as in LXD", () => {
    const networks = [uplink({ "bgp.ipv4.nexthop": "0.0.0.0", "bgp.ipv6.nexthop": "::" }), ovn("ovn-a", DUAL)];
    expect(announced({ networks })).toEqual(["2001:db8:1::/64 via self", "203.0.113.0/28 via self"]);
  });

  test("one of the wrong family, or none at all, keeps the route back", () => {
    const networks = [uplink({ "bgp.ipv4.nexthop": "fd00::1", "bgp.ipv6.nexthop": "garbage" }), ovn("ovn-a", DUAL)];
    const result = announce({ networks });
    expect(result.announced).toEqual([]);
    expect(result.refused).toEqual(["2001:db8:1::/64: bad-nexthop", "203.0.113.0/28: bad-nexthop"]);
  });
});

describe("forwards and load balancers", () => {
  test("an OVN network's are announced by every server", () => {
    const more = {
      forwards: [forward("203.0.113.70"), forward("2001:db8:f::70", "server-2")],
      loadBalancers: [balancer("203.0.113.80"), balancer("2001:db8:f::80", true)],
    };
    expect(announced({ networks: [ovn("ovn-a", {}, more)] })).toEqual([
      "2001:db8:f::70/128 via fd00:17::10",
      "2001:db8:f::80/128 via fd00:17::10",
      "203.0.113.70/32 via 172.17.0.10",
      "203.0.113.80/32 via 172.17.0.10",
    ]);
  });

  test("a bridge's forward belongs to one server", () => {
    const more = { forwards: [forward("203.0.113.70", "server-1"), forward("203.0.113.71", "server-2")] };
    const result = announce({ networks: [bridge("br0", {}, more)] });
    expect(result.announced).toEqual(["203.0.113.70/32 via self"]);
    expect(result.refused).toEqual(["203.0.113.71/32: elsewhere"]);
  });

  test("a load balancer without a healthy backend is not announced", () => {
    const result = announce({ networks: [ovn("ovn-a", {}, { loadBalancers: [balancer("203.0.113.80", false)] })] });
    expect(result.announced).toEqual([]);
    expect(result.refused).toEqual(["203.0.113.80/32: no-backend"]);
  });
});

describe("instances", () => {
  const networks = [ovn("ovn-a")];

  test("the external routes of one running here are announced", () => {
    expect(announced({ networks, instances: [instance("c1", ROUTES)] })).toEqual([
      "2001:db8:f::53/128 via fd00:17::10",
      "203.0.113.65/32 via 172.17.0.10",
    ]);
  });

  test.each([
    [{ location: "server-2" }, "elsewhere"],
    [{ status: "Stopped" }, "not-running"],
    [{ status: "Frozen" }, "not-running"],
  ])("with %j they are not: %s", (more, code) => {
    const result = announce({ networks, instances: [instance("c1", ROUTES, more)] });
    expect(result.announced).toEqual([]);
    expect(result.refused).toEqual([`2001:db8:f::53/128: ${code}`, `203.0.113.65/32: ${code}`]);
  });

  test("on a standalone server every instance is here, whatever its location says", () => {
    const alone = instance("c1", ROUTES, { location: "none" });
    expect(announced({ networks, instances: [alone], clustered: false })).toHaveLength(2);
  });

  test("several routes of a NIC are a comma-separated list", () => {
    const nic = { network: "ovn-a", "ipv4.routes.external": "203.0.113.65/32, 203.0.113.72/29,203.0.113.66/32" };
    expect(announced({ networks, instances: [instance("c1", nic)] })).toEqual([
      "203.0.113.65/32 via 172.17.0.10",
      "203.0.113.66/32 via 172.17.0.10",
      "203.0.113.72/29 via 172.17.0.10",
    ]);
  });

  test("a NIC names a network of its project, or of default if the project has none of its own", () => {
    const web = ovn("ovn-a", { "volatile.network.ipv4.address": "172.17.0.77" }, { project: "web" });
    const nic = (address: string) => ({ network: "ovn-a", "ipv4.routes.external": address });
    const instances = [
      instance("c1", nic("203.0.113.1/32"), { project: "web" }),
      instance("c1", nic("203.0.113.2/32"), { project: "mail" }),
    ];
    expect(announced({ networks: [...networks, web], instances })).toEqual([
      "203.0.113.1/32 via 172.17.0.77",
      "203.0.113.2/32 via 172.17.0.10",
    ]);
  });

  test("user.bgp.routes of a NIC on the uplink says its own next hops", () => {
    const nic = {
      nictype: "bridged",
      parent: "br-uplink",
      "user.bgp.routes": "203.0.113.9/32_172.17.0.9,2001:db8:9::/48_fd00:17::9",
    };
    expect(announced({ instances: [instance("router", nic)] })).toEqual([
      "2001:db8:9::/48 via fd00:17::9",
      "203.0.113.9/32 via 172.17.0.9",
    ]);
  });

  test.each([
    ["user.bgp.routes", "203.0.113.9/32", "PREFIX_NEXTHOP"],
    ["user.bgp.routes", "203.0.113.9/24_172.17.0.9", "host bits"],
    ["user.bgp.routes", "203.0.113.9/32_fd00::1", "mixes"],
    ["user.bgp.routes", "203.0.113.9/32_1_2", "PREFIX_NEXTHOP"],
    ["ipv4.routes.external", "203.0.113.300/32", "over 255"],
  ])("a wrong %s (%s) is reported and harms nothing else", (key, value, why) => {
    const instances = [
      instance("bad", {
        network: "ovn-a",
        [key]: `${value},203.0.113.50/32_172.17.0.9`.slice(0, key === "user.bgp.routes" ? 99 : value.length),
      }),
      instance("good", ROUTES),
    ];
    const result = announce({ networks, instances });
    expect(result.announced).toContain("203.0.113.65/32 via 172.17.0.10");
    expect(result.problems).toHaveLength(1);
    expect(result.problems[0]).toContain(`${key}=${value}: `);
    expect(result.problems[0]).toContain(why);
    if (key === "user.bgp.routes") expect(result.announced).toContain("203.0.113.50/32 via 172.17.0.9");
  });
});

describe("an instance's own addresses", () => {
  const networks = [ovn("ovn-a", DUAL)];
  const one = instance(
    "c1",
    { network: "ovn-a", "ipv4.address": "203.0.113.5" },
    { config: { "volatile.eth0.hwaddr": "00:16:3e:12:34:56" } },
  );
  const hosts = ["2001:db8:1:0:216:3eff:fe12:3456/128 via fd00:17::10", "203.0.113.5/32 via 172.17.0.10"];
  const subnets = ["2001:db8:1::/64 via fd00:17::10", "203.0.113.0/28 via 172.17.0.10"];

  test("are announced only where that is wanted", () => {
    expect(announced({ networks, instances: [one] })).toEqual(subnets);
    expect(announced({ networks, instances: [one] }, { addresses: true })).toEqual([...hosts, ...subnets].sort());
  });

  test("may be wanted by the network and family", () => {
    const wanting = [ovn("ovn-a", { ...DUAL, "bgp.ipv4.instances": "true" })];
    expect(announced({ networks: wanting, instances: [one] })).toEqual([hosts[1] ?? "", ...subnets].sort());
  });

  test.each([
    ["true", false, 4],
    ["false", true, 2],
  ])("user.trivet.announce.addresses=%s overrides addresses: %s", (value, addresses, count) => {
    const own = { ...one, expanded_config: { "user.trivet.announce.addresses": value } };
    expect(announced({ networks, instances: [own] }, { addresses })).toHaveLength(count);
  });

  test("with stateful DHCP the IPv6 address is not guessed from the MAC address", () => {
    const stateful = [ovn("ovn-a", { ...DUAL, "ipv6.dhcp.stateful": "true" })];
    expect(announced({ networks: stateful, instances: [one] }, { addresses: true })).not.toContain(hosts[0]);
  });

  test("those LXD noted are announced", () => {
    const noted = { "volatile.eth0.last_state.ip_addresses": "203.0.113.6,2001:db8:1::6" };
    const guest = instance(
      "c2",
      { network: "ovn-a" },
      { config: { ...noted, "volatile.eth0.hwaddr": "00:16:3e:12:34:56" } },
    );
    expect(announced({ networks, instances: [guest] }, { addresses: true })).toEqual(
      ["2001:db8:1::6/128 via fd00:17::10", "203.0.113.6/32 via 172.17.0.10", ...subnets].sort(),
    );
  });
});

describe("filters", () => {
  const networks = [
    ovn("ovn-a", DUAL),
    { ...uplink({ parent: "br-other" }), name: "OTHER" },
    ovn("ovn-b", { network: "OTHER", "ipv4.address": "198.51.100.1/24" }),
    bridge("br0", { "ipv4.address": "192.0.2.1/24" }),
  ];

  test("uplinks: only networks on these", () => {
    const result = announce({ networks }, { uplinks: ["INFRA-UPLINK"] });
    expect(result.announced).toEqual(["2001:db8:1::/64 via fd00:17::10", "203.0.113.0/28 via 172.17.0.10"]);
    expect(result.refused).toEqual(["192.0.2.0/24: uplink", "198.51.100.0/24: uplink"]);
  });

  test("uplinks: a bridge counts as its own, and a NIC's parent by the uplink that has it", () => {
    const nic = (parent: string, address: string) => ({ parent, "user.bgp.routes": `${address}_172.17.0.9` });
    const instances = [
      instance("r1", nic("br-uplink", "203.0.113.9/32")),
      instance("r2", nic("br-other", "203.0.113.10/32")),
      instance("r3", nic("br-unmanaged", "203.0.113.11/32")),
    ];
    const uplinks = ["INFRA-UPLINK", "br0", "br-unmanaged"];
    expect(announced({ networks, instances }, { uplinks })).toEqual([
      "192.0.2.0/24 via self",
      "2001:db8:1::/64 via fd00:17::10",
      "203.0.113.0/28 via 172.17.0.10",
      "203.0.113.11/32 via 172.17.0.9",
      "203.0.113.9/32 via 172.17.0.9",
    ]);
  });

  test("projects: of networks and of instances; an empty list is not `all`", () => {
    const instances = [
      instance("c1", ROUTES),
      instance("c2", { ...ROUTES, "ipv4.routes.external": "203.0.113.66/32" }, { project: "mail" }),
    ];
    expect(announced({ networks: [ovn("ovn-a", DUAL)], instances }, { projects: ["mail"] })).toEqual([
      "2001:db8:f::53/128 via fd00:17::10",
      "203.0.113.66/32 via 172.17.0.10",
    ]);
    expect(announced({ networks, instances }, { projects: [] })).toEqual([]);
  });

  test("allow: nothing outside is announced, and what overlaps but is larger is outside", () => {
    const allow = [Prefix.parse("203.0.113.64/26"), Prefix.parse("2001:db8:1::/80")];
    const result = announce({ networks: [ovn("ovn-a", DUAL)], instances: [instance("c1", ROUTES)] }, { allow });
    expect(result.announced).toEqual(["203.0.113.65/32 via 172.17.0.10"]);
    expect(result.refused).toEqual([
      "2001:db8:1::/64: not-allowed",
      "2001:db8:f::53/128: not-allowed",
      "203.0.113.0/28: not-allowed",
    ]);
  });

  test.each([
    ["instance", { instances: [instance("c1", ROUTES, { config: { "user.trivet.announce": "false" } })] }],
    ["network", { networks: [ovn("ovn-a", { ...DUAL, "user.trivet.announce": "false" })] }],
  ])("user.trivet.announce=false keeps all of one %s back", (_, world) => {
    const result = announce({ networks: [ovn("ovn-a")], ...world });
    expect(result.announced).toEqual([]);
    expect(result.refused.every((text) => text.endsWith("opted-out"))).toBe(true);
    expect(result.refused).toHaveLength(2);
  });
});

describe("anycast", () => {
  test("one prefix of several instances on one network is one route with every reason", () => {
    const instances = ["ns1", "ns2"].map((name) => instance(name, ROUTES));
    const { routes } = announce({ networks: [ovn("ovn-a")], instances });
    const reasons = routes.get("203.0.113.65/32")?.reasons.map(({ source }) => describeSource(source));
    expect(reasons).toEqual([
      "external route of instance default/ns1 (eth0 on ovn-a)",
      "external route of instance default/ns2 (eth0 on ovn-a)",
    ]);
  });

  test("on several networks the lowest next hop is announced, in whatever order LXD lists them", () => {
    const networks = [9, 10, 8].map((n) => ovn(`ovn-${n}`, { "volatile.network.ipv4.address": `172.17.0.${n}` }));
    const instances = networks.map(({ name }) =>
      instance(`ns-${name}`, { network: name, "ipv4.routes.external": "203.0.113.53/32" }),
    );
    for (const order of [instances, instances.toReversed()])
      expect(announced({ networks, instances: order })).toEqual(["203.0.113.53/32 via 172.17.0.8"]);
  });

  test("one of the instances stopping leaves the other's route", () => {
    const networks = [
      ovn("ovn-8", { "volatile.network.ipv4.address": "172.17.0.8" }),
      ovn("ovn-9", { "volatile.network.ipv4.address": "172.17.0.9" }),
    ];
    const nic = (network: string) => ({ network, "ipv4.routes.external": "203.0.113.53/32" });
    const instances = [instance("ns1", nic("ovn-8"), { status: "Stopped" }), instance("ns2", nic("ovn-9"))];
    expect(announced({ networks, instances })).toEqual(["203.0.113.53/32 via 172.17.0.9"]);
  });
});

describe("attributes", () => {
  const networks = [ovn("ovn-a", DUAL)];
  const attributes = [
    { match: Prefix.parse("203.0.113.0/24"), attributes: { med: 10, communities: [65010 * 65536 + 1] } },
    { match: Prefix.parse("203.0.113.64/26"), attributes: { localPref: 200 } },
  ];

  test("the longest match decides, alone", () => {
    const { routes } = announce({ networks, instances: [instance("c1", ROUTES)] }, { attributes });
    expect(routes.get("203.0.113.0/28")?.attributes).toEqual({ med: 10, communities: [65010 * 65536 + 1] });
    expect(routes.get("203.0.113.65/32")?.attributes).toEqual({ localPref: 200 });
    expect(routes.get("2001:db8:1::/64")?.attributes).toBeUndefined();
  });

  test("an instance's own keys replace the configuration's, one by one; equal ones are one object", () => {
    const config = { "user.trivet.announce.med": "7", "user.trivet.announce.communities": "65010:2, no-export" };
    const instances = ["66", "67"].map((last) => {
      const nic = { network: "ovn-a", "ipv4.routes.external": `203.0.113.${last}/32` };
      return instance(`c${last}`, nic, { config });
    });
    const { routes } = announce({ networks, instances }, { attributes });
    const [one, two] = ["66", "67"].map((last) => routes.get(`203.0.113.${last}/32`)?.attributes);
    expect(one).toEqual({ localPref: 200, med: 7, communities: [65010 * 65536 + 2, 0xffffff01] });
    expect(two).toBe(one);
  });

  test.each([
    ["user.trivet.announce.med", "many", "must be a number"],
    ["user.trivet.announce.med", "4294967296", "must be a number"],
    ["user.trivet.announce.communities", "65010", ""],
    ["user.trivet.announce.mde", "1", "no such key"],
    ["user.trivet.announce", "flase", "true or false"],
  ])("a wrong %s=%s is reported and counts as absent", (key, value, why) => {
    const result = announce({ networks, instances: [instance("c1", ROUTES, { config: { [key]: value } })] });
    expect(result.problems).toHaveLength(1);
    expect(result.problems[0]).toContain(`${key}=${value}: `);
    expect(result.problems[0]).toContain(why);
    expect(result.routes.get("203.0.113.65/32")?.attributes).toBeUndefined();
    expect(result.announced).toContain("203.0.113.65/32 via 172.17.0.10");
  });
});

test.each(["communities", "large-communities"])("more %s than a few count as none", (kind) => {
  const one = kind === "communities" ? "65010:1" : "65010:1:1";
  const many = (count: number) => ({
    networks: [ovn("ovn-a", DUAL)],
    instances: [
      instance("c1", ROUTES, { config: { [`user.trivet.announce.${kind}`]: Array(count).fill(one).join() } }),
    ],
  });
  expect(announce(many(64)).problems).toEqual([]);
  const { problems, routes } = announce(many(65));
  expect(problems).toEqual([expect.stringContaining("has 65 communities; at most 64 may stand here")]);
  expect(problems[0]?.length).toBeLessThan(500);
  expect(routes.get("203.0.113.65/32")?.attributes).toBeUndefined();
});

describe("conditions", () => {
  const twins = {
    networks: [ovn("ovn-a", {})],
    instances: [instance("one", ROUTES), instance("two", ROUTES)],
  };
  const held: Condition = ({ source }) =>
    source.instance === "one" ? { attributes: { med: 500 }, why: "it is one" } : undefined;
  const refused: Condition = ({ source }) =>
    source.instance === "one" ? { refusal: { code: "opted-out", why: "it is one" } } : undefined;

  test("one that refuses keeps the route back, with its reason, and harms no other of the same prefix", () => {
    const announcer = new Announcer(OPEN);
    const announcement = announcer.announce(snapshot(twins), [refused]);
    expect(
      [...announcement.routes.values()].map(({ reasons }) => reasons.map(({ source }) => source.instance)),
    ).toEqual([["two"], ["two"]]);
    expect(announcement.refused.map(({ source, refusal }) => [source.instance, refusal.why])).toEqual([
      ["one", "it is one"],
      ["one", "it is one"],
    ]);
    expect(announcer.announce(snapshot(twins)).refused).toEqual([]);
  });

  test("one that holds back changes the attributes, unless another of the same prefix is not held back", () => {
    const alone = { ...twins, instances: twins.instances.slice(0, 1) };
    const med = (world: typeof twins): (number | undefined)[] =>
      [...new Announcer(OPEN).announce(snapshot(world), [held]).routes.values()].map((route) => route.attributes?.med);
    expect(med(alone)).toEqual([500, 500]);
    expect(med(twins)).toEqual([undefined, undefined]);
  });

  test("several add up, a refusal above all; the first of the list weighs most", () => {
    const community: Condition = ({ source }) =>
      source.instance === "two" ? { attributes: { communities: [1] }, why: "it is two" } : undefined;
    const both: Condition = () => ({ attributes: { localPref: 1 }, why: "it is" });
    const reasons = (...conditions: Condition[]) =>
      new Announcer(OPEN)
        .announce(snapshot(twins), conditions)
        .routes.get("2001:db8:f::53/128")
        ?.reasons.map(({ source, ruled }) => [source.instance, ruled?.attributes, ...(ruled?.why ?? [])]);
    expect(reasons(held, community, both)).toEqual([
      ["two", { communities: [1], localPref: 1 }, "it is two", "it is"],
      ["one", { med: 500, localPref: 1 }, "it is one", "it is"],
    ]);
    expect(reasons(community, held)).toEqual([
      ["one", { med: 500 }, "it is one"],
      ["two", { communities: [1] }, "it is two"],
    ]);
    expect(reasons(held, refused, community)).toEqual([["two", { communities: [1] }, "it is two"]]);
  });

  test("communities are added to those of the configuration", () => {
    const announcer = new Announcer({
      ...OPEN,
      attributes: [{ match: Prefix.parse("::/0"), attributes: { communities: [7], med: 1 } }],
    });
    const { routes } = announcer.announce(snapshot(twins), [
      () => ({ attributes: { communities: [8], med: 2 }, why: "it is so" }),
    ]);
    expect(routes.get("2001:db8:f::53/128")?.attributes).toEqual({ communities: [7, 8], med: 2 });
  });

  test("what they say again is no change for the routers", () => {
    const announcer = new Announcer(OPEN);
    const [first, second] = [1, 2].map(() => announcer.announce(snapshot(twins), [held]).routes);
    expect(diffRoutes(first ?? new Map(), second ?? new Map())).toEqual({ announced: [], withdrawn: [] });
  });
});
