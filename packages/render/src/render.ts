import type { Cluster } from "@trivet/spec";
import type { RenderOptions, RenderedFile } from "./file.ts";
import { acls } from "./lxd/acls.ts";
import { instances } from "./lxd/instances.ts";
import { networks } from "./lxd/networks.ts";
import { preseed } from "./lxd/preseed.ts";
import { storage } from "./lxd/storage.ts";
import { grafana } from "./monitoring/grafana.ts";
import { prometheus } from "./monitoring/prometheus.ts";
import { routerContainers } from "./router/container.ts";
import { frr } from "./router/frr.ts";
import { keepalived } from "./router/keepalived.ts";
import { agent } from "./server/agent.ts";
import { cephConf, cephScripts } from "./server/ceph.ts";
import { netplan } from "./server/netplan.ts";
import { ovn, ovnTuning } from "./server/ovn.ts";
import { dns } from "./services/dns.ts";
import { nat64 } from "./services/nat64.ts";
import { egress, haproxy } from "./services/proxy.ts";

/** All files of the cluster, by path. */
export function renderCluster(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  const cli = cluster.platform === "lxd" ? "lxc" : "incus";
  const { routing } = cluster;
  const files = [
    ...cluster.servers.flatMap((server) => [
      netplan(cluster, server, options),
      ...ovn(cluster, server, options),
      ...cephConf(cluster, server, options),
      ...preseed(cluster, server, options),
      ...agent(cluster, server, options),
    ]),
    ...ovnTuning(cluster, options),
    ...cephScripts(cluster, options),
    storage(cluster, cli, options),
    networks(cluster, cli, options),
    acls(cluster, cli, options),
    ...instances(cluster, cli, options),
    ...(routing === undefined
      ? []
      : [
          ...routing.routers.flatMap((router) => [
            ...frr(cluster, routing, router, options),
            ...keepalived(cluster, routing, router, options),
          ]),
          ...routerContainers(cluster, routing, cli, options),
        ]),
    ...dns(cluster, options),
    ...haproxy(cluster, options),
    ...egress(cluster, options),
    ...nat64(cluster, options),
    ...prometheus(cluster, options),
    ...grafana(cluster, options),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
