import type { Platform } from "../topology/topology.ts";

/** How LXD and Incus differ on the command line. */
interface Tool {
  readonly client: string;
  readonly init: string;
  readonly create: string;
  readonly units: string;
  /** Its socket in a server. */
  readonly socket: string;
}

export const TOOL: Readonly<Record<Platform, Tool>> = {
  lxd: {
    client: "lxc",
    init: "lxd init",
    create: "init",
    units: "lxd.socket lxd.service",
    socket: "/var/lib/lxd/unix.socket",
  },
  incus: {
    client: "incus",
    init: "incus admin init",
    create: "create",
    units: "incus.socket incus.service",
    socket: "/var/lib/incus/unix.socket",
  },
};
