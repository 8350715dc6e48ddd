import type { Cluster, Link, Server, Subnet, Vlan } from "@trivet/spec";
import type { Address } from "@trivet/ip";
import { type RenderOptions, type RenderedFile, yamlFile } from "../file.ts";

const NO_AUTOCONF = { "accept-ra": false, dhcp4: false, dhcp6: false };

/** The server's network: ports, bonds, VLANs, bridges, and in the mesh its address with host routes to the others. */
export function netplan(cluster: Cluster, server: Server, options: RenderOptions): RenderedFile {
  const [ethernets, bonds, vlans, bridges]: Record<string, object>[] = [{}, {}, {}, {}];
  for (const link of server.links) {
    for (const port of link.ports) ethernets![port] = ethernet(server, link, port);
    const device = { ...shape(link), ...("server" in link.peer ? meshAddresses(cluster, server, link) : {}) };
    if (link.bonded) bonds![link.device] = device;
    else ethernets![link.device] = { ...ethernets![link.device], ...device };
  }
  for (const vlan of cluster.vlans) {
    const link = server.links.find(({ name }) => name === vlan.link);
    if (link === undefined) continue;
    const lower = vlan.id === undefined ? link.device : `${link.device}.${vlan.id}`;
    if (vlan.id !== undefined)
      vlans![lower] = { link: link.device, id: vlan.id, "link-local": [], ...NO_AUTOCONF, mtu: vlan.mtu };
    bridges![vlan.bridge] = {
      interfaces: [lower],
      ...onBridge(cluster, server, vlan),
      dhcp4: false,
      dhcp6: false,
      mtu: vlan.mtu,
    };
  }
  const network = { version: 2, ...some({ ethernets, bonds, vlans, bridges }) };
  return yamlFile(
    `servers/${server.name}/etc/netplan/60-trivet.yaml`,
    options,
    `The network of ${server.name}.`,
    { network },
    0o600,
  );
}

function ethernet(server: Server, link: Link, port: string): object {
  const mac = server.macs[port];
  const own = server.cards.find(({ ports }) => ports.includes(port))?.mtu;
  const match = mac === undefined ? {} : { match: { macaddress: mac }, "set-name": port };
  return { ...match, ...NO_AUTOCONF, mtu: own ?? link.mtu };
}

/** A link's own settings: every bond parameter is said, as the defaults never notice a dead port. */
function shape(link: Link): object {
  const direct = "server" in link.peer;
  return {
    ...(link.bonded && { interfaces: link.ports }),
    ...(!direct && { "link-local": [] }),
    ...NO_AUTOCONF,
    mtu: link.mtu,
    ...(link.bonded && { parameters: parameters(link) }),
  };
}

function parameters(link: Link): object {
  return {
    mode: link.mode,
    ...(link.mode === "802.3ad" && { "lacp-rate": link.lacpRate }),
    "mii-monitor-interval": link.miiMonitor,
    ...((link.mode === "802.3ad" || link.mode === "balance-xor") && { "transmit-hash-policy": link.hash }),
  };
}

/** The mesh address stands on every mesh link; the host route decides which one leads to which server. */
function meshAddresses(cluster: Cluster, server: Server, link: Link): object {
  if (!("server" in link.peer)) return {};
  const { server: name, link: there } = link.peer;
  const peer = cluster.servers.find((each) => each.name === name);
  const end = peer?.links.find((each) => each.name === there)?.linkLocal;
  const prefixes = cluster.mesh?.prefixes ?? [];
  const own = server.mesh.flatMap((address) =>
    prefixes.flatMap((prefix) => (prefix.contains(address) ? [`${address.toString()}/${prefix.length}`] : [])),
  );
  const assigned = link.linkLocal?.assigned === true ? [`${link.linkLocal.address.toString()}/64`] : [];
  return {
    addresses: [...own, ...assigned],
    routes: (peer?.mesh ?? []).map((address) =>
      address.family === 6
        ? { to: `${address.toString()}/128`, via: end?.address.toString() }
        : { to: `${address.toString()}/32`, scope: "link" },
    ),
  };
}

/** The server itself is on its hosts network (or, if there is none, on the uplink), and on the underlay. */
function onBridge(cluster: Cluster, server: Server, vlan: Vlan): object {
  const home = cluster.vlans.some(({ role }) => role === "hosts") ? "hosts" : "uplink";
  if (vlan.role === "underlay")
    return { "link-local": [], "accept-ra": false, addresses: within(server.underlay, vlan.subnets) };
  if (vlan.role !== home) return { "link-local": [], "accept-ra": false };
  const resolvers = [...(cluster.dns?.resolvers?.addresses ?? []), ...(cluster.dns?.fallback ?? [])];
  const gateway4 = vlan.subnets.find(({ family }) => family === 4)?.gateway;
  return {
    "accept-ra": vlan.role === "hosts" || vlan.subnets.some(({ family }) => family === 6),
    addresses: within(server.hosts, vlan.subnets),
    ...(gateway4 !== undefined &&
      server.hosts.some(({ family }) => family === 4) && { routes: [{ to: "default", via: gateway4 }] }),
    ...(resolvers.length > 0 && { nameservers: { search: [cluster.domain], addresses: resolvers } }),
  };
}

function within(addresses: readonly Address[], subnets: readonly Subnet[]): string[] {
  return addresses.flatMap((address) =>
    subnets.flatMap(({ prefix }) => (prefix.contains(address) ? [`${address.toString()}/${prefix.length}`] : [])),
  );
}

function some<T extends Record<string, object | undefined>>(parts: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(parts).filter(([, part]) => part !== undefined && Object.keys(part).length > 0),
  ) as Partial<T>;
}
