import { Name, recordText } from "@trivet/dns";
import { Address, Prefix } from "@trivet/ip";
import type { Config, Instance } from "@trivet/lxd";
import { describe, expect, test } from "vitest";
import type { DnsZone, KnownInstance, Learnt, Network, Snapshot } from "../../src/inventory/snapshot.ts";
import { keyOf } from "../../src/inventory/snapshot.ts";
import type { ForwardZone, ResolveConfig } from "../../src/resolve/config.ts";
import { resolve } from "../../src/resolve/resolve.ts";
import { pointerOwner, reverseName, reverseOrigin } from "../../src/resolve/reverse.ts";
import { templateFault } from "../../src/resolve/template.ts";
import { instance, ovn, snapshot } from "../announce/world.ts";

const forward = (changes: Partial<ForwardZone> = {}): ForwardZone => ({
  origin: Name.parse("hive.example.net."),
  template: "{instance}.{project}",
  addresses: "all",
  userRecords: "own-name",
  infrastructure: false,
  records: [],
  ...changes,
});
const reverse = (text: string) => ({ prefix: Prefix.parse(text), origin: reverseOrigin(Prefix.parse(text)) });
const config = (changes: Partial<ResolveConfig> = {}): ResolveConfig => ({
  forward: [forward()],
  reverse: [],
  nameservers: [Name.parse("ns1.example.net.")],
  hostmaster: Name.parse("hostmaster.example.net."),
  ttl: 60,
  ...changes,
});
const web = ovn("web", { "ipv4.address": "10.0.0.1/24", "ipv6.address": "2001:db8:1::1/64" });
const c1 = (nic: Config = {}, more: Partial<Instance> = {}): Instance =>
  instance("c1", { network: "web", "ipv4.address": "10.0.0.10", "ipv6.address": "2001:db8:1::10", ...nic }, more);

/** The lines of a zone, without its NS records. */
function lines(state: Snapshot, settings: ResolveConfig, origin = "hive.example.net."): string[] {
  const content = resolve(state, settings).zones.get(Name.parse(origin).key);
  return [...(content?.records ?? [])]
    .map(recordText)
    .filter((line) => !line.includes(" NS "))
    .sort();
}
const world = (instances: Instance[], networks: Network[] = [web]): Snapshot => snapshot({ networks, instances });
const problems = (state: Snapshot, settings = config()): string[] =>
  resolve(state, settings).problems.map(({ where, key, why }) =>
    [where, key, why].filter((part) => part !== undefined).join(": "),
  );

describe("names of instances", () => {
  test("A and AAAA by instance and project", () => {
    expect(lines(world([c1()]), config())).toEqual([
      "c1.default.hive.example.net. 60 IN A 10.0.0.10",
      "c1.default.hive.example.net. 60 IN AAAA 2001:db8:1::10",
    ]);
  });

  test("instances of one name in two projects do not collide", () => {
    const other = c1({ "ipv4.address": "10.0.0.11", "ipv6.address": "2001:db8:1::11" }, { project: "mail" });
    expect(lines(world([c1(), other]), config())).toContain("c1.mail.hive.example.net. 60 IN A 10.0.0.11");
    expect(problems(world([c1(), other]))).toEqual([]);
  });

  test("with a template that lets them, the older instance keeps the name, the younger is reported, others are unharmed", () => {
    const younger = c1(
      { "ipv4.address": "10.0.0.11", "ipv6.address": "2001:db8:1::11" },
      { project: "mail", created_at: "2026-02-01T00:00:00Z" },
    );
    const other = instance("c2", { network: "web", "ipv4.address": "10.0.0.12", "ipv6.address": "2001:db8:1::12" });
    const settings = config({ forward: [forward({ template: "{instance}" })] });
    const state = world([younger, c1(), other]);
    expect(lines(state, settings).filter((line) => line.includes(" A "))).toEqual([
      "c1.hive.example.net. 60 IN A 10.0.0.10",
      "c2.hive.example.net. 60 IN A 10.0.0.12",
    ]);
    expect(problems(state, settings)).toEqual([
      "instance mail/c1: c1.hive.example.net. is the name of instance default/c1, which is older; it gets none",
    ]);
  });

  test("by project, by network, by kind of address", () => {
    const state = world([
      c1({ "ipv4.routes.external": "192.0.2.7/32, 198.51.100.0/28" }),
      c1({ "ipv4.address": "10.0.0.11" }, { project: "mail" }),
    ]);
    const a = (zone: Partial<ForwardZone>) =>
      lines(state, config({ forward: [forward(zone)] })).filter((line) => line.includes(" A "));
    expect(a({ projects: ["mail"] })).toEqual(["c1.mail.hive.example.net. 60 IN A 10.0.0.11"]);
    expect(a({ networks: ["other"] })).toEqual([]);
    expect(a({ addresses: "external" })).toEqual(["c1.default.hive.example.net. 60 IN A 192.0.2.7"]);
    expect(a({ addresses: "internal", projects: ["default"] })).toEqual([
      "c1.default.hive.example.net. 60 IN A 10.0.0.10",
    ]);
  });

  test("a stopped instance keeps its name", () => {
    expect(lines(world([c1({}, { status: "Stopped" })]), config())).toHaveLength(2);
  });

  test("what is no host name is reported", () => {
    const state = world([c1({}, { project: "team_a" }), c1()]);
    expect(lines(state, config())).toHaveLength(2);
    expect(problems(state)).toEqual([
      "instance team_a/c1: c1.team_a is no host name, so it has no name in hive.example.net.",
    ]);
  });
});

describe("addresses that were learnt", () => {
  const learnt = (name: string, nic: Config, found: Learnt, more: Partial<Instance> = {}): KnownInstance => ({
    ...instance(name, nic, more),
    learnt: found,
  });

  test("leases count where there is no address in the configuration, guests' reports where there is no lease", () => {
    const state = world([
      learnt("leased", { network: "web" }, { leased: { eth0: ["10.0.0.50"] }, reported: { eth0: ["10.0.0.51"] } }),
      learnt("router", { parent: "br0" }, { reported: { eth0: ["192.0.2.11", "2001:db8:ffff::11"] } }),
    ]);
    expect(lines(state, config())).toEqual([
      "leased.default.hive.example.net. 60 IN A 10.0.0.50",
      "router.default.hive.example.net. 60 IN A 192.0.2.11",
      "router.default.hive.example.net. 60 IN AAAA 2001:db8:ffff::11",
    ]);
    expect(resolve(state, config()).problems).toEqual([]);
  });

  test("a guest cannot take an address's PTR record from who was given it, however old it is", () => {
    const thief = learnt(
      "a-thief",
      { parent: "br0" },
      { reported: { eth0: ["10.0.0.10"] } },
      { created_at: "2020-01-01T00:00:00Z" },
    );
    const settings = config({ reverse: [reverse("10.0.0.0/24")] });
    expect(lines(world([thief, c1()]), settings, "0.0.10.in-addr.arpa.")).toEqual([
      "10.0.0.10.in-addr.arpa. 60 IN PTR c1.default.hive.example.net.",
    ]);
  });
});

describe("the catalog zone", () => {
  test("lists all other zones, under labels that stay (RFC 9432)", () => {
    const catalog = Name.parse("catalog.invalid.");
    const settings = config({ reverse: [reverse("192.0.2.0/24")], catalog });
    const members = (text: ResolveConfig) =>
      lines(world([c1()]), text, "catalog.invalid.").filter((line) => line.includes(" PTR "));
    expect(members(settings).map((line) => line.split(" PTR ")[1])).toEqual(
      expect.arrayContaining(["hive.example.net.", "2.0.192.in-addr.arpa."]),
    );
    expect(members(settings)).toHaveLength(2);
    expect(members(settings)).toEqual(expect.arrayContaining(members(config({ catalog }))));
    expect(lines(world([c1()]), settings, "catalog.invalid.")).toContain('version.catalog.invalid. 0 IN TXT "2"');
  });
});

describe("reverse zones", () => {
  test.each([
    ["192.0.2.0/24", "2.0.192.in-addr.arpa."],
    ["10.0.0.0/8", "10.in-addr.arpa."],
    ["192.0.2.64/27", "64-27.2.0.192.in-addr.arpa."],
    ["2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa."],
    ["2001:db8:10::/46", "1.0.0.8.b.d.0.1.0.0.2.ip6.arpa."],
  ])("%s is %s", (prefix, origin) => {
    expect(reverseOrigin(Prefix.parse(prefix)).toString()).toBe(
      origin.replace("1.0.0.8.b.d.0.1.0.0.2", "1.0.0.8.b.d.0.1.0.0.2"),
    );
  });

  test("RFC 2317: in a classless zone the owner is the last octet below the origin", () => {
    const zone = reverse("192.0.2.64/27");
    expect(pointerOwner(zone, Address.parse("192.0.2.70")).toString()).toBe("70.64-27.2.0.192.in-addr.arpa.");
    expect(
      pointerOwner({ ...zone, origin: Name.parse("rev.example.net.") }, Address.parse("192.0.2.70")).toString(),
    ).toBe("70.rev.example.net.");
  });

  test("RFC 3596: every nibble of an IPv6 address", () => {
    expect(reverseName(Address.parse("2001:db8::567:89ab")).toString()).toBe(
      "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
    );
  });

  test("PTR records go to the zone of the longest prefix", () => {
    const settings = config({ reverse: [reverse("10.0.0.0/8"), reverse("10.0.0.0/24")] });
    expect(lines(world([c1()]), settings, "0.0.10.in-addr.arpa.")).toEqual([
      "10.0.0.10.in-addr.arpa. 60 IN PTR c1.default.hive.example.net.",
    ]);
    expect(lines(world([c1()]), settings, "10.in-addr.arpa.")).toEqual([]);
  });

  test("an address that several share points to the service, not to one of them", () => {
    const dns = (name: string) =>
      instance(
        name,
        { network: "web", "ipv4.routes.external": "192.0.2.53/32" },
        { config: { "user.dns.service": "ns1" } },
      );
    const settings = config({ reverse: [reverse("192.0.2.0/24")] });
    expect(lines(world([dns("dns01"), dns("dns02")]), settings, "2.0.192.in-addr.arpa.")).toEqual([
      "53.2.0.192.in-addr.arpa. 60 IN PTR ns1.hive.example.net.",
    ]);
  });
});

describe("services", () => {
  const member = (name: string, address: string, more: Partial<Instance> = {}) =>
    instance(
      name,
      { network: "web", "ipv4.address": address, "ipv6.address": "none" },
      { config: { "user.dns.service": "www" }, ...more },
    );

  test("hold the addresses of their running members", () => {
    const state = world([
      member("w1", "10.0.0.21"),
      member("w2", "10.0.0.22"),
      member("w3", "10.0.0.23", { status: "Stopped" }),
    ]);
    expect(lines(state, config()).filter((line) => line.startsWith("www."))).toEqual([
      "www.hive.example.net. 60 IN A 10.0.0.21",
      "www.hive.example.net. 60 IN A 10.0.0.22",
    ]);
  });

  test("leave out those whose server says that their checks fail, unless all fail", () => {
    const state = world([member("w1", "10.0.0.21"), member("w2", "10.0.0.22", { location: "server-2" })]);
    const service = (notes: Config) =>
      lines({ ...state, notes }, config())
        .filter((line) => line.startsWith("www."))
        .map((line) => line.split(" ").at(-1));
    const [first, second] = ["user.trivet.failing.server-1", "user.trivet.failing.server-2"];
    expect(service({ [first]: "default/w1" })).toEqual(["10.0.0.22"]);
    expect(service({ [first]: "default/w1", [second]: "" })).toEqual(["10.0.0.22"]);
    expect(service({ [first]: "default/w1", [second]: "default/w2" })).toEqual(["10.0.0.21", "10.0.0.22"]);
    // A server says nothing of what is on another, as after a move.
    expect(service({ [second]: "default/w1" })).toEqual(["10.0.0.21", "10.0.0.22"]);
    expect(lines({ ...state, notes: { [first]: "default/w1" } }, config())).toContain(
      "w1.default.hive.example.net. 60 IN A 10.0.0.21",
    );
  });

  test("a service cannot take an instance's name", () => {
    const state = world([
      instance("www", { network: "web", "ipv4.address": "10.0.0.9" }, { created_at: "2025-01-01T00:00:00Z" }),
      member("w1", "10.0.0.21"),
    ]);
    const settings = config({ forward: [forward({ template: "{instance}" })] });
    expect(lines(state, settings).filter((line) => line.startsWith("www.") && line.includes(" A "))).toEqual([
      "www.hive.example.net. 60 IN A 10.0.0.9",
    ]);
    expect(problems(state, settings)).toEqual([
      "instance default/w1: user.dns.service: www.hive.example.net. is the name of instance default/www",
    ]);
  });
});

describe("records of users", () => {
  const user = (value: string, key = "user.dns.records") =>
    world([c1({ "ipv6.address": "none" }, { config: { [key]: value } })]);
  const extra = (value: string, zone: Partial<ForwardZone> = {}) =>
    lines(user(value), config({ forward: [forward(zone)] })).filter(
      (line) => !line.endsWith("10.0.0.10") && !line.includes(" AAAA "),
    );

  test.each([
    ["@ MX 10 mail.example.net.", "c1.default.hive.example.net. 60 IN MX 10 mail.example.net."],
    ['@ TXT "v=spf1 -all"', 'c1.default.hive.example.net. 60 IN TXT "v=spf1 -all"'],
    ["_acme-challenge 30 TXT token", '_acme-challenge.c1.default.hive.example.net. 30 IN TXT "token"'],
    [
      "_imaps._tcp SRV 0 1 993 @",
      "_imaps._tcp.c1.default.hive.example.net. 60 IN SRV 0 1 993 c1.default.hive.example.net.",
    ],
    ["* CNAME @", "*.c1.default.hive.example.net. 60 IN CNAME c1.default.hive.example.net."],
    ['@ CAA 0 issue "ca.example"', 'c1.default.hive.example.net. 60 IN CAA 0 issue "ca.example"'],
  ])("%s", (line, expected) => {
    expect(extra(line)).toEqual([expected]);
  });

  test("names outside the instance's own need the zone's leave", () => {
    const line = "www.hive.example.net. CNAME @\nhive.example.net. MX 5 @";
    expect(extra(line)).toEqual([]);
    expect(problems(user(line))).toHaveLength(2);
    expect(problems(user(line))[0]).toContain("www.hive.example.net. is not below c1.default.hive.example.net.");
    expect(extra(line, { userRecords: "zone" })).toEqual([
      "hive.example.net. 60 IN MX 5 c1.default.hive.example.net.",
      "www.hive.example.net. 60 IN CNAME c1.default.hive.example.net.",
    ]);
    expect(extra(line, { userRecords: "none" })).toEqual([]);
  });

  test.each([
    ["@ MX mail", '"@ MX mail": '],
    ["@ NS ns.example.net.", "only the zone itself may have this type"],
    ["@ CNAME other.example.net.", "c1.default.hive.example.net. cannot be a CNAME: it has records already"],
    ["$INCLUDE /etc/shadow", "$INCLUDE"],
    ["\u0000", ""],
  ])("a wrong one (%j) is reported on that instance, and harms nothing else", (line, why) => {
    const state = user(`${line}\nok TXT fine`);
    expect(problems(state)).toHaveLength(1);
    expect(problems(state)[0]).toContain("instance default/c1: user.dns.records: ");
    expect(problems(state)[0]).toContain(why);
    expect(lines(state, config())).toEqual([
      "c1.default.hive.example.net. 60 IN A 10.0.0.10",
      ...lines(state, config()).filter((entry) => entry.includes(" AAAA ")),
      'ok.c1.default.hive.example.net. 60 IN TXT "fine"',
    ]);
  });
});

describe("infrastructure", () => {
  test("gateways and uplink addresses of networks, and servers by address", () => {
    const state = world([], [web, { ...ovn("web", { "ipv4.address": "10.1.0.1/24" }), project: "mail" }]);
    const members = state.members.map((member, i) => ({ ...member, url: `https://[2001:db8:ff::${i + 1}]:8443` }));
    expect(lines({ ...state, members }, config({ forward: [forward({ infrastructure: true })] }))).toEqual(
      [
        "server-1.server.hive.example.net. 60 IN AAAA 2001:db8:ff::1",
        "server-2.server.hive.example.net. 60 IN AAAA 2001:db8:ff::2",
        "server-3.server.hive.example.net. 60 IN AAAA 2001:db8:ff::3",
        "web.gw.hive.example.net. 60 IN A 10.0.0.1",
        "web.gw.hive.example.net. 60 IN AAAA 2001:db8:1::1",
        "web.mail.gw.hive.example.net. 60 IN A 10.1.0.1",
        "web.mail.uplink.hive.example.net. 60 IN A 172.17.0.10",
        "web.mail.uplink.hive.example.net. 60 IN AAAA fd00:17::10",
        "web.uplink.hive.example.net. 60 IN A 172.17.0.10",
        "web.uplink.hive.example.net. 60 IN AAAA fd00:17::10",
      ].sort(),
    );
  });

  test("a zone below another is delegated in it", () => {
    const settings = config({ forward: [forward(), forward({ origin: Name.parse("lab.hive.example.net.") })] });
    const parent = [
      ...(resolve(world([]), settings).zones.get(Name.parse("hive.example.net.").key)?.records ?? []),
    ].map(recordText);
    expect(parent).toContain("lab.hive.example.net. 86400 IN NS ns1.example.net.");
  });
});

describe("LXD's own zones", () => {
  const zone = (name: string, changes: Partial<DnsZone> = {}): DnsZone => ({
    project: "default",
    name,
    config: {},
    records: [],
    ...changes,
  });
  const withZones = (state: Snapshot, zones: DnsZone[]): Snapshot => ({
    ...state,
    zones: new Map(zones.map((entry) => [keyOf(entry), entry])),
  });
  const zoned = ovn("web", {
    ...web.config,
    "dns.zone.forward": "lxd.example",
    "dns.zone.reverse.ipv4": "0.0.10.in-addr.arpa",
  });

  test("give what LXD's zones give: instances and gateways of the network, PTR records, record objects", () => {
    const records = [
      { name: "@", description: "", config: {}, entries: [{ type: "MX", value: "10 mail.example.net.", ttl: 900 }] },
    ];
    const state = withZones(world([c1({ "ipv6.address": "2001:db8:1::10" })], [zoned]), [
      zone("lxd.example", { records }),
      zone("0.0.10.in-addr.arpa"),
    ]);
    const settings = config({ forward: [] });
    expect(lines(state, settings, "lxd.example.")).toEqual(
      expect.arrayContaining([
        "c1.lxd.example. 60 IN A 10.0.0.10",
        "c1.lxd.example. 60 IN AAAA 2001:db8:1::10",
        "lxd.example. 900 IN MX 10 mail.example.net.",
        "web.gw.lxd.example. 60 IN A 10.0.0.1",
      ]),
    );
    expect(lines(state, settings, "0.0.10.in-addr.arpa.")).toContain(
      "10.0.0.10.in-addr.arpa. 60 IN PTR c1.lxd.example.",
    );
  });

  test("a record that is none is reported on its zone", () => {
    const records = [{ name: "x", description: "", config: {}, entries: [{ type: "A", value: "10.0.0.300" }] }];
    const state = withZones(world([c1()], [zoned]), [zone("lxd.example", { records })]);
    expect(problems(state)[0]).toContain("zone default/lxd.example: record x A: ");
    expect(lines(state, config({ forward: [] }), "lxd.example.")).toContain("c1.lxd.example. 60 IN A 10.0.0.10");
  });
});

test.each([
  ["{instance}.{project}", undefined],
  ["{instance}-{server}", undefined],
  ["{project}", "has no {instance}, so that all instances would have one name"],
  ["{instance}.{nic}", "has {nic}; there are {instance}, {project}, {server}"],
  ["{instance}..x", "is no host name once the braces are filled"],
  ["{instance", "has no {instance}, so that all instances would have one name"],
])("template %s", (template, fault) => {
  expect(templateFault(template)).toBe(fault);
});
