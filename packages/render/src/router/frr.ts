import type { Cluster, Router, Routing, Upstream } from "@trivet/spec";
import { HOST } from "@trivet/spec";
import type { Address, Family, Prefix } from "@trivet/ip";
import { type RenderOptions, type RenderedFile, textFile } from "../file.ts";
import { sessions } from "../server/agent.ts";
import { nat64Prefixes } from "../services/nat64.ts";

const FAMILIES = [4, 6] as const;

/** The FRR router: to the provider, to the agents, and what lies between them. */
export function frr(cluster: Cluster, routing: Routing, router: Router, options: RenderOptions): RenderedFile[] {
  const folder = `routers/${router.name}/etc/frr`;
  const secret =
    routing.agents.password !== undefined || routing.upstreams.some(({ password }) => password !== undefined);
  const lines = [
    "frr defaults traditional",
    `hostname ${router.name}`,
    "log syslog informational",
    "service integrated-vtysh-config",
    "ip forwarding",
    "ipv6 forwarding",
    "!",
    ...interfaces(cluster, routing, router),
    ...nullRoutes(cluster, routing),
    ...prefixLists(cluster, routing),
    ...bgp(cluster, routing, router, options),
    ...bfd(routing),
  ];
  return [
    textFile(
      `${folder}/frr.conf`,
      options,
      `FRR on ${router.name}, which runs on ${router.on}.`,
      lines,
      secret ? 0o640 : 0o644,
      "!",
    ),
    textFile(`${folder}/daemons`, options, `FRR's daemons on ${router.name}.`, [
      "bgpd=yes",
      "bfdd=yes",
      `vrrpd=${routing.vrrp === "frr" ? "yes" : "no"}`,
      ...[
        "ospfd",
        "ospf6d",
        "ripd",
        "ripngd",
        "isisd",
        "pimd",
        "ldpd",
        "nhrpd",
        "eigrpd",
        "babeld",
        "sharpd",
        "pbrd",
        "fabricd",
        "pathd",
      ].map((daemon) => `${daemon}=no`),
      "vtysh_enable=yes",
      'zebra_options="  -A 127.0.0.1 -s 90000000"',
      'bgpd_options="   -A 127.0.0.1"',
      'staticd_options="-A 127.0.0.1"',
      'bfdd_options="   -A 127.0.0.1"',
    ]),
  ];
}

function interfaces(cluster: Cluster, routing: Routing, router: Router): string[] {
  const first = routing.routers[0]?.name === router.name;
  return router.interfaces.flatMap(({ name, role, vlan, addresses }) => {
    const network = cluster.vlans.find((each) => each.name === vlan);
    const lines = [
      `interface ${name}`,
      ` description ${vlan}`,
      ...addresses.map(
        ({ address, prefix }) => ` ${ip(address.family)} address ${address.toString()}/${prefix.length}`,
      ),
    ];
    const six = network?.subnets.filter(({ family }) => family === 6) ?? [];
    // The servers learn their gateway from router advertisements.
    if (role === "hosts" && six.length > 0)
      lines.push(
        " no ipv6 nd suppress-ra",
        " ipv6 nd ra-interval 10",
        ` ipv6 nd router-preference ${first ? "high" : "medium"}`,
        ...six.map(({ prefix }) => ` ipv6 nd prefix ${prefix.toString()} 2592000 604800 no-autoconfig`),
      );
    if (routing.vrrp === "frr" && (role === "uplink" || role === "hosts") && network !== undefined)
      lines.push(
        ` vrrp ${network.vrid} version 3`,
        ` vrrp ${network.vrid} priority ${router.priority}`,
        ` vrrp ${network.vrid} advertisement-interval ${routing.advertisementInterval}`,
        ...network.subnets.map(({ family, gateway }) => ` vrrp ${network.vrid} ${ip(family)} ${gateway.toString()}`),
      );
    return [...lines, "exit", "!"];
  });
}

/** What is announced and in use nowhere must not go back out: it would loop until its hops run out. */
function nullRoutes(cluster: Cluster, routing: Routing): string[] {
  const lines = routing.nullRoute
    ? routing.announce.map((prefix) => `${ip(prefix.family)} route ${prefix.toString()} blackhole 250`)
    : [];
  const wan = cluster.vlans.find(({ role }) => role === "wan");
  if (routing.upstreams.length === 0)
    for (const { family, gateway } of wan?.subnets ?? [])
      lines.push(`${ip(family)} route ${family === 4 ? "0.0.0.0/0" : "::/0"} ${gateway.toString()}`);
  return [...lines, "!"];
}

function prefixLists(cluster: Cluster, routing: Routing): string[] {
  return FAMILIES.flatMap((family) => {
    const list = (name: string, entries: readonly string[]) =>
      entries.map((entry, index) => `${ip(family)} prefix-list ${name}-${family} seq ${(index + 1) * 5} ${entry}`);
    const any = family === 4 ? "0.0.0.0/0" : "::/0";
    const width = family === 4 ? 32 : 128;
    const ours = routing.announce.filter((prefix) => prefix.family === family);
    const inside = cluster.addresses.filter((prefix) => prefix.family === family);
    const upTo = (prefix: Prefix | string, most = width) =>
      typeof prefix === "string" || prefix.length < most ? `${prefix.toString()} le ${most}` : prefix.toString();
    return [
      ...list("ANNOUNCE", [...ours.map((prefix) => `permit ${prefix.toString()}`), `deny ${any} le ${width}`]),
      ...list("ACCEPT", [
        ...inside.map((prefix) => `deny ${upTo(prefix)}`),
        `permit ${any} le ${family === 4 ? 24 : 48}`,
      ]),
      ...list("AGENTS", [
        ...inside.map((prefix) => `permit ${upTo(prefix)}`),
        ...(family === 6 ? nat64Prefixes(cluster).map((prefix) => `permit ${upTo(prefix)}`) : []),
        `deny ${any} le ${width}`,
      ]),
      ...list("NOTHING", [`deny ${any} le ${width}`]),
      "!",
    ];
  });
}

function bgp(cluster: Cluster, routing: Routing, router: Router, options: RenderOptions): string[] {
  const own = router.interfaces
    .flatMap(({ addresses }) => addresses.map(({ address }) => address))
    .find(({ family }) => family === 4);
  // Each by its address: of a range FRR 10.6 forgets the routes of an agent that restarts.
  const families = sessions(cluster, router).map(({ family }) => family);
  const agents = cluster.servers.flatMap(({ hosts }) => hosts.filter(({ family }) => families.includes(family)));
  const external = routing.agents.asn !== routing.asn;
  const upstreams = routing.upstreams.flatMap((upstream) =>
    upstream.addresses.map((address) => ({ upstream, address })),
  );
  return [
    `router bgp ${routing.asn}`,
    ` bgp router-id ${own?.toString() ?? `100.64.0.${HOST.router + router.number}`}`,
    " no bgp default ipv4-unicast",
    " bgp bestpath as-path multipath-relax",
    " bgp graceful-restart",
    " timers bgp 10 30",
    // A router that has just started attracts no packets before the agents have told it where they belong: it waits 10 s for sessions,
    // or less if all are there, and 30 s at most for their routes.
    " update-delay 30 10",
    ...upstreams.flatMap(({ upstream, address }) => neighbor(upstream, address, options)),
    " neighbor AGENTS peer-group",
    ` neighbor AGENTS remote-as ${routing.agents.asn}`,
    " neighbor AGENTS description trivet agents",
    " neighbor AGENTS passive",
    ...(routing.agents.password === undefined
      ? []
      : [` neighbor AGENTS password ${options.secret(routing.agents.password)}`]),
    " neighbor AGENTS bfd",
    " neighbor AGENTS bfd profile fast",
    // Next hops are OVN's routers on the uplink, not the agents themselves.
    ...(external ? [" neighbor AGENTS disable-connected-check"] : []),
    ...agents.map((address) => ` neighbor ${address.toString()} peer-group AGENTS`),
    " !",
    ...FAMILIES.flatMap((family) =>
      addressFamily(
        routing,
        family,
        upstreams.filter(({ address }) => address.family === family).map(({ address }) => address),
      ),
    ),
    "exit",
    "!",
  ];
}

function neighbor(upstream: Upstream, address: Address, options: RenderOptions): string[] {
  const at = ` neighbor ${address.toString()}`;
  return [
    `${at} remote-as ${upstream.asn}`,
    `${at} description ${upstream.name}`,
    `${at} timers connect 5`,
    ...(upstream.password === undefined ? [] : [`${at} password ${options.secret(upstream.password)}`]),
    ...(upstream.bfd ? [`${at} bfd`, `${at} bfd profile fast`] : []),
  ];
}

/** RFC 8212: nothing passes without a policy in each direction, so each neighbour has both. */
function addressFamily(routing: Routing, family: Family, upstreams: readonly Address[]): string[] {
  const lists = (neighbor: string, incoming: string, outgoing: string) =>
    routing.filters
      ? [
          `  neighbor ${neighbor} prefix-list ${incoming}-${family} in`,
          `  neighbor ${neighbor} prefix-list ${outgoing}-${family} out`,
        ]
      : [];
  return [
    ` address-family ipv${family} unicast`,
    ...routing.announce.filter((prefix) => prefix.family === family).map((prefix) => `  network ${prefix.toString()}`),
    ...upstreams.flatMap((address) => [
      `  neighbor ${address.toString()} activate`,
      ...lists(address.toString(), "ACCEPT", "ANNOUNCE"),
    ]),
    "  neighbor AGENTS activate",
    "  neighbor AGENTS maximum-prefix 10000",
    ...lists("AGENTS", "AGENTS", "NOTHING"),
    "  maximum-paths 16",
    "  maximum-paths ibgp 16",
    " exit-address-family",
    " !",
  ];
}

function bfd({ bfd: { interval, multiplier } }: Routing): string[] {
  return [
    "bfd",
    " profile fast",
    `  transmit-interval ${interval}`,
    `  receive-interval ${interval}`,
    `  detect-multiplier ${multiplier}`,
    " exit",
    "exit",
    "!",
  ];
}

function ip(family: Family): "ip" | "ipv6" {
  return family === 4 ? "ip" : "ipv6";
}
