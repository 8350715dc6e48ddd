import type { Look } from "./finding.ts";

/** Above this share Ceph refuses writes (its default nearfull is 0.85). */
const FULL = 0.85;

export const storage: Look = (cluster, say) => {
  const { ceph, servers } = cluster;
  if (ceph === undefined) return;
  const promised = new Map<string, number>();
  for (const { instances } of cluster.projects)
    for (const { pool, disk } of instances)
      if (pool !== undefined) promised.set(pool, (promised.get(pool) ?? 0) + disk);
  for (const pool of ceph.pools) {
    const path = ["storage", pool.storage];
    const rule = ceph.rules.find(({ name }) => name === pool.rule);
    const osds = servers.map(({ disks }) => disks.filter(({ osd, class: own }) => osd && own === rule?.class));
    const hosts = osds.filter((each) => each.length > 0).length;
    if (pool.size < 3)
      say(
        "ceph-size",
        [...path, "size"],
        `${pool.name} has ${pool.size} replica${pool.size === 1 ? "" : "s"}`,
        "set size to 3",
      );
    if (pool.minSize < 2)
      say("ceph-min-size", [...path, "minSize"], `${pool.name} is written with one replica left`, "set minSize to 2");
    if (pool.size === pool.minSize && pool.size > 1)
      say(
        "ceph-size-is-min-size",
        [...path, "minSize"],
        `${pool.name} needs all of its ${pool.size} replicas for a write`,
        "set minSize to one less than size",
      );
    if (rule?.failureDomain === "osd")
      say(
        "ceph-failure-domain",
        [...path, "failureDomain"],
        `${pool.name} may have all replicas on one server`,
        "set failureDomain to host",
      );
    else if (hosts < pool.size)
      say(
        "ceph-class-hosts",
        path,
        `${pool.name} wants ${pool.size} replicas, but ${hosts} server${hosts === 1 ? " has" : "s have"} disks of class ${rule?.class}`,
        "add such disks to more servers, or lower size",
      );
  }
  const groups = new Map<string, { need: number; pools: string[] }>();
  for (const pool of ceph.pools) {
    const own = groups.get(pool.rule) ?? { need: 0, pools: [] };
    if (pool.application === "rbd") own.need += (promised.get(pool.storage) ?? 0) * pool.size;
    own.pools.push(pool.storage);
    groups.set(pool.rule, own);
  }
  for (const [name, { need, pools }] of groups) {
    const deviceClass = ceph.rules.find((rule) => rule.name === name)?.class;
    const sizes = servers.map(({ disks }) =>
      disks.filter(({ osd, class: own }) => osd && own === deviceClass).reduce((sum, { size }) => sum + size, 0),
    );
    const left = sizes.reduce((sum, size) => sum + size, 0) - Math.max(0, ...sizes);
    const size = Math.max(...ceph.pools.filter((pool) => pool.rule === name).map((pool) => pool.size));
    // On as many servers as replicas, nothing is copied anew when one goes: two thirds of the data stay where they are.
    const share = sizes.filter((each) => each > 0).length > size ? need : (need * (size - 1)) / size;
    if (left > 0 && share > left * FULL)
      say(
        "ceph-near-full",
        ["storage", pools[0] ?? ""],
        `instances may fill ${Math.round((share / left) * 100)} % of the ${deviceClass} disks that are left with one server gone`,
        "add disks, or make the instances' disks smaller",
      );
  }
  const [publicNetwork, clusterNetwork] = [ceph.publicNetwork, ceph.clusterNetwork];
  const hosts = cluster.vlans.find(({ role }) => role === "hosts");
  const onHosts =
    clusterNetwork !== undefined && hosts?.subnets.some(({ prefix }) => prefix.contains(clusterNetwork)) === true;
  if (clusterNetwork === undefined || publicNetwork === undefined || onHosts)
    say(
      "ceph-cluster-network",
      ["ceph", "clusterNetwork"],
      "Ceph's replication has no network of its own: it shares the servers' way out",
      "add a mesh, or a VLAN with the role underlay",
    );
};
