import { GATEWAY, type ServerPlan, type Topology } from "../topology/topology.ts";

/**
 * A server's /etc/netplan/60-trivet.yaml. As in the rack, but for bonds and VLANs, which the machine's kernel may lack: each network
 * has an interface of its own. The mesh's addresses are on the inner ports of Open vSwitch bridges, because userspace Geneve looks
 * for its own address there.
 */
export function netplan(
  server: ServerPlan,
  nics: readonly { name: string; mtu: number }[],
  topology: Topology,
): string {
  const quiet = { "accept-ra": false, dhcp4: false, dhcp6: false, "link-local": [] };
  const ethernets: Record<string, object> = {};
  for (const { name, mtu } of nics) ethernets[name] = { ...quiet, mtu };
  for (const peer of topology.servers.filter((s) => s !== server)) {
    ethernets[`br-mesh-${peer.short}`] = {
      ...quiet,
      // The bridge appears when Open vSwitch has started.
      optional: true,
      // As in the rack, the whole mesh's prefix on every cable, and a host route for its end. Open vSwitch would ignore a route that
      // no address of its interface covers.
      addresses: [`${server.mesh}/24`],
      routes: [{ to: `${peer.mesh}/32`, scope: "link" }],
    };
  }
  ethernets["br-uplink"] = { ...quiet, optional: true };
  const bridges = {
    "br-wan-hive": { ...quiet, interfaces: ["wan-hive"], parameters: { stp: false, "forward-delay": 0 } },
    "br-hosts": {
      "accept-ra": false,
      interfaces: ["infra-hosts"],
      parameters: { stp: false, "forward-delay": 0 },
      // As in the rack, the whole mesh's prefix on every cable, and a host route for its end. Open vSwitch would ignore a route that
      // no address of its interface covers.
      addresses: [`${server.hosts4}/24`, `${server.hosts6}/64`],
      routes: [
        { to: "0.0.0.0/0", via: GATEWAY.hosts4 },
        { to: "::/0", via: GATEWAY.hosts6 },
      ],
    },
  };
  // JSON is YAML.
  return `${JSON.stringify({ network: { version: 2, renderer: "networkd", ethernets, bridges } }, null, 2)}\n`;
}
