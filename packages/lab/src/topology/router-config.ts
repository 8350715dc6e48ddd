import { vrrpPenalty } from "@trivet/spec";
import {
  ASN,
  CLIENT,
  CLIENT_SOURCES,
  GATEWAY,
  PUBLIC,
  type ProviderPlan,
  type RouterPlan,
  type Topology,
} from "./topology.ts";

export interface RouterConfig {
  readonly frr: string;
  readonly keepalived: string;
}

/** A router of the cluster: BGP to both providers, BGP with the servers' agents, VRRP with the other routers. */
export function routerConfig(router: RouterPlan, topology: Topology): RouterConfig {
  return { frr: clusterRouter(router, topology), keepalived: keepalived(router, topology) };
}

function clusterRouter(router: RouterPlan, { providers, servers }: Topology): string {
  const neighbors = providers.flatMap(({ wan4, wan6, name }) => [
    `neighbor ${wan4} remote-as ${ASN.provider}`,
    `neighbor ${wan4} description ${name}`,
    `neighbor ${wan4} bfd`,
    `neighbor ${wan4} timers connect 2`,
    `neighbor ${wan6} remote-as ${ASN.provider}`,
    `neighbor ${wan6} description ${name}`,
    `neighbor ${wan6} bfd`,
    `neighbor ${wan6} timers connect 2`,
  ]);
  const family = (wan: "wan4" | "wan6", prefix: string): string[] => [
    `network ${prefix}`,
    "maximum-paths 8",
    ...providers.flatMap((provider) => [
      `neighbor ${provider[wan]} activate`,
      `neighbor ${provider[wan]} route-map FROM-PROVIDER in`,
      `neighbor ${provider[wan]} route-map TO-PROVIDER out`,
    ]),
    "neighbor AGENTS activate",
    "neighbor AGENTS route-map FROM-AGENTS in",
    "neighbor AGENTS route-map NOTHING out",
    "neighbor AGENTS soft-reconfiguration inbound",
  ];
  return frr(router.name, [
    // The aggregates are held here: what no agent announces must not travel back to the provider.
    `ip route ${PUBLIC.ipv4} blackhole 254`,
    `ipv6 route ${PUBLIC.ipv6} blackhole 254`,
    `ip prefix-list PUBLIC4 permit ${PUBLIC.ipv4} ge 27`,
    `ipv6 prefix-list PUBLIC6 permit ${PUBLIC.ipv6} ge 48`,
    `ip prefix-list AGGREGATE4 permit ${PUBLIC.ipv4}`,
    `ipv6 prefix-list AGGREGATE6 permit ${PUBLIC.ipv6}`,
    ...routeMap("FROM-AGENTS", "PUBLIC4", "PUBLIC6"),
    ...routeMap("TO-PROVIDER", "AGGREGATE4", "AGGREGATE6"),
    "route-map FROM-PROVIDER permit 10",
    "exit",
    "route-map NOTHING deny 10",
    "exit",
    ...bgp(ASN.cluster, router.wan4, [
      // One that has just started attracts no packets before it knows where they belong.
      "update-delay 30 10",
      ...neighbors,
      "neighbor AGENTS peer-group",
      `neighbor AGENTS remote-as ${ASN.agents}`,
      // Next hops are OVN's routers on the uplink, not the servers that announce them.
      "neighbor AGENTS disable-connected-check",
      "neighbor AGENTS passive",
      // No BFD: agents have none here, where a machine that is itself a guest may stand still for a second or two, and FRR 10.2 and
      // 10.3 take nobody back whom BFD misses.
      "neighbor AGENTS timers 3 9",
      // Each by its address, not a listen range: FRR 10.6 takes nobody back into a range while it keeps the routes for them.
      ...servers.flatMap(({ name, hosts4, hosts6 }) =>
        [hosts4, hosts6].flatMap((address) => [
          `neighbor ${address} peer-group AGENTS`,
          `neighbor ${address} description ${name}`,
        ]),
      ),
      ...inFamily("ipv4", family("wan4", PUBLIC.ipv4)),
      ...inFamily("ipv6", family("wan6", PUBLIC.ipv6)),
    ]),
  ]);
}

/** A provider's core router: the way to the world for the cluster's routers. */
export function providerRouter(provider: ProviderPlan, topology: Topology): string {
  const routers = topology.servers.map((server) => server.router);
  const family = (version: 4 | 6): string[] => [
    "maximum-paths 8",
    ...routers.flatMap((router) => [
      `neighbor ${version === 4 ? router.wan4 : router.wan6} activate`,
      `neighbor ${version === 4 ? router.wan4 : router.wan6} default-originate`,
      `neighbor ${version === 4 ? router.wan4 : router.wan6} route-map NOTHING out`,
      `neighbor ${version === 4 ? router.wan4 : router.wan6} route-map ANY in`,
    ]),
    `neighbor ${version === 4 ? provider.world4[1] : provider.world6[1]} activate`,
    `neighbor ${version === 4 ? provider.world4[1] : provider.world6[1]} route-map ANY in`,
    `neighbor ${version === 4 ? provider.world4[1] : provider.world6[1]} route-map ANY out`,
  ];
  const neighbors = [
    ...routers.flatMap(({ wan4, wan6 }) => [wan4, wan6]).map((address) => [address, ASN.cluster] as const),
    [provider.world4[1], ASN.world] as const,
    [provider.world6[1], ASN.world] as const,
  ];
  return frr(provider.name, [
    ...ANY_AND_NOTHING,
    ...bgp(ASN.provider, provider.wan4, [
      ...peers(neighbors),
      ...inFamily("ipv4", family(4)),
      ...inFamily("ipv6", family(6)),
    ]),
  ]);
}

/** The client host, and with it the rest of the world. */
export function worldRouter(topology: Topology): string {
  const ends = topology.providers.map((provider) => [provider.world4[0], provider.world6[0]] as const);
  const family = (version: 4 | 6): string[] => [
    ...(version === 4
      ? CLIENT_SOURCES.ipv4.map((address) => `network ${address}/32`)
      : CLIENT_SOURCES.ipv6.map((address) => `network ${address}/128`)),
    "maximum-paths 8",
    ...ends.flatMap(([v4, v6]) => {
      const end = version === 4 ? v4 : v6;
      return [`neighbor ${end} activate`, `neighbor ${end} route-map ANY in`, `neighbor ${end} route-map ANY out`];
    }),
  ];
  return frr("client", [
    ...ANY_AND_NOTHING,
    // Answers come to the address that was asked for, not to the link's.
    `route-map SOURCE4 permit 10\n set src ${CLIENT.ipv4}\nexit`,
    `route-map SOURCE6 permit 10\n set src ${CLIENT.ipv6}\nexit`,
    "ip protocol bgp route-map SOURCE4",
    "ipv6 protocol bgp route-map SOURCE6",
    ...bgp(ASN.world, CLIENT.ipv4, [
      ...peers(ends.flat().map((address) => [address, ASN.provider] as const)),
      ...inFamily("ipv4", family(4)),
      ...inFamily("ipv6", family(6)),
    ]),
  ]);
}

const ANY_AND_NOTHING = ["route-map ANY permit 10", "exit", "route-map NOTHING deny 10", "exit"];

function peers(neighbors: readonly (readonly [string, number])[]): string[] {
  return neighbors.flatMap(([address, asn]) => [
    `neighbor ${address} remote-as ${asn}`,
    `neighbor ${address} bfd`,
    `neighbor ${address} timers connect 2`,
  ]);
}

function frr(hostname: string, lines: readonly string[]): string {
  return ["frr defaults datacenter", `hostname ${hostname}`, "log syslog warnings", ...lines, ""].join("\n");
}

function bgp(asn: number, id: string, lines: readonly string[]): string[] {
  const head = [`bgp router-id ${id}`, "no bgp default ipv4-unicast", "bgp bestpath as-path multipath-relax"];
  return [`router bgp ${asn}`, ...[...head, ...lines].map((line) => ` ${line}`), "exit"];
}

function inFamily(family: "ipv4" | "ipv6", lines: readonly string[]): string[] {
  return [`address-family ${family} unicast`, ...lines.map((line) => ` ${line}`), "exit-address-family"];
}

function routeMap(name: string, list4: string, list6: string): string[] {
  return [
    `route-map ${name} permit 10`,
    ` match ip address prefix-list ${list4}`,
    "exit",
    `route-map ${name} permit 20`,
    ` match ipv6 address prefix-list ${list6}`,
    "exit",
  ];
}

function keepalived({ vrrpPriority }: RouterPlan, { servers }: Topology): string {
  const penalty = vrrpPenalty(servers.map(({ router }) => router.vrrpPriority));
  // Addresses that keep their MAC when another router takes them over (RFC 9568 §7.3): nobody needs to learn it anew, least of all OVN,
  // which writes what it learns into a database that elects a leader just then.
  const instance = (dev: string, id: number, addresses: readonly string[]): string => `
vrrp_instance ${dev}${id} {
  interface ${dev}
  use_vmac
  virtual_router_id ${id}
  priority ${vrrpPriority}
  version 3
  advert_int 0.3
  accept
  virtual_ipaddress {
    ${addresses.join("\n    ")}
  }
  track_script {
    provider
  }
}`;
  return [
    "global_defs {\n  enable_script_security\n  script_user root\n  vrrp_version 3\n}",
    // A router without a way out must not stay the way out.
    `vrrp_script provider {
  script "/bin/sh -c '/usr/bin/ip -6 route show default | grep -q .'"
  interval 1
  fall 2
  rise 2
  weight -${penalty}
  init_fail
}`,
    instance("uplink", 20, [`${GATEWAY.uplink4}/32`]),
    // RFC 5798 §5.2.9: the first IPv6 address is link-local. The other is deprecated: else the kernel prefers it for BFD.
    instance("uplink", 21, ["fe80::20:1/64", `${GATEWAY.uplink6}/128 preferred_lft 0`]),
    instance("hosts", 10, [`${GATEWAY.hosts4}/32`]),
    instance("hosts", 11, ["fe80::10:1/64", `${GATEWAY.hosts6}/128 preferred_lft 0`]),
    "",
  ].join("\n");
}
