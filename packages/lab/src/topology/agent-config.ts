import { ASN, PUBLIC, type ServerPlan, type Topology } from "./topology.ts";
import { UPLINK } from "./workload.ts";

/** The agent's configuration on a server: a session of each family with every router. */
export function agentConfig(server: ServerPlan, topology: Topology): string {
  const peers = topology.servers.flatMap(({ router }) => [
    `  - { name: ${router.name}, address: ${router.hosts4}, asn: ${ASN.cluster}, families: [4], holdTime: 9 }`,
    `  - { name: ${router.name}-v6, address: "${router.hosts6}", asn: ${ASN.cluster}, families: [6], holdTime: 9 }`,
  ]);
  return [
    `server: ${server.name}`,
    `asn: ${ASN.agents}`,
    `routerId: ${server.hosts4}`,
    `uplinks: [${UPLINK}]`,
    `allow: [${PUBLIC.ipv4}, "${PUBLIC.ipv6}"]`,
    "peers:",
    ...peers,
    "dns:",
    ...dnsConfig(server, topology).map((line) => `  ${line}`),
    "",
  ].join("\n");
}

/** The TSIG key of a lab, good for nothing else. */
export const TRANSFER_KEY = { name: "transfer", secret: "dHJpdmV0LWxhYi10cmFuc2Zlci1rZXktb2YtMzItYnl0ZXM=" } as const;

/** The zones every server of a lab answers for. */
export const ZONES = {
  forward: "lab.example",
  reverse4: "0-31.113.0.203.in-addr.arpa",
  reverse6: "0.0.0.1.8.b.d.0.1.0.0.2.ip6.arpa",
  inside4: "10.in-addr.arpa",
  catalog: "catalog.invalid",
} as const;

/** Names for everything in the lab, and transfers for who has the key. */
function dnsConfig({ hosts4, hosts6 }: ServerPlan, { servers }: Topology): string[] {
  return [
    `listen: [{ address: ${hosts4} }, { address: "${hosts6}" }]`,
    `nameservers: [${servers.map((_, i) => `ns${i + 1}.${ZONES.forward}`).join(", ")}]`,
    "zones:",
    `  - zone: ${ZONES.forward}`,
    "    records: |",
    ...servers.flatMap((other, i) => [`      ns${i + 1} A ${other.hosts4}`, `      ns${i + 1} AAAA ${other.hosts6}`]),
    "reverse:",
    `  - { prefix: ${PUBLIC.ipv4}, zone: ${ZONES.reverse4} }`,
    `  - prefix: "${PUBLIC.ipv6}"`,
    "  - prefix: 10.0.0.0/8",
    `catalog: ${ZONES.catalog}`,
    `keys: [{ name: ${TRANSFER_KEY.name}, secret: ${TRANSFER_KEY.secret} }]`,
    `transfers: [{ key: ${TRANSFER_KEY.name} }]`,
  ];
}
