import type { Topology } from "./topology.ts";
import { ovnNetworks, services } from "./workload.ts";

/**
 * What the agents of a healthy lab announce, as `prefix server`, sorted: every server all public subnets of the OVN networks, and the
 * external routes of the instances that run on it.
 */
export function expectedRoutes(topology: Topology): string[] {
  const subnets = ovnNetworks(topology).flatMap(({ subnet6 }) =>
    topology.servers.map(({ name }) => `${subnet6}/64 ${name}`),
  );
  const external = services(topology).flatMap(({ devices, server }) =>
    [devices["eth0"]?.["ipv4.routes.external"], devices["eth0"]?.["ipv6.routes.external"]]
      .flatMap((prefixes) => prefixes?.split(",") ?? [])
      .map((prefix) => `${prefix} ${server}`),
  );
  return [...subnets, ...external].toSorted((a, b) => a.localeCompare(b));
}
