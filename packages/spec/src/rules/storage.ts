import type { Context } from "../context.ts";
import type { Cluster } from "../model.ts";

export function checkStorage(context: Context, cluster: Cluster): void {
  const { ceph } = cluster;
  for (const pool of ceph?.pools ?? []) {
    const rule = ceph?.rules.find(({ name }) => name === pool.rule);
    const there = cluster.servers.flatMap(({ disks }) => disks.filter(({ osd }) => osd)).map((disk) => disk.class);
    if (rule !== undefined && !there.includes(rule.class)) {
      const key = pool.application === "rbd" ? "class" : pool.name.endsWith("_metadata") ? "metadata" : "data";
      context.report(["storage", pool.storage, key], {
        code: "class-without-disk",
        message: `the pool ${pool.storage} wants disks of class ${rule.class}, and no server has one for Ceph`,
        remedy: there.length === 0 ? "describe disks: on the servers" : `choose ${[...new Set(there)].join(" or ")}`,
      });
    }
    if (pool.minSize > pool.size)
      context.report(["storage", pool.storage, "minSize"], {
        code: "min-size",
        message: `minSize ${pool.minSize} is more than size ${pool.size}: the pool ${pool.storage} could never be written`,
        remedy: "lower minSize, or raise size",
      });
  }
  const voters = cluster.lxd.voters;
  if (voters > cluster.servers.length && context.file.lxd.voters !== 3)
    context.report(["lxd", "voters"], {
      code: "too-many-voters",
      message: `${voters} voters are wanted of ${cluster.servers.length} servers`,
      remedy: "lower it",
    });
}
