import type { ClusterMember, Config, Instance, Project } from "@trivet/lxd";
import { Prefix } from "@trivet/ip";
import type { AnnounceConfig } from "../../src/announce/config.ts";
import { type Network, type Snapshot, keyOf } from "../../src/inventory/snapshot.ts";

/** A Snapshot of server-1 of three, with the uplink of the seeds' cluster and one project of its own networks. */
export function snapshot(parts: { networks?: Network[]; instances?: Instance[]; clustered?: boolean } = {}): Snapshot {
  const networks = [uplink(), ...(parts.networks ?? [])];
  const part = { readAt: 1_000 };
  return {
    server: "server-1",
    clustered: parts.clustered ?? true,
    takenAt: 1_000,
    learning: false,
    parts: { members: part, projects: part, networks: part, zones: part, instances: part },
    members: ["server-1", "server-2", "server-3"].map(member),
    trusted: [],
    projects: new Map([
      ["default", project("default", { "features.networks": "true" })],
      ["web", project("web", { "features.networks": "true" })],
      ["mail", project("mail", { "features.networks": "false" })],
    ]),
    networks: new Map(networks.map((network) => [keyOf(network), network])),
    zones: new Map(),
    instances: new Map((parts.instances ?? []).map((instance) => [keyOf(instance), instance])),
  };
}

export function uplink(config: Config = {}): Network {
  return {
    project: "default",
    name: "INFRA-UPLINK",
    type: "physical",
    config: { parent: "br-uplink", ...config },
    forwards: [],
    loadBalancers: [],
  };
}

export function ovn(name: string, config: Config = {}, more: Partial<Network> = {}): Network {
  return {
    project: "default",
    name,
    type: "ovn",
    config: {
      network: "INFRA-UPLINK",
      "ipv4.address": "none",
      "ipv6.address": "none",
      "volatile.network.ipv4.address": "172.17.0.10",
      "volatile.network.ipv6.address": "fd00:17::10",
      ...config,
    },
    forwards: [],
    loadBalancers: [],
    ...more,
  };
}

export function bridge(name: string, config: Config = {}, more: Partial<Network> = {}): Network {
  return { ...ovn(name, {}, more), type: "bridge", config };
}

export function instance(name: string, nic: Config, more: Partial<Instance> = {}): Instance {
  return {
    name,
    description: "",
    project: "default",
    location: "server-1",
    type: "container",
    architecture: "x86_64",
    ephemeral: false,
    stateful: false,
    profiles: ["default"],
    config: {},
    devices: {},
    expanded_config: more.config ?? {},
    expanded_devices: { root: { type: "disk", path: "/" }, eth0: { type: "nic", ...nic } },
    status: "Running",
    status_code: 103,
    created_at: "2026-01-01T00:00:00Z",
    last_used_at: "2026-01-01T00:00:00Z",
    ...more,
  };
}

export const OPEN: AnnounceConfig = {
  allow: [Prefix.parse("0.0.0.0/0"), Prefix.parse("::/0")],
  addresses: false,
  attributes: [],
};

function member(server_name: string): ClusterMember {
  return {
    server_name,
    url: `https://${server_name}:8443`,
    status: "Online",
    message: "Fully operational",
    roles: ["database"],
    database: true,
    failure_domain: "default",
    architecture: "x86_64",
    config: {},
    description: "",
  };
}

function project(name: string, config: Config): Project {
  return { name, description: "", config };
}
