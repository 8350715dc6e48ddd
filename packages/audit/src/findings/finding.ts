import type { Cluster, Path } from "@trivet/spec";

/** Something that is allowed, works, and will hurt. */
export interface AuditFinding {
  /** A stable name, such as `single-switch`. */
  readonly code: FindingCode;
  /** `warning`: it will hurt. `note`: know it. */
  readonly severity: "warning" | "note";
  readonly message: string;
  readonly remedy: string;
  /** Where in cluster.yaml; the nearest existing key is meant. */
  readonly path: Path;
}

/** Every finding there is, and why it matters. The names are stable. */
export const FINDINGS = {
  "voters-too-few": "Under three voters, or an even count: one more failure than needed stops the database.",
  "quorum-one-feed": "A majority of a quorum hangs on one power feed.",
  "quorum-one-switch": "Quorum members reach each other over one switch only.",
  "single-switch": "One switch carries everything.",
  "single-upstream": "One router of the provider is the only way out.",
  "single-line": "All of the provider's routers are reached over one line.",
  "single-router": "Fewer than two routers, or all of them on one server.",
  "bond-one-card": "All ports of a bond are on one card.",
  "bond-unwatched": "A bond that does not look at its ports never notices a dead one.",
  "bond-slow-lacp": "With slow LACP a dead path is noticed after 90 seconds.",
  "bond-mode": "Modes other than 802.3ad reorder packets or see no silent failure.",
  "bond-without-mlag": "LACP over two switches that are not one: half of the packets are lost.",
  "underlay-mtu": "The tunnels' headers do not fit: instances' packets are fragmented or lost.",
  "ceph-size": "With fewer than three replicas, a failure during a repair loses data.",
  "ceph-min-size": "With minSize 1, the last replica is written to, and may be lost with new data.",
  "ceph-size-is-min-size": "With minSize equal to size, one lost disk stops all writes.",
  "ceph-failure-domain": "Replicas on different disks of one server are lost together.",
  "ceph-class-hosts": "A device class on fewer servers than a pool has replicas: its data is never complete.",
  "ceph-cluster-network": "Replication shares the network that clients use.",
  "ceph-near-full": "With one server gone, its data does not fit on the others.",
  "memory-short": "With one server gone, its instances do not fit on the others.",
  "cpu-short": "With one server gone, more cores are promised than there are.",
  "ovn-bootstrap": "A first server that creates the databases makes a second cluster when its disk is replaced.",
  "uplink-not-shared": "The uplink network is not the same on every server: OVN's gateways cannot move.",
  "bgp-no-null-route": "Without a null route, packets to unused addresses of yours loop until they die.",
  "bgp-no-filters": "Without prefix lists, a mistake inside is announced to the world, and one outside is believed.",
  "vrrp-equal-priority": "Routers with the same priority both become master, or change without need.",
  "vrrp-not-tracking": "A gateway that has lost the provider stays gateway, and drops everything.",
  "healing-without-fencing":
    "Instances are started elsewhere while they may still run on a server that is only cut off.",
  "cold-start-dns": "The servers resolve names with instances of the cluster that they must first start.",
  "cold-start-time": "Time servers are known by names only, and DNS runs on the cluster.",
  "monitoring-inside": "Monitoring falls silent with the cluster that it watches.",
  "instance-bound": "An instance that must stop when its server is emptied.",
  "vm-not-stateful": "A virtual machine that cannot move while it runs.",
  "single-psu": "One power supply.",
  "single-boot-disk": "One disk with the system.",
} as const satisfies Record<string, string>;

export type FindingCode = keyof typeof FINDINGS;

/** Looks at a cluster and says what it finds. */
export type Look = (cluster: Cluster, say: Say) => void;
export type Say = (
  code: FindingCode,
  path: Path,
  message: string,
  remedy: string,
  severity?: "warning" | "note",
) => void;
