import type { Context } from "../context.ts";
import type { Ceph, CephPool, CephRule, Mesh, StoragePool, Vlan } from "../model.ts";
import { namedUuid } from "../plan.ts";
import { knownServers } from "./network.ts";

type CephBacked = Extract<Context["file"]["storage"][string], { driver: "ceph" | "cephfs" }>;

export function resolveStorage({ file }: Context): StoragePool[] {
  return Object.entries(file.storage).map(([name, own]) => ({ name, driver: own.driver, source: sourceOf(name, own) }));
}

function sourceOf(name: string, own: Context["file"]["storage"][string]): string | undefined {
  if (own.driver === "ceph") return own.source ?? `lxd-${name}`;
  return own.driver === "cephfs" ? (own.source ?? "lxd-cephfs") : own.source;
}

export function resolveCeph(
  context: Context,
  servers: readonly string[],
  mesh: Mesh | undefined,
  vlans: readonly Vlan[],
): Ceph | undefined {
  const { file } = context;
  const backed = Object.entries(file.storage).flatMap(([name, own]) =>
    own.driver === "ceph" || own.driver === "cephfs" ? [{ name, own }] : [],
  );
  if (file.ceph === undefined && backed.length === 0) return undefined;
  const rules = new Map<string, CephRule>();
  const ruleFor = (deviceClass: CephRule["class"], failureDomain: CephRule["failureDomain"]) => {
    const name = `replicated_rule_${deviceClass}${failureDomain === "host" ? "" : "_osd"}`;
    rules.set(name, { name, class: deviceClass, failureDomain });
    return name;
  };
  const pool = (
    name: string,
    storage: string,
    application: CephPool["application"],
    rule: string,
    own: CephBacked,
  ): CephPool => ({
    name,
    rule,
    storage,
    application,
    size: own.size,
    minSize: own.minSize,
    placementGroups: own.placementGroups,
  });
  const pools: CephPool[] = [];
  const filesystems: Ceph["filesystems"][number][] = [];
  for (const { name, own } of backed) {
    const source = sourceOf(name, own) ?? name;
    if (own.driver === "ceph") {
      pools.push(pool(source, name, "rbd", ruleFor(own.class, own.failureDomain), own));
      continue;
    }
    const metadata = pool(`${source}_metadata`, name, "cephfs", ruleFor(own.metadata, own.failureDomain), own);
    const data = pool(`${source}_data`, name, "cephfs", ruleFor(own.data, own.failureDomain), own);
    pools.push(metadata, data);
    filesystems.push({ name: source, metadata: metadata.name, data: data.name, snapshots: own.snapshots });
  }
  const between = vlans.find(({ role }) => role === "underlay") ?? vlans.find(({ role }) => role === "hosts");
  const network = mesh?.prefixes[0] ?? between?.subnets[0]?.prefix;
  return {
    fsid: file.ceph?.fsid ?? namedUuid(`${file.name}.${file.domain}/ceph`),
    mons: knownServers(context, ["ceph", "mons"], file.ceph?.mons) ?? servers.slice(0, 3),
    publicNetwork: file.ceph?.publicNetwork ?? network,
    clusterNetwork: file.ceph?.clusterNetwork ?? network,
    rules: [...rules.values()],
    pools,
    filesystems,
  };
}
