import type { Scene, SceneInstance, SceneNetwork } from "./scene.ts";

/** What the provider routes to this cluster; every public address of the scene lies in one of these. */
export const PUBLIC = { v4: "203.0.113.0/27", v6: "2001:db8::/48" } as const;

/** The DNS service ns1: the same two addresses on three instances, one a server. */
export const NS1 = ["203.0.113.1/32", "2001:db8:0:53::1/128"] as const;
/** The resolvers, anycast too, reached from inside only over IPv6. */
const RESOLVER = ["2001:db8:0:53::53/128"] as const;

const SERVERS = ["langara", "abydos", "orilla"] as const;

/** Project, network. Each gets a public IPv6 /64, a private IPv4 /24, and an active gateway on one server after the other. */
const NETWORKS: readonly (readonly [project: string, name: string, ...forwards: string[]])[] = [
  ["dns", "dns-langara"],
  ["dns", "dns-abydos"],
  ["dns", "dns-orilla"],
  ["web", "web-front", "203.0.113.24"],
  ["web", "web-back"],
  ["mail", "mail"],
  ["infra", "proxy"],
  ["infra", "nat64"],
  ["ci", "builders"],
  ["monitoring", "metrics"],
  ["friends", "friends"],
  ["playground", "playground"],
];

const PROJECTS = {
  default: "Routers",
  dns: "Authoritative servers and resolvers",
  web: "Sites and what they stand on",
  mail: "Mail",
  infra: "Proxies, NAT64, time",
  ci: "Builders",
  monitoring: "Metrics, logs and alerts",
  friends: "Other people's machines",
  playground: "Experiments",
} as const;

interface Group {
  readonly project: keyof typeof PROJECTS;
  /** Absent: on the host's bridge. Several: one an instance, in turn. */
  readonly networks?: readonly string[];
  readonly names: readonly string[];
  /** External routes by instance name, or of all. */
  readonly routes?: Readonly<Record<string, readonly string[]>> | readonly string[];
  readonly stopped?: readonly string[];
  /** Stays where it is: one of several alike, or tied to its server. */
  readonly pinned?: true;
  readonly machines?: true;
}

const DNS_NETWORKS = ["dns-langara", "dns-abydos", "dns-orilla"];

const GROUPS: readonly Group[] = [
  { project: "default", names: numbered("frr", 3), pinned: true },
  { project: "dns", networks: DNS_NETWORKS, names: numbered("ns1-", 3), routes: NS1, pinned: true },
  { project: "dns", networks: DNS_NETWORKS, names: numbered("resolver", 3), routes: RESOLVER, pinned: true },
  {
    project: "web",
    networks: ["web-front"],
    names: [...numbered("haproxy", 3), ...numbered("cache", 2)],
    routes: {
      haproxy01: ["203.0.113.2/32", "2001:db8:0:f::2/128"],
      haproxy02: ["203.0.113.3/32", "2001:db8:0:f::3/128"],
      haproxy03: ["203.0.113.4/32", "2001:db8:0:f::4/128"],
    },
  },
  {
    project: "web",
    networks: ["web-back"],
    names: ["blog", "forum", "wiki", "git", "images", ...numbered("app", 4), ...numbered("db", 3), "redis", "chat"],
    routes: { git: ["203.0.113.5/32", "2001:db8:0:f::5/128"], images: ["203.0.113.6/32", "2001:db8:0:f::6/128"] },
  },
  {
    project: "mail",
    networks: ["mail"],
    names: [...numbered("mx", 2), "imap", "lists", "webmail", "rspamd"],
    routes: { mx01: ["203.0.113.7/32", "2001:db8:0:f::7/128"], mx02: ["203.0.113.8/32", "2001:db8:0:f::8/128"] },
  },
  {
    project: "infra",
    networks: ["proxy"],
    names: [...numbered("squid", 2), "ntp", "vpn"],
    routes: { vpn: ["203.0.113.9/32", "2001:db8:0:2000::/64"] },
  },
  { project: "infra", networks: ["nat64"], names: numbered("tayga", 2), routes: { tayga01: ["203.0.113.10/32"] } },
  { project: "ci", networks: ["builders"], names: numbered("builder", 8), machines: true, stopped: ["builder08"] },
  { project: "monitoring", networks: ["metrics"], names: ["prometheus", "grafana", "loki", "alertmanager", "uptime"] },
  {
    project: "friends",
    networks: ["friends"],
    names: numbered("vps", 6),
    routes: { vps06: ["203.0.113.11/32", "2001:db8:0:f::11/128"] },
  },
  {
    project: "playground",
    networks: ["playground"],
    names: numbered("try", 4),
    // Stopped, so that nothing may be announced for it.
    routes: { try04: ["203.0.113.12/32"] },
    stopped: ["try04"],
  },
];

/**
 * The cluster of "Inexpensive highly available LXD cluster": three servers, 63 instances in 9 projects on a dozen OVN networks, each
 * with a public IPv6 /64, public IPv4 addresses one by one, and DNS on an anycast address. Always the same.
 */
export function referenceScene(): Scene {
  const networks = NETWORKS.map(([project, name, ...forwards], index) => network(project, name, index, forwards));
  return {
    servers: SERVERS,
    uplink: {
      name: "INFRA-UPLINK",
      config: {
        "ipv4.gateway": "198.51.100.1/24",
        "ipv4.ovn.ranges": "198.51.100.100-198.51.100.254",
        "ipv4.routes": PUBLIC.v4,
        "ipv4.routes.anycast": "true",
        "ipv6.gateway": "2001:db8:0:100::1/64",
        "ipv6.routes": PUBLIC.v6,
        "ipv6.routes.anycast": "true",
        "ovn.ingress_mode": "routed",
        "dns.nameservers": "2001:db8:0:53::53",
      },
    },
    projects: Object.entries(PROJECTS).map(([name, description]) => ({ name, description })),
    networks,
    instances: GROUPS.flatMap(instancesOf),
  };
}

/**
 * The same cluster with more instances, up to 60,000: every added one runs on the last network and has a public IPv6 address routed
 * to it.
 */
export function scaledScene(count: number): Scene {
  const scene = referenceScene();
  const added = Array.from({ length: Math.max(0, count - scene.instances.length) }, (_, index): SceneInstance => {
    const name = `load${String(index + 1).padStart(5, "0")}`;
    return {
      name,
      project: "playground",
      type: "container",
      server: at(SERVERS, index),
      running: true,
      network: "playground",
      routes: [`2001:db8:0:ffff::${(index + 1).toString(16)}/128`],
    };
  });
  return { ...scene, instances: [...scene.instances, ...added] };
}

function network(project: string, name: string, index: number, forwards: readonly string[]): SceneNetwork {
  const number = index + 1;
  return {
    name,
    project,
    gateway6: `2001:db8:0:${(0x1000 + number).toString(16)}::1/64`,
    gateway4: `10.100.${number}.1/24`,
    router4: `198.51.100.${100 + index}`,
    router6: `2001:db8:0:100::${(0x100 + index).toString(16)}`,
    chassis: at(SERVERS, index),
    forwards,
  };
}

function instancesOf(group: Group, groupIndex: number): SceneInstance[] {
  return group.names.map((name, index) => ({
    name,
    project: group.project,
    type: group.machines === true ? "virtual-machine" : "container",
    // Pinned instances sit on one server each; the others start where the group before ended, so that load is even.
    server: at(SERVERS, group.pinned === true ? index : index + groupIndex),
    running: group.stopped?.includes(name) !== true,
    ...(group.networks === undefined ? {} : { network: at(group.networks, index) }),
    routes: Array.isArray(group.routes) ? group.routes : (routesByName(group)[name] ?? []),
    ...(group.pinned === true ? { evacuate: "stop" as const } : {}),
  }));
}

function routesByName({ routes }: Group): Readonly<Record<string, readonly string[]>> {
  return (routes ?? {}) as Readonly<Record<string, readonly string[]>>;
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index + 1).padStart(2, "0")}`);
}

function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}
