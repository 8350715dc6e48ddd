import { NEVER_USED, UNKNOWN_TIME, fingerprintOf, interfaceIdOf, macOf, timestamp } from "./json.ts";
import type {
  BalancerRecord,
  Config,
  Devices,
  ForwardRecord,
  InstanceRecord,
  NetworkRecord,
  ProfileRecord,
  ProjectRecord,
  ServerRecord,
  ZoneRecord,
} from "./records.ts";

/** How records look in LXD 5.0.2's answers. A test compares the shapes with answers of the real one. */

export function memberView(server: ServerRecord) {
  return {
    roles: server.roles,
    failure_domain: "default",
    description: "",
    config: {},
    groups: ["default"],
    server_name: server.name,
    url: `https://${server.address}`,
    database: true,
    ...memberStatus(server),
    architecture: "x86_64",
  };
}

function memberStatus({ up, evacuated }: ServerRecord): { status: string; message: string } {
  if (!up) return { status: "Offline", message: "No heartbeat for 20.8s (2021-12-21 00:00:00 +0000 UTC)" };
  if (evacuated) return { status: "Evacuated", message: "Unavailable due to maintenance" };
  return { status: "Online", message: "Fully operational" };
}

export function projectView({ name, description, config }: ProjectRecord, usedBy: readonly string[]) {
  return { config, description, name, used_by: usedBy };
}

export function profileView({ name, description, config, devices }: ProfileRecord, usedBy: readonly string[]) {
  return { config, description, devices, name, used_by: usedBy };
}

/** @param member whose own keys are shown too, as `?target=` asks for */
export function networkView(
  network: NetworkRecord,
  usedBy: readonly string[],
  servers: readonly string[],
  member?: string,
) {
  const { name, type, managed, description, config, memberConfig } = network;
  return {
    config: member === undefined ? config : { ...config, ...memberConfig },
    description,
    name,
    type,
    used_by: usedBy,
    managed,
    status: managed ? "Created" : "",
    locations: managed ? servers : null,
  };
}

export function networkStateView({ name, project, config, chassis }: NetworkRecord) {
  const addresses = [
    { family: "inet", text: config["ipv4.address"] },
    { family: "inet6", text: config["ipv6.address"] },
  ].flatMap(({ family, text }) => {
    const [address, netmask] = text?.split("/") ?? [];
    return address === undefined ? [] : [{ family, address, netmask, scope: "link" }];
  });
  return {
    addresses,
    counters: { bytes_received: 0, bytes_sent: 0, packets_received: 0, packets_sent: 0 },
    hwaddr: macOf(`network ${project}/${name}`),
    mtu: 1500,
    state: "up",
    type: "broadcast",
    bond: null,
    bridge: null,
    vlan: null,
    ovn: { chassis },
  };
}

export function forwardView({ listenAddress, targetAddress }: ForwardRecord) {
  return {
    description: "",
    config: { target_address: targetAddress },
    ports: [],
    listen_address: listenAddress,
    location: "",
  };
}

export function zoneView({ name, description, config }: ZoneRecord, usedBy: readonly string[]) {
  return { description, config, name, used_by: usedBy };
}

export function zoneRecordView({ name, entries }: ZoneRecord["records"][number]) {
  return { description: "", entries, config: {}, name };
}

/** Each member's own certificate; there are no clients. */
export function certificateView({ name }: ServerRecord) {
  const fingerprint = fingerprintOf(name);
  return { name, type: "server", restricted: false, projects: [], certificate: "", fingerprint };
}

/** LXD 5.0.2 has no load balancers; this is LXD 5.5's documented shape. */
export function balancerView({ listenAddress, backends }: BalancerRecord) {
  return {
    description: "",
    config: {},
    listen_address: listenAddress,
    location: "",
    backends: backends.map(({ name, targetAddress }) => ({
      name,
      description: "",
      target_port: "",
      target_address: targetAddress,
    })),
    ports: [{ description: "", protocol: "tcp", listen_port: "443", target_backend: backends.map(({ name }) => name) }],
  };
}

/** @param profiles those it names, in order; the later ones win, and its own keys over all */
export function instanceView(instance: InstanceRecord, profiles: readonly ProfileRecord[]) {
  return {
    architecture: "x86_64",
    config: instance.config,
    devices: instance.devices,
    ephemeral: false,
    profiles: instance.profiles,
    stateful: false,
    description: instance.description,
    created_at: timestamp(instance.created),
    expanded_config: Object.assign({}, ...profiles.map(({ config }) => config), instance.config) as Config,
    expanded_devices: Object.assign({}, ...profiles.map(({ devices }) => devices), instance.devices) as Devices,
    name: instance.name,
    ...statusOf(instance),
    last_used_at: instance.lastUsed === undefined ? NEVER_USED : timestamp(instance.lastUsed),
    location: instance.location,
    type: instance.type,
    project: instance.project,
  };
}

/** All that LXD 5.0.2 lists of an instance whose server it cannot reach. */
export function unreachableView({ name, location, project }: InstanceRecord) {
  return {
    architecture: "",
    config: null,
    devices: null,
    ephemeral: false,
    profiles: null,
    stateful: false,
    description: "",
    created_at: UNKNOWN_TIME,
    name,
    status: "Error",
    status_code: 112,
    last_used_at: UNKNOWN_TIME,
    location,
    type: "",
    project,
  };
}

function statusOf({ running }: InstanceRecord): { status: string; status_code: number } {
  return running ? { status: "Running", status_code: 103 } : { status: "Stopped", status_code: 102 };
}

/** @param network the one its `eth0` is on, where LXD manages it */
export function instanceStateView(instance: InstanceRecord, network: NetworkRecord | undefined) {
  const { running } = instance;
  return {
    ...statusOf(instance),
    disk: {},
    memory: running
      ? { usage: 268_435_456, usage_peak: 402_653_184, swap_usage: 0, swap_usage_peak: 0 }
      : { usage: 0, usage_peak: 0, swap_usage: 0, swap_usage_peak: 0 },
    network: running ? { eth0: nicState(instance, network), lo: LOOPBACK } : null,
    pid: running ? 4242 : 0,
    processes: running ? 23 : 0,
    cpu: { usage: running ? 12_967_076_000 : 0 },
  };
}

const COUNTERS = {
  bytes_received: 0,
  bytes_sent: 0,
  packets_received: 0,
  packets_sent: 0,
  errors_received: 0,
  errors_sent: 0,
  packets_dropped_outbound: 0,
  packets_dropped_inbound: 0,
};

const LOOPBACK = {
  addresses: [
    { family: "inet", address: "127.0.0.1", netmask: "8", scope: "local" },
    { family: "inet6", address: "::1", netmask: "128", scope: "local" },
  ],
  counters: COUNTERS,
  hwaddr: "",
  host_name: "",
  mtu: 65_536,
  state: "up",
  type: "loopback",
};

function nicState({ config, project, name }: InstanceRecord, network: NetworkRecord | undefined) {
  const mac = config["volatile.eth0.hwaddr"] ?? macOf(`${project}/${name}`);
  const global = network === undefined ? [] : [slaacAddress(network, mac)];
  return {
    addresses: [
      ...global.map((address) => ({ family: "inet6", address, netmask: "64", scope: "global" })),
      { family: "inet6", address: `fe80::${interfaceIdOf(mac)}`, netmask: "64", scope: "link" },
    ],
    counters: COUNTERS,
    hwaddr: mac,
    host_name: `veth${mac.replaceAll(":", "").slice(4)}`,
    mtu: 1500,
    state: "up",
    type: "broadcast",
  };
}

/** The address that an instance makes itself from the network's /64 and its MAC. */
function slaacAddress({ config }: NetworkRecord, mac: string): string {
  return `${(config["ipv6.address"] ?? "").replace(/::1\/64$/, "")}:${interfaceIdOf(mac)}`;
}

/** @param instances those with a NIC on the network */
export function leasesView(network: NetworkRecord, instances: readonly InstanceRecord[]) {
  const gateways = [network.config["ipv4.address"], network.config["ipv6.address"]].flatMap((text) =>
    text === undefined
      ? []
      : [{ hostname: `${network.name}.gw`, hwaddr: "", address: text.split("/")[0], type: "gateway", location: "" }],
  );
  const leases = instances.flatMap((instance, index) => {
    const hwaddr = instance.config["volatile.eth0.hwaddr"] ?? "";
    const lease = { hostname: instance.name, hwaddr, type: "dynamic", location: instance.location };
    const address4 = network.config["ipv4.address"]?.replace(/\d+\/\d+$/, String(index + 2));
    return [
      ...(address4 === undefined ? [] : [{ ...lease, address: address4 }]),
      { ...lease, address: slaacAddress(network, hwaddr) },
    ];
  });
  return [...gateways, ...leases];
}
