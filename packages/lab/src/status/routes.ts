import { TOOL } from "../build/platform.ts";
import type { Lab } from "../runtime/lab.ts";

/** A prefix in a router's BGP table, from one of the servers' agents. */
export interface AnnouncedRoute {
  readonly prefix: string;
  /** The server whose agent announces it. */
  readonly server: string;
  readonly nextHop: string;
}

interface BgpTable {
  readonly routes: Readonly<
    Record<string, readonly { readonly peerId: string; readonly nexthops: readonly { readonly ip: string }[] }[]>
  >;
}

/** Runs `vtysh -c` in one of the cluster's routers. */
export async function routerShow(lab: Lab, router: string, command: string): Promise<string> {
  const plan = lab.topology.servers.find((server) => server.router.name === router);
  const { client } = TOOL[lab.topology.options.platform];
  const { stdout } = await lab
    .server(plan?.name ?? router)
    // LXD does not always tell its client that the command ended, and the client does not end by SIGTERM.
    .exec(["timeout", "-k", "1", "20", client, "exec", router, "--", "vtysh", "-c", command]);
  return stdout;
}

/** What a router of the cluster has learnt from the servers' agents, sorted. */
export async function announcedRoutes(lab: Lab, router: string): Promise<AnnouncedRoute[]> {
  const servers = new Map(
    lab.topology.servers.flatMap(
      (s) =>
        [
          [s.hosts4, s.name],
          [s.hosts6, s.name],
        ] as const,
    ),
  );
  const found: AnnouncedRoute[] = [];
  for (const family of ["ipv4", "ipv6"]) {
    const table = JSON.parse(await routerShow(lab, router, `show bgp ${family} unicast json`)) as BgpTable;
    for (const [prefix, paths] of Object.entries(table.routes))
      for (const { peerId, nexthops } of paths) {
        const server = servers.get(peerId);
        const nextHop = nexthops[0]?.ip;
        if (server !== undefined && nextHop !== undefined) found.push({ prefix, server, nextHop });
      }
  }
  const key = ({ prefix, server }: AnnouncedRoute): string => `${prefix} ${server}`;
  return found.toSorted((a, b) => key(a).localeCompare(key(b)));
}
