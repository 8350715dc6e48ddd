import type { ServerPlan, Topology } from "./topology.ts";

export interface OsdPlan {
  readonly id: number;
  readonly server: string;
  readonly deviceClass: "hdd" | "ssd";
}

/** A disk of each class on every server, as an OSD. */
export function osds(topology: Topology): OsdPlan[] {
  return topology.servers.flatMap(({ name }, i) => [
    { id: 2 * i, server: name, deviceClass: "hdd" as const },
    { id: 2 * i + 1, server: name, deviceClass: "ssd" as const },
  ]);
}

/** Monitors, and with them managers: on the first three servers. */
export function monitors(topology: Topology): readonly ServerPlan[] {
  return topology.servers.slice(0, 3);
}

/** The users of a cluster and what they may do, each to be given a key. */
export function cephUsers(topology: Topology): Record<string, readonly string[]> {
  const users: Record<string, readonly string[]> = {
    "mon.": ['mon = "allow *"'],
    "client.admin": ['mon = "allow *"', 'mgr = "allow *"', 'osd = "allow *"', 'mds = "allow *"'],
  };
  for (const { name } of monitors(topology)) {
    users[`mgr.${name}`] = ['mon = "allow profile mgr"', 'osd = "allow *"', 'mds = "allow *"'];
    users[`mds.${name}`] = ['mon = "allow profile mds"', 'mgr = "profile mds"', 'osd = "allow rwx"', 'mds = "allow"'];
  }
  for (const { id } of osds(topology))
    users[`osd.${id}`] = ['mon = "allow profile osd"', 'mgr = "allow profile osd"', 'osd = "allow *"'];
  return users;
}

/** A keyring with the given users. */
export function keyring(
  users: Readonly<Record<string, readonly string[]>>,
  keys: Readonly<Record<string, string>>,
): string {
  return Object.entries(users)
    .map(([user, caps]) => [`[${user}]`, `\tkey = ${keys[user]}`, ...caps.map((cap) => `\tcaps ${cap}`), ""].join("\n"))
    .join("\n");
}

export function cephConf(topology: Topology, fsid: string): string {
  const mons = monitors(topology);
  return `[global]
fsid = ${fsid}
mon_initial_members = ${mons.map(({ name }) => name).join(",")}
mon_host = ${mons.map(({ mesh }) => `[v2:${mesh}:3300,v1:${mesh}:6789]`).join(",")}
public_network = 10.60.0.0/24
cluster_network = 10.60.0.0/24
osd_pool_default_size = 3
osd_pool_default_min_size = 2
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
# One machine plays all servers: a daemon that waits for its turn there is no fault of the cluster.
mon_warn_on_slow_ping_time = 10000
osd_op_complaint_time = 120
[client]
keyring = /etc/ceph/$cluster.$name.keyring
[mon]
keyring = /var/lib/ceph/mon/$cluster-$id/keyring
auth_allow_insecure_global_id_reclaim = false
# The machine's disk is shared with everything else on it.
mon_data_avail_warn = 2
mon_data_avail_crit = 1
# Not the default ones: the module restful does not load on Debian 13 (build/ceph.ts), and health complains about it.
mgr_initial_modules = iostat
[mgr]
keyring = /var/lib/ceph/mgr/$cluster-$id/keyring
[mds]
keyring = /var/lib/ceph/mds/$cluster-$id/keyring
[osd]
keyring = /var/lib/ceph/osd/$cluster-$id/keyring
# A file stands for the disk.
bluestore_block_size = 4294967296
osd_memory_target = 939524096
osd_class_update_on_start = false
`;
}

/** Rules, classes, pools and file system, as commands of an interactive ceph. */
export function cephCommands(topology: Topology): string[] {
  const disks = osds(topology);
  const ids = (deviceClass: string): string =>
    disks
      .filter((osd) => osd.deviceClass === deviceClass)
      .map(({ id }) => `osd.${id}`)
      .join(" ");
  const pool = (name: string, deviceClass: string): string =>
    `osd pool create ${name} 8 8 replicated replicated_rule_${deviceClass}`;
  return [
    `osd crush set-device-class hdd ${ids("hdd")}`,
    `osd crush set-device-class ssd ${ids("ssd")}`,
    "osd crush rule create-replicated replicated_rule_hdd default host hdd",
    "osd crush rule create-replicated replicated_rule_ssd default host ssd",
    // The faster disks hold the first replica, which serves reads.
    ...disks.map(({ id, deviceClass }) => `osd primary-affinity osd.${id} ${deviceClass === "ssd" ? "1.0" : "0.25"}`),
    pool("lxd-ssd", "ssd"),
    pool("lxd-hdd", "hdd"),
    pool("lxd-cephfs_metadata", "ssd"),
    pool("lxd-cephfs_data", "hdd"),
    "osd pool application enable lxd-ssd rbd",
    "osd pool application enable lxd-hdd rbd",
    "fs new lxd-cephfs lxd-cephfs_metadata lxd-cephfs_data",
    "fs set lxd-cephfs allow_new_snaps true",
    "mgr module enable prometheus",
  ];
}
