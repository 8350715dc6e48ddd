import type { Cluster, Network, Project, Vlan } from "@trivet/spec";
import type { Family } from "@trivet/ip";
import { type RenderOptions, type RenderedFile, quote, scriptFile } from "../file.ts";
import { northbound } from "../server/ovn.ts";
import { nat64Prefixes } from "../services/nat64.ts";

/** The uplink on each server, projects, and OVN networks. */
export function networks(cluster: Cluster, cli: string, options: RenderOptions): RenderedFile {
  const uplinks = cluster.vlans.filter(({ role }) => role === "uplink");
  const lines = [
    `${cli} config set network.ovn.northbound_connection ${quote(northbound(cluster))}`,
    ...uplinks.flatMap((vlan) => uplink(cluster, vlan, cli)),
    ...cluster.projects.flatMap((project) => [
      ...projectLines(project, cli),
      ...project.networks.flatMap((network) => ovnNetwork(cluster, network, cli)),
    ]),
  ];
  return scriptFile(
    "lxd/networks.sh",
    options,
    "Uplink, projects and OVN networks; run acls.sh after it. Safe to run again.",
    lines,
  );
}

function uplink(cluster: Cluster, vlan: Vlan, cli: string): string[] {
  const six = cluster.addresses.filter(({ family }) => family === 6);
  const four = cluster.addresses.filter(({ family }) => family === 4);
  const keys = [
    ...vlan.subnets.map(({ family, gateway, prefix }) => [
      `ipv${family}.gateway`,
      `${gateway.toString()}/${prefix.length}`,
    ]),
    ...([4, 6] as const).flatMap((family) => ranges(vlan, family)),
    ...(four.length > 0 ? [["ipv4.routes", four.join(",")]] : []),
    ...(six.length > 0 ? [["ipv6.routes", [...six.map(String), ...nat64Prefixes(cluster)].join(",")]] : []),
    ...(vlan.anycast
      ? [
          ["ipv4.routes.anycast", "true"],
          ["ipv6.routes.anycast", "true"],
          ["ovn.ingress_mode", "routed"],
        ]
      : []),
    ...((cluster.dns?.resolvers?.addresses.length ?? 0) > 0
      ? [["dns.nameservers", cluster.dns?.resolvers?.addresses.join(",") ?? ""]]
      : []),
  ];
  const create = `${cli} network create ${quote(vlan.name)} --type=physical`;
  const perServer = cluster.servers.length > 1;
  const parent = (target: string) => `  ${create} parent=${vlan.bridge}${target}`;
  return [
    `if ! ${cli} network show ${quote(vlan.name)} >/dev/null 2>&1; then`,
    ...(perServer ? cluster.servers.map(({ name }) => parent(` --target ${name}`)) : [parent("")]),
    ...(perServer ? [`  ${create}`] : []),
    "fi",
    ...keys.map(([key, value]) => `${cli} network set ${quote(vlan.name)} ${key}=${quote(value ?? "")}`),
  ];
}

function ranges(vlan: Vlan, family: Family): string[][] {
  const own = vlan.ranges.filter(({ first }) => first.family === family);
  return own.length === 0
    ? []
    : [[`ipv${family}.ovn.ranges`, own.map(({ first, last }) => `${first.toString()}-${last.toString()}`).join(",")]];
}

function projectLines(project: Project, cli: string): string[] {
  if (project.name === "default") return [];
  const features = project.networks.length > 0 ? " -c features.networks=true" : "";
  return [
    "",
    `${cli} project show ${project.name} >/dev/null 2>&1 || ${cli} project create ${project.name}${features} -c features.images=false -c features.profiles=false`,
  ];
}

function ovnNetwork(cluster: Cluster, network: Network, cli: string): string[] {
  const name = `${cli} network`;
  const project = network.project === "default" ? "" : ` --project ${network.project}`;
  const subnet = (family: Family) => network.subnets.find((each) => each.family === family);
  const at = (family: Family) => {
    const own = subnet(family);
    return own === undefined ? "none" : `${own.gateway.toString()}/${own.prefix.length}`;
  };
  // Geneve's headers must fit the underlay: 58 octets over IPv4, 78 over IPv6.
  const mtu = Math.min(1500, cluster.underlayMtu - 78);
  const keys = [
    `network=${quote(network.uplink)}`,
    `ipv4.address=${at(4)}`,
    `ipv6.address=${at(6)}`,
    ...(subnet(4) === undefined ? [] : [`ipv4.nat=${String(network.nat)}`]),
    ...(subnet(6) === undefined ? [] : ["ipv6.nat=false"]),
    ...(mtu < 1500 ? [`bridge.mtu=${mtu}`] : []),
    `dns.domain=${network.zone}`,
  ];
  return [
    `${name} show ${network.name}${project} >/dev/null 2>&1 || ${name} create ${network.name} --type=ovn ${keys.join(" ")}${project}`,
  ];
}
