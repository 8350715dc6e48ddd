import { macOf, uuidOf } from "./json.ts";
import type { Scene, SceneInstance, SceneNetwork, SceneZone } from "./scene.ts";

/** The cluster's shared state, as its distributed database would hold it. Everything here changes in place. */

export type Config = Record<string, string>;
export type Devices = Record<string, Config>;

export interface ServerRecord {
  readonly name: string;
  readonly address: string;
  readonly roles: readonly string[];
  /** Its LXD daemon runs. */
  up: boolean;
  evacuated: boolean;
}

export interface ProjectRecord {
  readonly name: string;
  description: string;
  config: Config;
}

export interface ProfileRecord {
  name: string;
  readonly project: string;
  description: string;
  config: Config;
  devices: Devices;
}

export interface ForwardRecord {
  readonly listenAddress: string;
  readonly targetAddress: string;
}

export interface BalancerRecord {
  readonly listenAddress: string;
  readonly backends: readonly { readonly name: string; readonly targetAddress: string }[];
}

export interface NetworkRecord {
  readonly name: string;
  readonly project: string;
  readonly type: "physical" | "ovn" | "bridge" | "loopback";
  readonly managed: boolean;
  description: string;
  config: Config;
  /** Keys that each member has its own value of (`parent`). */
  readonly memberConfig: Config;
  readonly forwards: ForwardRecord[];
  readonly balancers: BalancerRecord[];
  /** The server with the active gateway. */
  chassis: string;
}

export interface ZoneRecord {
  readonly name: string;
  readonly project: string;
  description: string;
  config: Config;
  readonly records: SceneZone["records"];
}

export interface InstanceRecord {
  name: string;
  readonly project: string;
  readonly type: "container" | "virtual-machine";
  readonly created: number;
  location: string;
  running: boolean;
  lastUsed: number | undefined;
  description: string;
  config: Config;
  devices: Devices;
  profiles: string[];
}

/** Everything was created at this time, so that a scene is always the same. */
const CREATED = Date.UTC(2021, 11, 21);
const UNMANAGED: readonly (readonly [name: string, type: NetworkRecord["type"]])[] = [
  ["lo", "loopback"],
  ["br-uplink", "bridge"],
  ["br-hosts", "bridge"],
  ["br-int", "bridge"],
];

export interface Records {
  readonly servers: ServerRecord[];
  readonly projects: ProjectRecord[];
  readonly profiles: ProfileRecord[];
  readonly networks: NetworkRecord[];
  readonly instances: InstanceRecord[];
  readonly zones: ZoneRecord[];
}

export function recordsOf(scene: Scene): Records {
  return {
    servers: scene.servers.map((name, index) => ({
      name,
      address: `[2001:db8:0:101::${index + 1}]:8443`,
      roles: rolesOf(index, scene.servers.length),
      up: true,
      evacuated: false,
    })),
    projects: scene.projects.map(({ name, description }) => ({
      name,
      description,
      config: {
        "features.images": name === "default" ? "true" : "false",
        "features.networks": "true",
        "features.profiles": "true",
        "features.storage.volumes": "true",
      },
    })),
    profiles: scene.projects.map(({ name }) => ({
      name: "default",
      project: name,
      description: name === "default" ? "Default LXD profile" : `Default LXD profile for project ${name}`,
      config: {},
      devices: { root: { path: "/", pool: "ssd", type: "disk" } },
    })),
    networks: [
      {
        ...emptyNetwork(scene.uplink.name, "default", "physical"),
        config: { ...scene.uplink.config, "volatile.last_state.created": "false" },
        memberConfig: { parent: "br-uplink" },
      },
      ...scene.networks.map((network) => networkRecord(network, scene.uplink.name)),
      ...UNMANAGED.map(([name, type]) => emptyNetwork(name, "default", type, false)),
    ],
    instances: scene.instances.map((instance) => instanceRecord(instance)),
    zones: (scene.zones ?? []).map(({ name, project, config, records }) => ({
      name,
      project,
      description: "",
      config: { ...config },
      records,
    })),
  };
}

export function instanceRecord(instance: SceneInstance, created = CREATED): InstanceRecord {
  const id = `${instance.project}/${instance.name}`;
  return {
    name: instance.name,
    project: instance.project,
    type: instance.type,
    created,
    location: instance.server,
    running: instance.running,
    lastUsed: instance.running ? created : undefined,
    description: "",
    config: {
      "image.os": "debian",
      "image.release": "bookworm",
      "volatile.eth0.hwaddr": macOf(id),
      "volatile.last_state.power": instance.running ? "RUNNING" : "STOPPED",
      "volatile.uuid": uuidOf(id),
      ...(instance.evacuate === undefined ? {} : { "cluster.evacuate": instance.evacuate }),
    },
    devices: { eth0: nicOf(instance) },
    profiles: ["default"],
  };
}

function nicOf({ network, routes }: SceneInstance): Config {
  if (network === undefined) return { name: "eth0", nictype: "bridged", parent: "br-uplink", type: "nic" };
  const v4 = routes.filter((route) => !route.includes(":"));
  const v6 = routes.filter((route) => route.includes(":"));
  return {
    ...(v4.length === 0 ? {} : { "ipv4.routes.external": v4.join(",") }),
    ...(v6.length === 0 ? {} : { "ipv6.routes.external": v6.join(",") }),
    name: "eth0",
    network,
    type: "nic",
  };
}

function networkRecord(network: SceneNetwork, uplink: string): NetworkRecord {
  return {
    ...emptyNetwork(network.name, network.project, "ovn"),
    config: {
      "bridge.mtu": "1500",
      "ipv4.address": network.gateway4,
      "ipv4.nat": "true",
      "ipv6.address": network.gateway6,
      "ipv6.nat": "false",
      network: uplink,
      ...(network.zone === undefined ? {} : { "dns.zone.forward": network.zone }),
      "volatile.network.ipv4.address": network.router4,
      "volatile.network.ipv6.address": network.router6,
    },
    forwards: network.forwards.map((listenAddress) => ({
      listenAddress,
      targetAddress: network.gateway4.replace(/\d+\/\d+$/, "2"),
    })),
    chassis: network.chassis,
  };
}

function emptyNetwork(name: string, project: string, type: NetworkRecord["type"], managed = true): NetworkRecord {
  return {
    name,
    project,
    type,
    managed,
    description: "",
    config: {},
    memberConfig: {},
    forwards: [],
    balancers: [],
    chassis: "",
  };
}

/** LXD's own choice: three voters if there are as many members, else one; then two to stand by (`cluster.max_voters`, `max_standby`). */
function rolesOf(index: number, members: number): string[] {
  const voters = members >= 3 ? 3 : 1;
  if (index === 0) return ["database-leader", "database"];
  if (index < voters) return ["database"];
  return index < voters + 2 ? ["database-standby"] : [];
}
