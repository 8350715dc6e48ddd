import type { Context } from "../context.ts";
import type { Cluster, Link, Server } from "../model.ts";
import { hardwarePath } from "../resolve/hardware.ts";
import { firstOfEach } from "./twice.ts";

/** Ports, links and numbers: each used once, each where it can be. */
export function checkHardware(context: Context, cluster: Cluster): void {
  const numbers = firstOfEach<string>();
  for (const server of cluster.servers) {
    const other = numbers(server.number, server.name);
    if (other !== undefined)
      context.report(["servers", server.name, "number"], {
        code: "number-twice",
        message: `${server.name} has the number ${server.number}, as ${other} has: their addresses would be the same`,
        remedy: "give it another number:",
      });
    checkPorts(context, server);
    checkMtus(context, cluster, server);
  }
  checkMacs(context, cluster);
  checkMesh(context, cluster);
}

function checkPorts(context: Context, server: Server): void {
  const { file } = context;
  const cards = firstOfEach<string>();
  for (const card of server.cards) {
    for (const [index, port] of card.ports.entries()) {
      const other = cards(port, card.name);
      if (other !== undefined)
        context.report(hardwarePath(file, server.name, "cards", card.name, "ports", index), {
          code: "port-twice",
          message: `port ${port} is already on card ${other}`,
          remedy: "list each port once, on its card",
        });
    }
  }
  const known = new Set(server.cards.flatMap(({ ports }) => ports));
  const links = firstOfEach<string>();
  for (const link of server.links) {
    for (const [index, port] of link.ports.entries()) {
      const at = hardwarePath(file, server.name, "links", link.name, "ports", index);
      const other = links(port, link.name);
      if (other !== undefined)
        context.report(at, {
          code: "port-twice",
          message: `port ${port} of ${link.name} is already in ${other}`,
          remedy: "give each link its own ports",
        });
      else if (!known.has(port))
        context.report(at, {
          code: "port-unknown",
          message: `port ${port} is on none of the cards`,
          remedy: known.size === 0 ? "describe the cards" : `the cards have ${[...known].join(", ")}`,
        });
    }
  }
}

/** A frame must fit every part of its way: the link, the switch, and the link's other end. */
function checkMtus(context: Context, cluster: Cluster, server: Server): void {
  for (const link of server.links) {
    const at = hardwarePath(context.file, server.name, "links", link.name, "mtu");
    const { peer } = link;
    if ("switches" in peer) {
      const narrow = cluster.switches.find(({ name, mtu }) => peer.switches.includes(name) && mtu < link.mtu);
      if (narrow !== undefined)
        context.report(at, {
          code: "mtu-path",
          message: `${link.name} has MTU ${link.mtu}, but the switch ${narrow.name} carries only ${narrow.mtu}`,
          remedy: "lower the link's, or raise mtu: of the switch, if it can",
        });
    } else {
      const other = otherEnd(cluster, link);
      if (other !== undefined && other.mtu !== link.mtu)
        context.report(at, {
          code: "mtu-path",
          message: `${link.name} has MTU ${link.mtu}, but its other end, ${peer.server}'s ${other.name}, has ${other.mtu}`,
          remedy: "give both ends the same",
        });
    }
  }
}

function otherEnd(cluster: Cluster, { peer }: Link): Link | undefined {
  if (!("server" in peer)) return undefined;
  return cluster.servers.find(({ name }) => name === peer.server)?.links.find(({ name }) => name === peer.link);
}

function checkMacs(context: Context, cluster: Cluster): void {
  const macs = firstOfEach<string>();
  for (const server of cluster.servers) {
    const ports = new Set(server.cards.flatMap((card) => card.ports));
    for (const [port, mac] of Object.entries(server.macs)) {
      const at = ["servers", server.name, "macs", port];
      if (!ports.has(port))
        context.report(at, {
          code: "port-unknown",
          message: `port ${port} is on none of the cards`,
          remedy: "name a port of a card",
          key: true,
        });
      const other = macs(mac, `${server.name}'s ${port}`);
      if (other !== undefined)
        context.report(at, {
          code: "mac-twice",
          message: `${mac} is already the address of ${other}`,
          remedy: "read it from the card again",
        });
    }
  }
}

/** Every pair of servers needs a direct link: the mesh's host routes lead over it. */
function checkMesh(context: Context, cluster: Cluster): void {
  if (cluster.mesh === undefined) return;
  const locals = firstOfEach<string>();
  for (const server of cluster.servers) {
    const reached = new Set(server.links.flatMap(({ peer }) => ("server" in peer ? [peer.server] : [])));
    const apart = cluster.servers.filter(({ name }) => name !== server.name && !reached.has(name));
    if (apart.length > 0)
      context.report(["servers", server.name], {
        code: "mesh-links",
        message: `${server.name} has no mesh link to ${apart.map(({ name }) => name).join(", ")}`,
        remedy: "add a link to: mesh for each other server",
        key: true,
      });
    for (const link of server.links) {
      const other =
        link.linkLocal === undefined
          ? undefined
          : locals(link.linkLocal.address.toString(), `${server.name}'s ${link.name}`);
      if (other !== undefined)
        context.report(hardwarePath(context.file, server.name, "links", link.name, "linkLocal"), {
          code: "address-twice",
          message: `${link.linkLocal?.address.toString()} is already the address of ${other}`,
          remedy: "give each end its own",
        });
    }
  }
}
