import type { Cluster } from "@trivet/spec";

export type Kind =
  | "feed"
  | "psu"
  | "server"
  | "disk"
  | "card"
  | "port"
  | "cable"
  | "switch"
  | "line"
  | "upstream"
  | "router"
  | "bmc"
  | "instance";

/** A thing that can fail. */
export interface Component {
  readonly kind: Kind;
  /** How people call it: `langara`, `langara/nvme`, `sw01`. Unique. */
  readonly name: string;
  /** What it is, for people. */
  readonly label: string;
}

/** Everything that can fail by itself, in the order of the file; instances last. */
export function componentsOf(cluster: Cluster): Component[] {
  const all: Component[] = [];
  const add = (kind: Kind, name: string, label: string) => all.push({ kind, name, label });
  const feeds = new Set([
    ...cluster.servers.flatMap(({ power }) => power),
    ...cluster.switches.flatMap(({ power }) => power),
    ...(cluster.routing?.lines ?? []).flatMap(({ power }) => power),
  ]);
  for (const feed of feeds) add("feed", feed, `power feed ${feed}`);
  for (const { name } of cluster.switches) add("switch", name, `switch ${name}`);
  for (const server of cluster.servers) {
    const of = `of ${server.name}`;
    add("server", server.name, `server ${server.name}`);
    for (const index of server.power.keys())
      add("psu", `${server.name}/psu${index + 1}`, `power supply ${index + 1} ${of}`);
    for (const { name } of server.disks) add("disk", `${server.name}/${name}`, `disk ${name} ${of}`);
    for (const { name, ports } of server.cards) {
      add("card", `${server.name}/${name}`, `card ${name} ${of}`);
      for (const port of ports) add("port", `${server.name}/${port}`, `port ${port} ${of}`);
    }
    for (const { name, ports, peer } of server.links)
      for (const [index, port] of ports.entries())
        // A cable between two servers is named after the first of them.
        if (!("server" in peer) || server.name < peer.server)
          add("cable", `${server.name}/${name}#${index + 1}`, `cable ${index + 1} of ${name} ${of}, at ${port}`);
    if (server.bmc !== undefined) add("bmc", `${server.name}/bmc`, `BMC ${of}`);
  }
  for (const { name } of cluster.routing?.lines ?? []) add("line", name, `line ${name} to the provider`);
  for (const { name } of cluster.routing?.upstreams ?? []) add("upstream", name, `the provider's router ${name}`);
  for (const { name, on } of cluster.routing?.routers ?? []) add("router", name, `router ${name} on ${on}`);
  for (const project of cluster.projects)
    for (const { ref, name } of project.instances) add("instance", ref, `instance ${name}`);
  return all;
}
