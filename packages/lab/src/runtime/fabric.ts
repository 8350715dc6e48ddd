import { existsSync } from "node:fs";
import { run } from "../host/run.ts";
import { NETWORKS, type Topology, WORKSTATION } from "../topology/topology.ts";
import type { Places } from "./places.ts";

/**
 * The lab's wires, all in namespaces of their own. `fabric` holds a bridge for each network of the switch and one, with two ports,
 * for each cable of the mesh; the servers' interfaces are plugged into them by LXC at every boot. The providers and the client host
 * are a namespace each.
 */
export async function createFabric(topology: Topology, places: Places): Promise<void> {
  const fabric = places.namespace("fabric");
  const client = places.namespace("client");
  const parts = ["fabric", "client", ...topology.providers.map((provider) => provider.name)];
  if (existsSync(`/run/netns/${fabric}`)) return;
  for (const part of parts) await addNamespace(places.namespace(part));
  const bridges = [...NETWORKS, ...topology.cables.map((cable) => cable.bridge)];
  await ip(fabric, [
    ...bridges.flatMap((name, i) => [
      // With an address of its own: else it has that of a port, and another when the port's server loses power.
      `link add ${name} address 02:00:5e:10:00:${(i + 1).toString(16).padStart(2, "0")} mtu ${name.startsWith("mesh") ? 9000 : 1500} type bridge mcast_snooping 0`,
      `link set ${name} up`,
    ]),
    ...Object.entries(WORKSTATION).map(([network, address]) => `address add ${address} dev ${network}`),
    ...topology.providers.flatMap(({ name }) => [
      `link add ${name} type veth peer name wan-hive netns ${places.namespace(name)}`,
      `link set ${name} master wan-hive up`,
    ]),
  ]);
  for (const { name, wan4, wan6, world4, world6 } of topology.providers) {
    await ip(places.namespace(name), [
      `address add ${wan4}/28 dev wan-hive`,
      `address add ${wan6}/64 dev wan-hive nodad`,
      "link set wan-hive up",
      `link add world type veth peer name ${name} netns ${client}`,
      `address add ${world4[0]}/30 dev world`,
      `address add ${world6[0]}/64 dev world nodad`,
      "link set world up",
    ]);
    await ip(client, [
      `address add ${world4[1]}/30 dev ${name}`,
      `address add ${world6[1]}/64 dev ${name} nodad`,
      `link set ${name} up`,
    ]);
  }
}

async function addNamespace(name: string): Promise<void> {
  if (existsSync(`/run/netns/${name}`)) return;
  await run(["ip", "netns", "add", name]);
  await ip(name, ["link set lo up"]);
}

/** Runs `ip` commands in a namespace, all in one process. */
export async function ip(namespace: string, lines: readonly string[]): Promise<void> {
  await run(["ip", "-netns", namespace, "-batch", "-"], { input: `${lines.join("\n")}\n` });
}
