import type { LabPlan, OvnNetwork, ServicePlan } from "./plan.ts";
import type { Topology } from "./topology.ts";
import { type RouterConfig, routerConfig } from "./router-config.ts";

/** The uplink's name in LXD. */
export const UPLINK = "INFRA-UPLINK";

export { ANYCAST, MAIL } from "./plan.ts";

export interface InstancePlan {
  readonly name: string;
  readonly project: string;
  readonly server: string;
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Written into it before its first start. */
  readonly files: Readonly<Record<string, string>>;
}

export function ovnNetworks({ plan }: Topology): readonly OvnNetwork[] {
  return plan.networks;
}

/** The projects beside the default one. */
export function projects({ plan }: Topology): string[] {
  return [...new Set(plan.services.map(({ project }) => project))].filter((name) => name !== "default");
}

export function services({ plan }: Topology): InstancePlan[] {
  return plan.services.map((service) => instance(service, plan));
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

function instance({ name, project, server, network, ipv4, kind, external }: ServicePlan, plan: LabPlan): InstancePlan {
  const gateway = plan.networks.find((n) => n.name === network)?.gateway4 ?? "";
  const routes = (family: "ipv4" | "ipv6"): Record<string, string> => {
    const own = external.filter((prefix) => prefix.includes(":") === (family === "ipv6"));
    return own.length === 0 ? {} : { [`${family}.routes.external`]: own.join(",") };
  };
  return {
    name,
    project,
    server,
    config: {
      "environment.LAB_SERVICE": kind,
      "environment.LAB_ADDRESSES": `eth0=${ipv4}/24${external.length === 0 ? "" : ` lo=${external.join(",")}`}`,
      "environment.LAB_ROUTES": `default=${gateway}`,
      "boot.autostart": "true",
    },
    devices: {
      eth0: { type: "nic", network, name: "eth0", "ipv4.address": ipv4, ...routes("ipv4"), ...routes("ipv6") },
    },
    files: {},
  };
}
