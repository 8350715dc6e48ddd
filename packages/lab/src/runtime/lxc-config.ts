import { PROGRAM } from "./program.ts";
import { NETWORKS, type ServerPlan, type Topology } from "../topology/topology.ts";
import type { Places } from "./places.ts";

interface Input {
  readonly server: ServerPlan;
  readonly topology: Topology;
  readonly places: Places;
  readonly image: string;
  readonly disk: string;
}

interface Nic {
  /** Its name in the server. */
  readonly name: string;
  /** The bridge of the fabric it is plugged into. */
  readonly bridge: string;
  /** The name of its other end, in the fabric. */
  readonly port: string;
  readonly mtu: number;
}

/** The interfaces of a server: one to each network of the switch but the BMC's, and a cable to every other server. */
export function serverNics(server: ServerPlan, topology: Topology): Nic[] {
  const index = topology.servers.indexOf(server);
  const ports = NETWORKS.filter((network) => network !== "infra-bmc").map((network): Nic => ({
    name: network,
    bridge: network,
    port: `s${index}-${network}`,
    mtu: 1500,
  }));
  const mesh = topology.cables
    .filter((cable) => cable.ends.includes(server.name))
    .map((cable): Nic => {
      const other = topology.servers.find(({ name }) => name !== server.name && cable.ends.includes(name));
      return { name: `mesh-${other?.short}`, bridge: cable.bridge, port: `s${index}-${cable.bridge}`, mtu: 9000 };
    });
  return [...ports, ...mesh];
}

/**
 * Plugs the outer end of an interface, `s<server>-<bridge>`, into its bridge. LXC itself cannot: it looks for bridges in the /sys of
 * the machine's own network. Checksums are finished in the kernel because userspace Open vSwitch reads frames before that is done.
 */
export const NIC_UP = `#!/bin/sh -e
ip link set "$5" master "\${5#*-}" up
ethtool -K "$5" tx off >/dev/null
`;

/** LXC's configuration of a server. What is unusual in it lets LXD and Incus run containers inside, on cgroup v1 and v2 machines. */
export function lxcConfig({ server, topology, places, image, disk }: Input): string {
  const nics = serverNics(server, topology).flatMap((nic, i) => [
    `lxc.net.${i}.type = veth`,
    `lxc.net.${i}.name = ${nic.name}`,
    `lxc.net.${i}.veth.pair = ${nic.port}`,
    `lxc.net.${i}.mtu = ${nic.mtu}`,
    `lxc.net.${i}.hwaddr = ${mac(topology.servers.indexOf(server), i)}`,
    `lxc.net.${i}.flags = up`,
    `lxc.net.${i}.script.up = ${places.folder}/nic-up`,
  ]);
  return [
    `lxc.uts.name = ${server.name}`,
    `lxc.rootfs.path = overlay:${image}:${disk}`,
    `lxc.cgroup.dir = ${places.cgroup}/${server.name}`,
    "lxc.mount.auto = proc:rw sys:rw cgroup:rw:force",
    "lxc.apparmor.profile = unconfined",
    "lxc.cap.drop =",
    "lxc.cgroup.devices.allow = a",
    "lxc.cgroup2.devices.allow = a",
    "lxc.autodev = 1",
    "lxc.pty.max = 1024",
    "lxc.tty.max = 0",
    "lxc.environment = SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
    "lxc.mount.entry = /dev/net/tun dev/net/tun none bind,create=file 0 0",
    "lxc.mount.entry = /dev/fuse dev/fuse none bind,create=file,optional 0 0",
    // Without a second, unmasked proc and sysfs a nested container may not mount its own.
    "lxc.mount.entry = proc dev/.lxc/proc proc create=dir,optional 0 0",
    "lxc.mount.entry = sys dev/.lxc/sys sysfs create=dir,optional 0 0",
    `lxc.mount.entry = ${places.folder}/shared srv/lab none bind,ro,create=dir 0 0`,
    `lxc.mount.entry = ${PROGRAM.root} srv/trivet none bind,ro,create=dir 0 0`,
    `lxc.mount.entry = ${PROGRAM.node} srv/node none bind,ro,create=file 0 0`,
    ...nics,
    "",
  ].join("\n");
}

function mac(server: number, nic: number): string {
  const hex = (n: number): string => n.toString(16).padStart(2, "0");
  return `02:00:5e:10:${hex(server + 1)}:${hex(nic + 1)}`;
}
