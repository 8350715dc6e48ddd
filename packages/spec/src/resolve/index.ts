import type { Context } from "../context.ts";
import type { Cluster, Link, Server, Vlan } from "../model.ts";
import { resolveProjects } from "./compute.ts";
import { hardwarePath, resolveServers, resolveSwitches } from "./hardware.ts";
import { resolveMesh, resolveOvn, resolveVlans } from "./network.ts";
import { resolveRouting } from "./routing.ts";
import { resolveCeph, resolveStorage } from "./storage.ts";

/** Derives the cluster from the file. What cannot be resolved is reported and left out. */
export function resolveCluster(context: Context): Cluster {
  const { file } = context;
  const vlans = resolveVlans(context);
  const mesh = resolveMesh(file);
  const prefixes = (role: Vlan["role"]) =>
    vlans.filter((vlan) => vlan.role === role).flatMap(({ subnets }) => subnets.map(({ prefix }) => prefix));
  const servers = paired(
    context,
    resolveServers(context, {
      hosts: prefixes("hosts"),
      underlay: prefixes("underlay"),
      bmc: prefixes("bmc"),
      mesh: mesh?.prefixes ?? [],
      meshMtu: mesh?.mtu ?? 9000,
      mtuOf: (link) => Math.max(1500, ...vlans.filter((vlan) => vlan.link === link).map(({ mtu }) => mtu)),
    }),
  );
  const names = servers.map(({ name }) => name);
  const storage = resolveStorage(context);
  const between = vlans.find(({ role }) => role === "underlay") ?? vlans.find(({ role }) => role === "hosts");
  return {
    name: file.name,
    platform: file.platform,
    domain: file.domain,
    addresses: [file.addresses.ipv6, file.addresses.ipv4].filter((prefix) => prefix !== undefined),
    servers,
    switches: resolveSwitches(file),
    vlans,
    mesh,
    underlayMtu: mesh?.mtu ?? between?.mtu ?? 1500,
    ovn: resolveOvn(context, names, vlans),
    ceph: resolveCeph(context, names, mesh, vlans),
    lxd: file.lxd,
    storage,
    projects: resolveProjects(context, vlans, storage),
    routing: resolveRouting(context, names, vlans),
    dns: file.dns,
    services: file.services,
    monitoring: file.monitoring,
    maintenance: file.maintenance,
  };
}

/** Finds, for each direct link, the link at its other end. */
function paired(context: Context, servers: readonly Server[]): Server[] {
  const free = new Map(servers.map((server) => [server.name, server.links.filter(({ peer }) => "server" in peer)]));
  return servers.map((server) => ({
    ...server,
    links: server.links.flatMap((link): Link[] => {
      if (!("server" in link.peer)) return [link];
      const candidates = free.get(link.peer.server) ?? [];
      const index = candidates.findIndex(({ peer }) => "server" in peer && peer.server === server.name);
      const [other] = index < 0 ? [] : candidates.splice(index, 1);
      if (other !== undefined) return [{ ...link, peer: { server: link.peer.server, link: other.name } }];
      context.report(hardwarePath(context.file, server.name, "links", link.name, "to"), {
        code: "link-one-way",
        message: `${server.name}'s ${link.name} goes to ${link.peer.server}, which has no link back`,
        remedy: `add a link to: ${server.name} there, or remove this one`,
      });
      return [];
    }),
  }));
}
