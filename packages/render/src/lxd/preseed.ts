import type { Cluster, Server } from "@trivet/spec";
import { bracketed, type RenderOptions, type RenderedFile, yamlFile } from "../file.ts";

/** What `lxd init --preseed` (or `incus admin init --preseed`) reads: the first server makes the cluster, the others join it. */
export function preseed(cluster: Cluster, server: Server, options: RenderOptions): RenderedFile[] {
  const { lxd } = cluster;
  const [first] = cluster.servers;
  if (first?.address === undefined || server.address === undefined) return [];
  const own = { server_name: server.name, enabled: true };
  const at = `${bracketed(server.address)}:${lxd.port}`;
  const password =
    lxd.trustPassword === undefined || cluster.platform === "incus" ? undefined : options.secret(lxd.trustPassword);
  const path = `servers/${server.name}/lxd-preseed.yaml`;
  const mode = password === undefined ? 0o644 : 0o600;
  if (server === first) {
    const config = {
      "core.https_address": at,
      ...(cluster.servers.length > 1 && {
        "cluster.max_voters": String(lxd.voters),
        "cluster.max_standby": String(lxd.standby),
      }),
      ...(lxd.healing > 0 && { "cluster.healing_threshold": String(lxd.healing) }),
      ...(password !== undefined && { "core.trust_password": password }),
    };
    return [
      yamlFile(
        path,
        options,
        `Makes the cluster, on ${server.name}: ${command(cluster)} <lxd-preseed.yaml`,
        { config, cluster: own },
        mode,
      ),
    ];
  }
  const join = { ...own, server_address: at, cluster_address: `${bracketed(first.address)}:${lxd.port}` };
  if (password !== undefined)
    return [
      yamlFile(
        path,
        options,
        `${server.name} joins, once /root/cluster.crt is copied from ${first.name}: ${command(cluster)} <lxd-preseed.yaml`,
        { cluster: { ...join, cluster_certificate_path: "/root/cluster.crt", cluster_password: password } },
        mode,
      ),
    ];
  const token = `put here what \`${cluster.platform === "lxd" ? "lxc" : "incus"} cluster add ${server.name}\` on ${first.name} prints`;
  return [
    yamlFile(
      path,
      options,
      `${server.name} joins, with a token: ${command(cluster)} <lxd-preseed.yaml`,
      { cluster: { ...join, cluster_token: token } },
      mode,
    ),
  ];
}

function command(cluster: Cluster): string {
  return cluster.platform === "lxd" ? "lxd init --preseed" : "incus admin init --preseed";
}
