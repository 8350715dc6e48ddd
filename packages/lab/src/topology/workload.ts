import type { Topology } from "./topology.ts";
import { type RouterConfig, routerConfig } from "./router-config.ts";

/** The uplink's name in LXD. */
export const UPLINK = "INFRA-UPLINK";

/** What every instance of the anycast name service answers on. */
export const ANYCAST = { ipv4: "203.0.113.5", ipv6: "2001:db8:1000:53::53" } as const;
/** The one service with a public IPv4 address of its own. */
export const MAIL = { ipv4: "203.0.113.10", ipv6: "2001:db8:1000:25::25" } as const;

export const PROJECTS = ["dns", "web"] as const;

export interface OvnNetwork {
  readonly name: string;
  readonly gateway4: string;
  readonly subnet6: string;
}

export interface InstancePlan {
  readonly name: string;
  readonly project: string;
  readonly server: string;
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Written into it before its first start. */
  readonly files: Readonly<Record<string, string>>;
}

/** OVN networks with a public IPv6 subnet each; their private IPv4 is NATed, public IPv4 is routed to single instances. */
export function ovnNetworks(topology: Topology): OvnNetwork[] {
  const network = (name: string, n: number): OvnNetwork => ({
    name,
    gateway4: `10.71.${n}.1`,
    subnet6: `2001:db8:1000:1${n}::`,
  });
  return [network("web", 10), network("mail", 25), ...topology.servers.map((_, i) => network(`dns${i + 1}`, 31 + i))];
}

/** The services: three or more name servers on one address, web servers with their own, a mail server with a public IPv4 address. */
export function services(topology: Topology): InstancePlan[] {
  const [, second, third] = topology.servers;
  const names = topology.servers.map((server, i) =>
    service(
      topology,
      { name: `dns0${i + 1}`, project: "dns", server: server.name, network: `dns${i + 1}`, host: 10 },
      "dns",
      ANYCAST,
    ),
  );
  const web = topology.servers.map((server, i) =>
    service(
      topology,
      { name: `web0${i + 1}`, project: "web", server: server.name, network: "web", host: 11 + i },
      "web",
    ),
  );
  const mail = service(
    topology,
    { name: "mx01", project: "default", server: (second ?? third)?.name ?? "", network: "mail", host: 10 },
    "web",
    MAIL,
  );
  return [...names, ...web, mail];
}

/** The routers, one on every server, with an interface on each network as the rack's have. */
export function routers(topology: Topology): InstancePlan[] {
  return topology.servers.map(({ name, router }) => {
    const config: RouterConfig = routerConfig(router, topology);
    const nic = (dev: string, parent: string): Record<string, string> => ({
      type: "nic",
      nictype: "bridged",
      name: dev,
      parent,
    });
    return {
      name: router.name,
      project: "default",
      server: name,
      config: {
        "environment.LAB_SERVICE": "router",
        "environment.LAB_ADDRESSES": [
          `wan=${router.wan4}/28,${router.wan6}/64`,
          `uplink=${router.uplink4}/24,${router.uplink6}/64`,
          `hosts=${router.hosts4}/24,${router.hosts6}/64`,
        ].join(" "),
        "boot.autostart": "true",
        // A router belongs to its server; another takes over its addresses.
        "cluster.evacuate": "stop",
      },
      devices: { wan: nic("wan", "br-wan-hive"), uplink: nic("uplink", "br-uplink"), hosts: nic("hosts", "br-hosts") },
      files: { "etc/frr/frr.conf": config.frr, "etc/keepalived.conf": config.keepalived },
    };
  });
}

interface Place {
  readonly name: string;
  readonly project: string;
  readonly server: string;
  readonly network: string;
  readonly host: number;
}

function service(
  topology: Topology,
  { name, project, server, network, host }: Place,
  kind: "dns" | "web",
  external?: { readonly ipv4: string; readonly ipv6: string },
): InstancePlan {
  const gateway = ovnNetworks(topology).find((n) => n.name === network)?.gateway4 ?? "";
  const address = gateway.replace(/\d+$/, String(host));
  const lo = external === undefined ? "" : ` lo=${external.ipv4}/32,${external.ipv6}/128`;
  return {
    name,
    project,
    server,
    config: {
      "environment.LAB_SERVICE": kind,
      "environment.LAB_ADDRESSES": `eth0=${address}/24${lo}`,
      "environment.LAB_ROUTES": `default=${gateway}`,
      "boot.autostart": "true",
    },
    devices: {
      eth0: {
        type: "nic",
        network,
        name: "eth0",
        "ipv4.address": address,
        ...(external === undefined
          ? {}
          : { "ipv4.routes.external": `${external.ipv4}/32`, "ipv6.routes.external": `${external.ipv6}/128` }),
      },
    },
    files: {},
  };
}
