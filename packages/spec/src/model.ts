import type { Address, Family, InterfaceAddress, Prefix } from "@trivet/ip";
import type { ClusterFile } from "./schema/cluster.ts";
import type { SecretRef } from "./schema/common.ts";

/** A cluster with everything derived: what all other rooms work on. Immutable. */
export interface Cluster {
  readonly name: string;
  readonly platform: "lxd" | "incus";
  readonly domain: string;
  /** What the provider routes here. */
  readonly addresses: readonly Prefix[];
  /** By number. */
  readonly servers: readonly Server[];
  readonly switches: readonly Switch[];
  readonly vlans: readonly Vlan[];
  readonly mesh: Mesh | undefined;
  /** The largest packet between servers that needs no fragments. */
  readonly underlayMtu: number;
  readonly ovn: Ovn | undefined;
  readonly ceph: Ceph | undefined;
  readonly lxd: ClusterFile["lxd"];
  readonly storage: readonly StoragePool[];
  readonly projects: readonly Project[];
  readonly routing: Routing | undefined;
  readonly dns: ClusterFile["dns"];
  readonly services: ClusterFile["services"];
  readonly monitoring: ClusterFile["monitoring"];
  readonly maintenance: ClusterFile["maintenance"];
}

export interface Server {
  readonly name: string;
  readonly number: number;
  /** Bytes. */
  readonly memory: number;
  readonly cores: number;
  /** The feed of each power supply. */
  readonly power: readonly string[];
  readonly cards: readonly Card[];
  readonly links: readonly Link[];
  readonly disks: readonly Disk[];
  readonly macs: Readonly<Record<string, string>>;
  readonly bmc: { readonly address: Address | undefined; readonly host: string | undefined } | undefined;
  /** On the hosts network. */
  readonly hosts: readonly Address[];
  /** On the underlay network. */
  readonly underlay: readonly Address[];
  /** On the mesh. */
  readonly mesh: readonly Address[];
  /** Where LXD, OVN and Ceph reach it: on the mesh, else the underlay, else the hosts network. */
  readonly address: Address | undefined;
  readonly failureDomain: string | undefined;
}

export interface Card {
  readonly name: string;
  readonly ports: readonly string[];
  /** Mbit/s of each port. */
  readonly speed: number;
  readonly mtu: number | undefined;
}

export interface Disk {
  readonly name: string;
  readonly class: "hdd" | "ssd" | "nvme";
  readonly size: number;
  readonly device: string | undefined;
  readonly serial: string | undefined;
  readonly boot: boolean;
  readonly osd: boolean;
  readonly affinity: number;
}

export interface Link {
  readonly name: string;
  /** The interface that carries addresses and VLANs: the bond, or the only port. */
  readonly device: string;
  readonly ports: readonly string[];
  readonly bonded: boolean;
  readonly mtu: number;
  readonly mode: "802.3ad" | "active-backup" | "balance-xor" | "balance-rr";
  readonly lacpRate: "fast" | "slow";
  readonly miiMonitor: number;
  readonly hash: string;
  readonly peer: { readonly server: string; readonly link: string } | { readonly switches: readonly string[] };
  readonly linkLocal: { readonly address: Address; readonly assigned: boolean } | undefined;
}

export interface Switch {
  readonly name: string;
  readonly power: readonly string[];
  readonly mlag: string | undefined;
  readonly mtu: number;
  readonly address: Address | undefined;
}

export type Role = "wan" | "uplink" | "hosts" | "underlay" | "bmc";

export interface Vlan {
  readonly name: string;
  readonly id: number | undefined;
  readonly role: Role;
  readonly bridge: string;
  readonly mtu: number;
  /** The link that carries it, on every server. */
  readonly link: string;
  readonly subnets: readonly Subnet[];
  readonly vrid: number;
  /** Addresses that OVN may take. */
  readonly ranges: readonly Range[];
  readonly anycast: boolean;
}

export interface Subnet {
  readonly family: Family;
  readonly prefix: Prefix;
  readonly gateway: Address;
}

export interface Range {
  readonly first: Address;
  readonly last: Address;
}

export interface Mesh {
  readonly prefixes: readonly Prefix[];
  readonly mtu: number;
}

export interface Ovn {
  /** Servers that hold the databases. */
  readonly central: readonly string[];
  readonly bfd: { readonly minRx: number; readonly minTx: number; readonly multiplier: number };
  readonly bootstrap: boolean;
  readonly ssl: boolean;
}

export interface Ceph {
  readonly fsid: string;
  readonly mons: readonly string[];
  readonly publicNetwork: Prefix | undefined;
  readonly clusterNetwork: Prefix | undefined;
  readonly rules: readonly CephRule[];
  readonly pools: readonly CephPool[];
  readonly filesystems: readonly {
    readonly name: string;
    readonly metadata: string;
    readonly data: string;
    readonly snapshots: boolean;
  }[];
}

export interface CephRule {
  readonly name: string;
  readonly class: "hdd" | "ssd" | "nvme";
  readonly failureDomain: "host" | "osd";
}

export interface CephPool {
  readonly name: string;
  readonly rule: string;
  readonly size: number;
  readonly minSize: number;
  readonly placementGroups: number;
  /** The LXD storage pool it is for. */
  readonly storage: string;
  readonly application: "rbd" | "cephfs";
}

export interface StoragePool {
  readonly name: string;
  readonly driver: "ceph" | "cephfs" | "dir" | "zfs" | "lvm" | "btrfs";
  readonly source: string | undefined;
}

export interface Project {
  readonly name: string;
  readonly description: string | undefined;
  readonly networks: readonly Network[];
  readonly acls: readonly Acl[];
  readonly instances: readonly Instance[];
}

export interface Network {
  readonly name: string;
  readonly project: string;
  readonly subnets: readonly Subnet[];
  readonly nat: boolean;
  readonly uplink: string;
  readonly acls: readonly string[];
  readonly default: "allow" | "reject" | "drop" | undefined;
  readonly zone: string;
  readonly description: string | undefined;
}

type AclFile = ClusterFile["projects"][string]["acls"][string];
export type AclRule = AclFile["ingress"][number];
export interface Acl extends AclFile {
  readonly name: string;
}

export interface Instance {
  /** PROJECT/NAME. */
  readonly ref: string;
  readonly project: string;
  readonly name: string;
  readonly type: "container" | "vm";
  readonly image: string;
  readonly memory: number;
  readonly cores: number;
  readonly disk: number;
  readonly pool: string | undefined;
  readonly network: string | undefined;
  readonly bridges: Readonly<Record<string, string>>;
  readonly addresses: readonly Address[];
  readonly routes: readonly Prefix[];
  readonly acls: readonly string[];
  readonly on: string | undefined;
  readonly evacuate: "auto" | "migrate" | "live-migrate" | "stop";
  readonly stateful: boolean;
  readonly devices: readonly string[];
}

export interface Routing {
  readonly asn: number;
  /** By priority, highest first. */
  readonly routers: readonly Router[];
  readonly upstreams: readonly Upstream[];
  readonly announce: readonly Prefix[];
  readonly lines: readonly { readonly name: string; readonly to: string; readonly power: readonly string[] }[];
  readonly vrrp: "keepalived" | "frr";
  /** Of VRRP, in milliseconds. */
  readonly advertisementInterval: number;
  /** The interval in milliseconds. */
  readonly bfd: { readonly interval: number; readonly multiplier: number };
  readonly trackUpstream: boolean;
  readonly agents: { readonly asn: number; readonly password: SecretRef | undefined };
  readonly nullRoute: boolean;
  readonly filters: boolean;
}

export interface Router {
  readonly name: string;
  readonly number: number;
  readonly on: string;
  readonly priority: number;
  /** Its interface, address and gateway duty on each VLAN. */
  readonly interfaces: readonly RouterInterface[];
}

export interface RouterInterface {
  readonly vlan: string;
  readonly role: Role;
  readonly name: string;
  readonly addresses: readonly InterfaceAddress[];
}

export interface Upstream {
  readonly name: string;
  readonly asn: number;
  readonly addresses: readonly Address[];
  readonly line: string;
  readonly password: SecretRef | undefined;
  readonly bfd: boolean;
}
