import { ASN, type Lab, announcedRoutes, expectedRoutes } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { inRouter, tune, tuneAgents } from "./tuning.ts";

/** Who tells the routers of the cluster's addresses. */
export interface Announcer {
  readonly name: string;
  /** Has it do so, and the others not. */
  readonly start: (lab: Lab) => Promise<void>;
}

const UPLINK = "INFRA-UPLINK";
const PATIENCE = 180_000;

export const trivet: Announcer = {
  name: "trivet",
  start: async (lab) => {
    await tune(lab, true);
    await tuneAgents(lab);
  },
};

/** LXD's own BGP, which has no BFD: the routers have none with it either. */
export const lxd: Announcer = {
  name: "LXD's own BGP",
  start: async (lab) => {
    const { servers } = lab.topology;
    for (const server of lab.servers)
      await server.sh(
        "systemctl disable -q trivet-agent; systemctl kill -s INT trivet-agent; systemctl stop trivet-agent",
      );
    for (const { name, router } of servers)
      await inRouter(
        lab,
        name,
        router.name,
        `vtysh -c 'configure terminal' -c 'router bgp ${ASN.cluster}' -c 'no neighbor AGENTS bfd' -c 'end' -c 'write'`,
      );
    for (const { router } of servers)
      await lab.first.sh(
        `lxc network set ${UPLINK} bgp.peers.${router.name}.address=${router.hosts4} bgp.peers.${router.name}.asn=${ASN.cluster}`,
      );
    for (const { name, hosts4 } of servers)
      await lab.first.sh(`lxc config set core.bgp_routerid=${hosts4} core.bgp_address=${hosts4} --target ${name}`);
    // LXD 5.0 answers this with an error, stores it all the same, and has BGP after its next start.
    await lab.first.sh(`lxc config set core.bgp_asn=${ASN.agents} || true`);
    for (const server of lab.servers) await server.sh("systemctl restart lxd");
  },
};

/** Waits until every router has every expected route, and no other. */
export async function complete(lab: Lab): Promise<void> {
  const wanted = prefixes(expectedRoutes(lab.topology));
  for (const { router } of lab.topology.servers)
    await eventually(
      `${router.name} has the routes`,
      async () => {
        const found = (await announcedRoutes(lab, router.name)).map(({ prefix, server }) => `${prefix} ${server}`);
        return prefixes(found) === wanted;
      },
      PATIENCE,
    );
}

function prefixes(routes: readonly string[]): string {
  return routes.toSorted().join("\n");
}
