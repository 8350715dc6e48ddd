import { API_VERSION } from "../schema/cluster.ts";
import type { Facts } from "./facts.ts";

/** What `trivet init` asks. */
export interface Answers {
  readonly name: string;
  readonly domain: string;
  readonly platform: "lxd" | "incus";
  /** How many servers, when there are no facts of them. */
  readonly servers: number;
  readonly facts: readonly Facts[];
  /** Routed to the cluster by the provider. */
  readonly ipv6: string;
  readonly ipv4?: string;
  readonly asn: number;
  readonly providerAsn: number;
  /** The path of the JSON Schema, for editors. */
  readonly schema?: string;
}

interface Hardware {
  readonly name: string;
  readonly memory: string;
  readonly cores: number;
  readonly cards: readonly { name: string; ports: readonly string[]; speed: string }[];
  readonly mesh: readonly (readonly string[])[];
  readonly trunk: readonly string[];
  readonly disks: readonly {
    name: string;
    class: string;
    size: string;
    boot: boolean;
    osd: boolean;
    device?: string;
    serial?: string;
  }[];
  readonly macs: readonly (readonly [string, string])[];
  readonly bmc?: string;
}

/** A commented cluster.yaml that passes `trivet check`: a start to change. */
export function draft(answers: Answers): string {
  const servers =
    answers.facts.length > 0
      ? answers.facts.map((facts) => fromFacts(facts, answers.facts.length))
      : assumed(answers.servers);
  const [first] = servers;
  const storage = first?.disks.find(({ osd }) => osd)?.class;
  const replicas = Math.min(
    3,
    servers.filter(({ disks }) => disks.some((disk) => disk.osd && disk.class === storage)).length,
  );
  const lines = [
    ...(answers.schema === undefined ? [] : [`# yaml-language-server: $schema=${answers.schema}`, "#"]),
    `# The cluster ${answers.name}. What is not written here has its default: docs/cluster-yaml.md. Check it with: trivet check`,
    `apiVersion: ${API_VERSION}`,
    `name: ${answers.name}`,
    ...(answers.platform === "incus" ? ["platform: incus"] : []),
    `domain: ${answers.domain}`,
    "",
    "# What the provider routes to you. Subnets are planned from the IPv6 prefix; IPv4 addresses go to instances one by one.",
    "addresses:",
    `  ipv6: ${answers.ipv6}`,
    ...(answers.ipv4 === undefined ? [] : [`  ipv4: ${answers.ipv4}`]),
    "",
    answers.facts.length > 0
      ? "# Found on the servers. Which port is cabled to what could not be seen: look at the links."
      : "# Assumed, alike on all servers: write what you have, or collect it with `trivet facts ssh://SERVER`.",
    "servers:",
    ...servers.flatMap((server, index) => serverLines(server, index + 1)),
    "",
    "# power: the feed of each power supply.",
    "switches:",
    "  switch-1: {power: [feed-a, feed-b]}",
    "",
    "# Networks on the switch, by their tag. wan: to the provider; uplink: OVN's routers; hosts: the servers; bmc: management.",
    "vlans: {wan: 50, uplink: 100, hosts: 101, bmc: 102}",
    "",
    storage === undefined || replicas < 2
      ? "# On each server's own disk: instances cannot move."
      : `# Ceph on all disks of class ${storage}, every piece of data on ${replicas} servers.`,
    "storage:",
    storage === undefined || replicas < 2
      ? "  default: {driver: dir}"
      : `  default: {driver: ceph, class: ${storage}${replicas < 3 ? `, size: ${replicas}, minSize: 1` : ""}}`,
    ...(servers.length < 3 ? ["", "# Three servers are the least that survive one.", `lxd: {voters: 1}`] : []),
    "",
    "# A router on each server; the provider's router is on the wan network.",
    "routing:",
    `  asn: ${answers.asn}`,
    "  routers:",
    ...servers.map((server, index) => `    router-${index + 1}: {on: ${server.name}}`),
    "  upstreams:",
    `    provider: {asn: ${answers.providerAsn}, addresses: ["${wanAddress(answers.ipv6)}"]}`,
    "",
    "# Networks and instances, by project.",
    "projects:",
    "  default:",
    "    networks:",
    "      apps: {}",
    "    instances: {}",
  ];
  return `${lines.join("\n")}\n`;
}

/** The provider's end of the wan network as trivet plans it: subnet 50, number 2. */
function wanAddress(ipv6: string): string {
  const groups = (ipv6.split("/")[0] ?? "").replace(/::.*$/, "").split(":");
  while (groups.length < 3) groups.push("0");
  return `${groups.slice(0, 3).join(":")}:50::2`;
}

function serverLines(server: Hardware, number: number): string[] {
  const links = [
    ...server.mesh.map((ports, index) => `      mesh${index + 1}: {ports: [${ports.join(", ")}], to: mesh}`),
    ...(server.trunk.length > 0 ? [`      trunk: {ports: [${server.trunk.join(", ")}], to: switch-1}`] : []),
  ];
  return [
    `  ${server.name}:`,
    ...(/\d{1,2}$/.test(server.name) ? [] : [`    number: ${number}`]),
    `    memory: ${server.memory}`,
    `    cores: ${server.cores}`,
    "    power: [feed-a, feed-b]",
    "    cards:",
    ...server.cards.map(({ name, ports, speed }) => `      ${name}: {ports: [${ports.join(", ")}], speed: ${speed}}`),
    "    links:",
    ...links,
    "    disks:",
    ...server.disks.map(({ name, class: kind, size, boot, osd, device, serial }) => {
      const more = [
        device === undefined ? "" : `, device: ${device}`,
        serial === undefined ? "" : `, serial: ${JSON.stringify(serial)}`,
        boot ? ", boot: true" : "",
        osd ? "" : ", osd: false",
      ];
      return `      ${name}: {class: ${kind}, size: ${size}${more.join("")}}`;
    }),
    ...(server.bmc === undefined
      ? []
      : [
          `    # Its BMC has ${server.bmc} now. To keep that, write bmc: {address: "${server.bmc}"} here, and its subnet at vlans: bmc:`,
        ]),
    ...(server.macs.length > 0 ? ["    macs:", ...server.macs.map(([port, mac]) => `      ${port}: "${mac}"`)] : []),
  ];
}

function assumed(count: number): Hardware[] {
  return Array.from({ length: count }, (_, index): Hardware => {
    const others = count > 1 && count <= 3 ? count - 1 : 0;
    const fast =
      others === 0 ? ["enp1s0f0", "enp1s0f1"] : Array.from({ length: others }, (__, port) => `enp1s0f${port}`);
    return {
      name: `server-${index + 1}`,
      memory: "64GiB",
      cores: 16,
      cards: [
        { name: "onboard", ports: ["eno1", "eno2"], speed: "1G" },
        { name: "fast", ports: fast, speed: "10G" },
      ],
      mesh: others === 0 ? [] : fast.map((port) => [port]),
      trunk: others === 0 ? fast : ["eno1", "eno2"],
      disks: [
        { name: "system", class: "ssd", size: "256GB", boot: true, osd: false },
        { name: "data", class: "nvme", size: "2TB", boot: false, osd: true },
      ],
      macs: [],
    };
  });
}

function fromFacts(facts: Facts, servers: number): Hardware {
  const slots = [...new Set(facts.nics.map(({ slot }) => slot))];
  const ports = facts.nics.toSorted((a, b) => b.speed - a.speed || (a.name < b.name ? -1 : 1));
  // Small clusters are meshed over their fastest ports, if then one is left for the switch.
  const others = servers - 1;
  const fast = ports.filter(({ speed }) => speed >= 10_000 && speed === ports[0]?.speed);
  const each = others > 0 && others <= 3 ? Math.floor(Math.min(fast.length, ports.length - 1) / others) : 0;
  const mesh =
    each === 0
      ? []
      : Array.from({ length: others }, (_, index) =>
          fast.slice(index * each, (index + 1) * each).map(({ name }) => name),
        );
  const rest = ports.filter(({ name }) => !mesh.flat().includes(name));
  const trunk = rest.filter(({ speed }) => speed === rest[0]?.speed).map(({ name }) => name);
  return {
    name: facts.host,
    memory: `${Math.max(1, Math.round(facts.memory / 2 ** 30))}GiB`,
    cores: facts.cores,
    cards: slots.map((slot, index) => {
      const own = facts.nics.filter((nic) => nic.slot === slot);
      return {
        name: `card-${index + 1}`,
        ports: own.map(({ name }) => name),
        speed: speedText(Math.max(...own.map(({ speed }) => speed))),
      };
    }),
    mesh,
    trunk,
    disks: facts.disks.map(({ name, class: kind, size, serial, boot }) => ({
      name,
      class: kind,
      size: `${Math.max(1, Math.round(size / 1e9))}GB`,
      boot,
      osd: !boot,
      ...(!boot && { device: `/dev/${name}` }),
      ...(serial !== "" && { serial }),
    })),
    macs: facts.nics
      .filter(({ mac }) => /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac))
      .map(({ name, mac }) => [name, mac] as const),
    ...(facts.bmc !== undefined && { bmc: facts.bmc.address }),
  };
}

function speedText(speed: number): string {
  if (speed < 1000) return speed === 0 ? "1G" : `${speed}M`;
  return `${speed / 1000}G`;
}
