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
    "",
  ].join("\n");
}
