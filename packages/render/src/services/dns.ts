import type { Cluster } from "@trivet/spec";
import type { Address, Prefix } from "@trivet/ip";
import { type RenderOptions, type RenderedFile, textFile } from "../file.ts";
import { nat64Prefixes } from "./nat64.ts";

interface Line {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

/** NSD with the zones, and unbound with DNS64. */
export function dns(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  const { dns: settings } = cluster;
  if (settings === undefined) return [];
  const files: RenderedFile[] = [];
  if (settings.nameservers !== undefined) files.push(nsd(cluster, options));
  if (settings.resolvers !== undefined) files.push(unbound(cluster, options));
  for (const [zone, { records, serial }] of Object.entries(settings.zones)) {
    const primary = records.find(({ name, type }) => type === "NS" && name === "@")?.value ?? `ns1.${cluster.domain}.`;
    const all: Line[] = [
      ...(records.some(({ name, type }) => type === "NS" && name === "@")
        ? []
        : [{ name: "@", type: "NS", value: primary }]),
      ...records,
      ...derived(cluster, zone, records),
    ];
    files.push(
      textFile(
        `dns/zones/${zone}.zone`,
        options,
        `The zone ${zone}.`,
        [
          `$ORIGIN ${zone}.`,
          `$TTL ${settings.ttl}`,
          `@ SOA ${primary} hostmaster.${cluster.domain}. ${serial} 3600 600 1209600 ${settings.ttl}`,
          ...all.map(({ name, type, value }) => `${name} ${type} ${type === "TXT" ? text(value) : value}`),
        ],
        0o644,
        ";",
      ),
    );
  }
  return files;
}

/** What the cluster knows of itself: names of servers and routers, and the way back. */
function derived(cluster: Cluster, zone: string, records: readonly Line[]): Line[] {
  const hosts = [
    ...cluster.servers.flatMap(({ name, hosts, bmc }) => [
      ...hosts.map((address) => ({ name, address })),
      ...(bmc?.address === undefined ? [] : [{ name: `${name}-bmc`, address: bmc.address }]),
    ]),
    ...(cluster.routing?.routers ?? []).flatMap(({ name, interfaces }) =>
      interfaces
        .filter(({ role }) => role === "hosts")
        .flatMap(({ addresses }) => addresses.map(({ address }) => ({ name, address }))),
    ),
  ];
  const lower = zone.toLowerCase();
  if (lower === cluster.domain)
    return hosts
      .filter(({ name }) => !records.some((each) => each.name === name))
      .map(({ name, address }) => ({ name, type: address.family === 4 ? "A" : "AAAA", value: address.toString() }));
  if (!lower.endsWith(".arpa")) return [];
  return hosts.flatMap(({ name, address }) => {
    const full = reverse(address);
    if (!full.endsWith(`.${lower}`)) return [];
    return [{ name: full.slice(0, -lower.length - 1), type: "PTR", value: `${name}.${cluster.domain}.` }];
  });
}

/** The name below ip6.arpa or in-addr.arpa (RFC 3596 §2.5). */
function reverse(address: Address): string {
  if (address.family === 4) return `${[...address.bytes].reverse().join(".")}.in-addr.arpa`;
  const digits = [...address.bytes].flatMap((byte) => [byte >> 4, byte & 15]);
  return `${digits
    .reverse()
    .map((digit) => digit.toString(16))
    .join(".")}.ip6.arpa`;
}

/** A TXT value in strings of at most 255 octets (RFC 1035 §3.3). */
function text(value: string): string {
  const escaped = value.replaceAll(/["\\]/g, String.raw`\$&`);
  return (escaped.match(/.{1,250}/g) ?? [""]).map((part) => `"${part}"`).join(" ");
}

function nsd(cluster: Cluster, options: RenderOptions): RenderedFile {
  const zones = Object.entries(cluster.dns?.zones ?? {});
  return textFile("dns/nsd.conf", options, "NSD, on each of the name servers; the zones go to /etc/nsd/zones/.", [
    "server:",
    "  hide-version: yes",
    '  identity: ""',
    "  zonesdir: /etc/nsd/zones",
    "  refuse-any: yes",
    "  minimal-responses: yes",
    "  rrl-ratelimit: 200",
    "",
    "remote-control:",
    "  control-enable: yes",
    "  control-interface: /run/nsd/nsd.ctl",
    ...zones.flatMap(([zone, { secondaries }]) =>
      ["", "zone:", `  name: ${zone}`, `  zonefile: ${zone}.zone`].concat(
        secondaries.map((address) => `  notify: ${address.toString()} NOKEY`),
        secondaries.map((address) => `  provide-xfr: ${address.toString()} NOKEY`),
      ),
    ),
  ]);
}

function unbound(cluster: Cluster, options: RenderOptions): RenderedFile {
  const resolvers = cluster.dns?.resolvers;
  const allow = resolvers?.allow ?? [
    ...cluster.addresses,
    ...cluster.vlans.flatMap(({ subnets }) => subnets.map(({ prefix }) => prefix)),
    ...cluster.projects.flatMap(({ networks }) =>
      networks.flatMap(({ subnets }) => subnets.map(({ prefix }) => prefix)),
    ),
  ];
  const forward = resolvers?.forward ?? [];
  const nameservers = cluster.dns?.nameservers?.addresses ?? [];
  const zones = nameservers.length > 0 ? Object.keys(cluster.dns?.zones ?? {}) : [];
  return textFile("dns/unbound.conf", options, "unbound, on each of the resolvers.", [
    "server:",
    "  interface: ::0",
    "  interface: 0.0.0.0",
    "  # Answers leave from the address that was asked, anycast ones too.",
    "  interface-automatic: yes",
    "  access-control: ::0/0 refuse",
    "  access-control: 0.0.0.0/0 refuse",
    "  access-control: ::1/128 allow",
    "  access-control: 127.0.0.0/8 allow",
    ...widest(allow).map((prefix) => `  access-control: ${prefix.toString()} allow`),
    "  prefer-ip6: yes",
    "  hide-identity: yes",
    "  hide-version: yes",
    "  qname-minimisation: yes",
    "  harden-dnssec-stripped: yes",
    "  prefetch: yes",
    "  serve-expired: yes",
    "  extended-statistics: yes",
    ...(cluster.services.nat64 === undefined
      ? ['  module-config: "validator iterator"']
      : [
          '  module-config: "dns64 validator iterator"',
          ...nat64Prefixes(cluster).map((prefix) => `  dns64-prefix: ${prefix}`),
          "  # Whoever has an IPv6 address is reached there.",
          "  dns64-synthall: no",
        ]),
    ...zones.flatMap((zone) => [
      `  domain-insecure: ${zone}.`,
      // RFC 6303 would have it answer itself for private prefixes and those of documentation, and for what is below them.
      ...(zone.toLowerCase().endsWith(".arpa") ? [`  local-zone: ${zone}. transparent`] : []),
    ]),
    "",
    "remote-control:",
    "  control-enable: yes",
    "  control-interface: /run/unbound.ctl",
    "  control-use-cert: no",
    // The cluster's own names, also while the world cannot be reached.
    ...zones.flatMap((zone) =>
      ["", "stub-zone:", `  name: ${zone}.`].concat(nameservers.map((address) => `  stub-addr: ${address.toString()}`)),
    ),
    ...(forward.length > 0
      ? ["", "forward-zone:", '  name: "."', ...forward.map((address) => `  forward-addr: ${address.toString()}`)]
      : []),
  ]);
}

/** Without those that another one contains. */
function widest(prefixes: readonly Prefix[]): Prefix[] {
  const sorted = [...prefixes].sort((a, b) => a.compare(b));
  return sorted.filter(
    (prefix, index) =>
      !sorted.some((other, place) => other.contains(prefix) && (place < index || !prefix.contains(other))),
  );
}
