import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DIAGNOSTICS, loadCluster } from "@trivet/spec";

const BASE = readFileSync(new URL("fixtures/base.yaml", import.meta.url), "utf8");

function check(text: string, others: Record<string, string> = {}) {
  const files: Record<string, string> = { "cluster.yaml": text, ...others };
  const result = loadCluster("cluster.yaml", {
    read: (path) => files[path] ?? missing(path),
    list: () => Object.keys(files),
  });
  return result.diagnostics;
}

function missing(path: string): never {
  throw Object.assign(new Error(path), { code: "ENOENT" });
}

/** For each diagnostic: what of the base to replace with what, and the text that the diagnostic must point at. */
const FAULTS: [code: string, from: string, to: string, at?: string][] = [
  ["unknown-key", "name: base", "nmae: base", "nmae"],
  ["missing-key", "domain: base.example.net\n", ""],
  ["duplicate-key", "name: base\n", "name: base\nname: other\n", "name"],
  ["invalid-type", "asn: 64512", "asn: many", "many"],
  ["invalid-value", "ipv4: 192.0.2.0/27", "ipv4: 192.0.2.1/27", "192.0.2.1/27"],
  ["invalid-name", "  s1: {", "  s_1: {", "s_1"],
  ["out-of-range", "id: 100", "id: 5000", "5000"],
  ["yaml-syntax", "routers: {r1: {}", "routers: {r1: {"],
  ["yaml-key", "name: base", "name: base\n? [a]\n: 1"],
  ["yaml-alias", "snmp: [sw]", "snmp: *nothing", "*nothing"],
  ["yaml-documents", "storage:", "---\nstorage:"],
  ["too-deep", "snmp: [sw]", `snmp: ${"[".repeat(60)}`],
  ["file-too-large", "snmp: [sw]", `snmp: [${"x".repeat(3 * 1024 * 1024)}]`],
  ["include-missing", "name: base", "name: base\ninclude: [nothing.yaml]", "nothing.yaml"],
  ["include-cycle", "name: base", "name: base\ninclude: [loop.yaml]", "cluster.yaml"],
  ["include-limit", "name: base", "name: base\ninclude: [many0.yaml]"],
  ["include-shape", "name: base", "name: base\ninclude: [list.yaml]"],
  ["unknown-model", "s1: {model: box", "s1: {model: bx", "bx"],
  ["number-missing", "s1: {model: box", "one: {model: box", "one"],
  ["number-twice", "s1: {model: box", "s1: {number: 2, model: box", "s2"],
  ["port-twice", "ports: [eth2, eth3], to: sw", "ports: [eth2, eth2], to: sw", "eth2"],
  ["port-unknown", "ports: [eth2, eth3], to: sw", "ports: [eth2, eth9], to: sw", "eth9"],
  ["mac-twice", "52:54:00:00:00:02", "52:54:00:00:00:01", '"52:54:00:00:00:01"'],
  ["mesh-links", "mesh2: {ports: [eth1], to: mesh}", "mesh2: {ports: [eth1], to: sw}"],
  ["unknown-link-target", "to: sw}", "to: sx}", "sx"],
  [
    "link-one-way",
    "s1: {model: box,",
    "s1: {model: box, links: {extra: {ports: [eth5], to: s2}}, cards: {x: {ports: [eth5]}},",
    "s2",
  ],
  ["mtu-path", "trunk: {ports", "trunk: {mtu: 9000, ports", "9000"],
  ["role-missing", "  bmc: {id: 102}", "  bmc: {id: 102}\n  other: {id: 103}", "other"],
  ["role-twice", "  bmc: {id: 102}", "  bmc: {id: 102}\n  bmc2: {id: 103, bridge: br2, role: bmc}", "bmc"],
  ["tag-twice", "hosts: {id: 101", 'hosts: {vrid: 7, ipv6: "2001:db8:1:101::/64", id: 100', "100"],
  ["bridge-twice", "hosts: {id: 101", "hosts: {bridge: br-uplink, id: 101", "br-uplink"],
  ["vrid-twice", "hosts: {id: 101", "hosts: {vrid: 101, id: 101", "101"],
  ["vlan-link", "hosts: {id: 101", "hosts: {link: nowhere, id: 101", "nowhere"],
  ["name-too-long", "trunk: {ports", "trunk-to-switch: {ports"],
  ["range-invalid", "10.0.100.128-10.0.100.254", "10.0.100.254-10.0.100.128", "10.0.100.254-10.0.100.128"],
  ["range-overlap", "10.0.100.128-10.0.100.254", "10.0.100.12-10.0.100.254", "10.0.100.12-10.0.100.254"],
  [
    "subnet-overlap",
    'n1: {ipv6: "2001:db8:1:a1::/64"}',
    'n1: {ipv6: "2001:db8:1:a1::/64"}\n      n4: {ipv6: "2001:db8:1:a1::/80"}',
    '"2001:db8:1:a1::/80"',
  ],
  ["address-outside", 'gateway: ["2001:db8:1:101::1"]', 'gateway: ["2001:db8:1:999::1"]', '"2001:db8:1:999::1"'],
  ["address-twice", 'mesh: ["2001:db8:1:1::103"]', 'mesh: ["2001:db8:1:1::102"]', '"2001:db8:1:1::102"'],
  [
    "address-missing",
    'addresses: ["2001:db8:1:101::103"], mesh: ["2001:db8:1:1::103"]',
    "addresses: [], mesh: []",
    "s3",
  ],
  ["not-yours", 'announce: ["2001:db8:1::/48"]', 'announce: ["2001:db8:2::/48"]', '"2001:db8:2::/48"'],
  ["network-without-subnet", "n3: {}", "n3: {ipv6: false}", "n3"],
  [
    "uplink-missing",
    "uplink: {id: 100, ipv4: 10.0.100.0/24, ranges: [10.0.100.128-10.0.100.254]}",
    "underlay: {id: 100, mtu: 1500}",
  ],
  ["unknown-uplink", "n3: {}", "n3: {uplink: upink}", "upink"],
  ["class-without-disk", "ssd: {driver: ceph, class: ssd}", "ssd: {driver: ceph, class: hdd}", "hdd"],
  ["min-size", "class: ssd}\n  files", "class: ssd, minSize: 4}\n  files", "4"],
  ["too-many-voters", "voters: 3", "voters: 5", "5"],
  ["unknown-server", "mons: [s1, s2, s3]", "mons: [s1, s2, s4]", "s4"],
  ["unknown-storage-pool", "pool: ssd", "pool: sd", "sd"],
  ["unknown-network", "{network: n3", "{network: n9", "n9"],
  ["unknown-vlan", "{eth1: wan}", "{eth1: van}", "van"],
  ["unknown-acl", "n2: {acls: [web]}", "n2: {acls: [wbe]}", "wbe"],
  ["unknown-switch", "snmp: [sw]", "snmp: [switch]", "switch"],
  ["unknown-line", "line: fibre", "line: fiber", "fiber"],
  ["unknown-instance", "monitoring: {instances: [p/c]", "monitoring: {instances: [p/d]", "p/d"],
  ["network-ambiguous", "{network: n3, memory", "{memory", "c"],
  ["network-missing", "projects:\n", "projects:\n  q: {instances: {x: {}}}\n", "x"],
  ["instance-too-large", "memory: 2GiB", "memory: 32GiB", "32GiB"],
  ["device-without-server", "on: s1, bridges", "devices: [gpu], bridges", "devices"],
  ["anycast-forbidden", "uplink: {id: 100", "uplink: {anycast: false, id: 100"],
  ["anycast-one-network", "b: {network: n2", "b: {network: n1"],
  ["acl-selector", "source: web}", "source: wbe}", "wbe"],
  ["acl-rule", "{protocol: tcp, port: 80", "{protocol: icmp4, port: 80", "80"],
  ["wan-missing", 'wan: {id: 50, ipv4: 198.51.100.0/28, ipv6: "2001:db8:ffff::/64"}', ""],
  ["upstream-unreachable", "addresses: [198.51.100.1]", "addresses: [198.51.100.17]", "198.51.100.17"],
  ["same-asn", "asn: 64500", "asn: 64512", "64512"],
  ["address-not-routed", 'b: {network: n2, routes: ["2001:db8:1:53::1"]', "b: {network: n2", '"2001:db8:1:53::1"'],
  ["record-value", "value: 192.0.2.1}", "value: 2001:db8::1}", "2001:db8::1"],
  ["record-conflict", "{name: ftp,", "{name: www,"],
];

const INCLUDES: Record<string, string> = {
  "loop.yaml": "include: [cluster.yaml]\n",
  "list.yaml": "- 1\n",
  ...Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`many${i}.yaml`, `include: [many${i + 1}.yaml]\n`])),
};

describe("the base has no fault", () => {
  it("so each of the following has exactly the one it is given", () => {
    expect(check(BASE, INCLUDES)).toEqual([]);
  });
});

describe("each diagnostic is raised by its fault, at its place, with a remedy, and by nothing else", () => {
  it.each(FAULTS)("%s", (code, from, to, at) => {
    expect(BASE).toContain(from);
    // What the fault makes impossible may be taken away with it.
    const text = (ALSO[code] ?? []).reduce((base, [a, b]) => base.replace(a, b), BASE.replace(from, to));
    const found = check(text, INCLUDES);
    expect([...new Set(found.map((each) => each.code))]).toEqual([code]);
    for (const each of found) {
      expect(each.remedy).not.toBe("");
      // Of a file that is not looked into, no line is to blame.
      expect(each.line === 0).toBe(code === "file-too-large");
    }
    const marked = found.map((each) =>
      each.excerpt.slice(each.column - 1, each.endLine > each.line ? undefined : each.endColumn - 1),
    );
    if (at !== undefined) expect(marked).toContain(at);
  });

  it("none without such a fault", () => {
    const tested = new Set(FAULTS.map(([code]) => code));
    expect(Object.keys(DIAGNOSTICS).filter((code) => !tested.has(code) && code !== "file-unreadable")).toEqual([]);
    expect([...tested].filter((code) => !(code in DIAGNOSTICS))).toEqual([]);
  });
});

const ALSO: Record<string, [string, string][]> = {
  "number-missing": [
    ["  s2:", "  s5:"],
    ["{r1: {}, r2: {}, r3: {on: s3}}", "{r1: {on: one}, r2: {on: s5}, r3: {on: s3}}"],
    ["[s1, s2, s3]", "[one, s5, s3]"],
    ["on: s1", "on: s3"],
  ],
  "mesh-links": [],
  "invalid-name": [],
  "uplink-missing": [],
  "wan-missing": [[", bridges: {eth1: wan}", ""]],
};
