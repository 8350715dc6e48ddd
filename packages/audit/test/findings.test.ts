import { describe, expect, it } from "vitest";
import { FINDINGS, type FindingCode, audit } from "@trivet/audit";
import { example, sound } from "./support.ts";

const ONE_SWITCH: [string, string][] = [
  ["to: [left, right]", "to: left"],
  ["  right: {power: [feed-a, feed-b], mlag: pair}\n", ""],
  ["west: {to: right}", "west: {to: left}"],
];
const NO_MESH: [string, string][] = [
  ["      mesh1: {ports: [eth0, eth3], to: mesh}\n      mesh2: {ports: [eth1, eth4], to: mesh}\n", ""],
  ["mesh: {mtu: 9000}\n", ""],
  ["bmc: 102}", "bmc: 102, underlay: {id: 103, mtu: 9000}}"],
  ["mlag: pair}", "mlag: pair, mtu: 9216}"],
];

/** For each finding: what makes the sound cluster unsound in just that; and what cannot but come with it. */
const FAULTS: [code: FindingCode, changes: [string, string][], besides?: FindingCode[]][] = [
  ["voters-too-few", [["vlans:", "lxd: {voters: 2}\nvlans:"]]],
  [
    "quorum-one-feed",
    [
      ["s1: {model: box}", "s1: {model: box, power: [feed-a, feed-a]}"],
      ["s2: {model: box}", "s2: {model: box, power: [feed-a, feed-a]}"],
    ],
    ["single-psu"],
  ],
  ["quorum-one-switch", [...ONE_SWITCH, ...NO_MESH], ["single-switch", "single-line"]],
  ["single-switch", ONE_SWITCH, ["single-line"]],
  ["single-upstream", [['    two: {asn: 64501, addresses: ["2001:db8:1:50::3"], line: west}\n', ""]]],
  ["single-line", [["line: west", "line: east"]]],
  ["single-router", [["{r1: {}, r2: {}, r3: {}}", "{r1: {}}"]]],
  [
    "bond-one-card",
    [
      ["mesh1: {ports: [eth0, eth3]", "mesh1: {ports: [eth0, eth1]"],
      ["mesh2: {ports: [eth1, eth4]", "mesh2: {ports: [eth3, eth4]"],
    ],
  ],
  ["bond-unwatched", [["trunk: {ports", "trunk: {miiMonitor: 0, ports"]]],
  ["bond-slow-lacp", [["trunk: {ports", "trunk: {lacpRate: slow, ports"]]],
  ["bond-mode", [["trunk: {ports", "trunk: {mode: balance-rr, ports"]]],
  ["bond-without-mlag", [["right: {power: [feed-a, feed-b], mlag: pair}", "right: {power: [feed-a, feed-b]}"]]],
  ["underlay-mtu", [["mesh: {mtu: 9000}", "mesh: {mtu: 1500}"]]],
  ["ceph-size", [["class: nvme}\n  local", "class: nvme, size: 2, minSize: 1}\n  local"]], ["ceph-min-size"]],
  ["ceph-min-size", [["class: nvme}\n  local", "class: nvme, minSize: 1}\n  local"]]],
  ["ceph-size-is-min-size", [["class: nvme}\n  local", "class: nvme, minSize: 3}\n  local"]]],
  ["ceph-failure-domain", [["class: nvme}\n  local", "class: nvme, failureDomain: osd}\n  local"]]],
  ["ceph-class-hosts", [["  s3: {model: box}", "  s3: {model: box, disks: {data: {class: hdd}}}"]]],
  ["ceph-cluster-network", [["vlans:", 'ceph: {clusterNetwork: "2001:db8:1:101::/64"}\nvlans:']]],
  ["ceph-near-full", [["disk: 20GiB", "disk: 900GiB"]]],
  [
    "memory-short",
    [
      ["memory: 4GiB", "memory: 50GiB"],
      ["s1: {model: box}", "s1: {model: box, memory: 60GiB}"],
      ["s3: {model: box}", "s3: {model: box, memory: 20GiB}"],
    ],
  ],
  ["cpu-short", [["memory: 4GiB", "memory: 4GiB, cores: 100"]]],
  ["ovn-bootstrap", [["vlans:", "ovn: {bootstrap: true}\nvlans:"]]],
  [
    "uplink-not-shared",
    [
      ["  s3: {model: box}", "  s3: {model: box, links: {trunk: {to: [third, fourth]}}}"],
      [
        "switches:\n",
        "switches:\n  third: {power: [feed-a, feed-b], mlag: other}\n  fourth: {power: [feed-a, feed-b], mlag: other}\n",
      ],
    ],
  ],
  ["bgp-no-null-route", [["asn: 64512", "asn: 64512\n  nullRoute: false"]]],
  ["bgp-no-filters", [["asn: 64512", "asn: 64512\n  filters: false"]]],
  ["vrrp-equal-priority", [["r1: {}, r2: {}", "r1: {priority: 150}, r2: {priority: 150}"]]],
  ["vrrp-not-tracking", [["asn: 64512", "asn: 64512\n  trackUpstream: false"]]],
  ["healing-without-fencing", [["vlans:", "lxd: {healing: 30}\nvlans:"]]],
  [
    "cold-start-dns",
    [
      ['  fallback: ["2001:db8:ffff::53"]\n', ""],
      ["vlans:", "maintenance: {ntp: [192.0.2.123]}\nvlans:"],
    ],
  ],
  ["cold-start-time", [['  fallback: ["2001:db8:ffff::53"]\n', ""]], ["cold-start-dns"]],
  ["monitoring-inside", [["external: true", "external: false"]]],
  ["instance-bound", [["web: {", "web: {pool: local, "]]],
  ["vm-not-stateful", [["stateful: true", "stateful: false"]]],
  ["single-psu", [["s1: {model: box}", "s1: {model: box, power: [feed-a]}"]]],
  ["single-boot-disk", [["      boot2: {size: 250GB, class: ssd, boot: true, osd: false}\n", ""]]],
];

describe("a sound cluster", () => {
  it("has nothing said against it", () => {
    expect(audit(sound())).toEqual([]);
  });
});

describe("each finding is raised by its fault, and by nothing else", () => {
  it.each(FAULTS)("%s", (code, changes, besides = []) => {
    const found = audit(sound(...changes));
    expect([...new Set(found.map((each) => each.code))].sort()).toEqual([code, ...besides].sort());
    for (const each of found) expect(each.message.length * each.remedy.length * each.path.length).toBeGreaterThan(0);
  });

  it("and each has a fault here", () => {
    expect(FAULTS.map(([code]) => code).sort()).toEqual(Object.keys(FINDINGS).sort());
  });
});

describe("the seeds' cluster", () => {
  it("has its author's single point of failure, and what else a stranger would see", () => {
    expect([...new Set(audit(example("hive")).map(({ code }) => code))].sort()).toEqual([
      "bond-one-card",
      "cold-start-dns",
      "cold-start-time",
      "monitoring-inside",
      "single-boot-disk",
      "single-line",
      "single-switch",
    ]);
  });
});
