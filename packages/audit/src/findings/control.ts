import type { Cluster } from "@trivet/spec";
import { Room, boundBy, largestFirst, usableMemory, usualPlaces } from "../placement.ts";
import type { Look, Say } from "./finding.ts";

const GIB = 2 ** 30;

/** Quorums, room for what must move, and what the cluster needs of itself to start. */
export const control: Look = (cluster, say) => {
  const { servers, lxd } = cluster;
  if (servers.length > 1) {
    const voters = Math.min(lxd.voters, servers.length);
    if (voters < 3 || voters % 2 === 0)
      say(
        "voters-too-few",
        ["lxd", "voters"],
        `${voters} servers vote in LXD's database`,
        "have three, five or seven voters",
      );
    quorums(cluster, say);
    capacity(cluster, say);
  }
  if (lxd.healing > 0)
    say(
      "healing-without-fencing",
      ["lxd", "healing"],
      "instances start elsewhere when their server is merely cut off",
      "set healing to 0 and move them by hand, unless the BMCs fence",
    );
  for (const { instances } of cluster.projects) {
    for (const instance of instances) {
      const path = ["projects", instance.project, "instances", instance.name];
      const bound = boundBy({ ...cluster }, { ...instance, on: undefined });
      if (servers.length > 1 && bound !== undefined && instance.evacuate !== "stop")
        say(
          "instance-bound",
          path,
          `${instance.ref} must stop when its server is emptied: ${bound}`,
          "put it on shared storage, or say evacuate: stop",
        );
      if (servers.length > 1 && instance.type === "vm" && !instance.stateful)
        say("vm-not-stateful", path, `${instance.ref} cannot move while it runs`, "add stateful: true");
    }
  }
  const { dns, maintenance, monitoring } = cluster;
  const inside = dns?.resolvers !== undefined && dns.fallback.length === 0;
  if (inside)
    say(
      "cold-start-dns",
      ["dns", "resolvers"],
      "the servers' only resolvers are instances of the cluster",
      "add dns.fallback: with resolvers outside",
    );
  if (inside && maintenance.ntp.length > 0 && maintenance.ntp.every((server) => !/^[\d.]+$|:/.test(server)))
    say(
      "cold-start-time",
      ["maintenance", "ntp"],
      "time servers have names, which only the cluster can resolve; Ceph and TLS need time",
      "add one by address, or dns.fallback:",
    );
  if (monitoring?.instances !== undefined && !monitoring.external)
    say(
      "monitoring-inside",
      ["monitoring"],
      "monitoring runs on what it watches",
      "run it outside (external: true), or have somebody outside watch it",
    );
};

function quorums(cluster: Cluster, say: Say): void {
  const quorum = cluster.servers.slice(0, Math.min(cluster.lxd.voters, cluster.servers.length));
  const majority = Math.floor(quorum.length / 2) + 1;
  const feeds = new Set(quorum.flatMap(({ power }) => power));
  for (const feed of feeds) {
    const dark = quorum.filter(({ power }) => power.every((each) => each === feed));
    if (quorum.length - dark.length < majority)
      say(
        "quorum-one-feed",
        ["servers", dark[0]?.name ?? "", "power"],
        `without ${feed}, ${dark.map(({ name }) => name).join(" and ")} go dark, and the quorum with them`,
        "spread the supplies over two feeds",
      );
  }
  if (cluster.mesh !== undefined) return;
  const vlan =
    cluster.vlans.find(({ role }) => role === "underlay") ?? cluster.vlans.find(({ role }) => role === "hosts");
  const trunks = quorum.map(({ links }) => links.find(({ name }) => name === vlan?.link)?.peer);
  const common = cluster.switches.find(
    ({ name }) =>
      trunks.filter((peer) => peer !== undefined && "switches" in peer && peer.switches.every((each) => each === name))
        .length >= majority,
  );
  if (common !== undefined)
    say(
      "quorum-one-switch",
      ["switches", common.name],
      `without ${common.name}, the servers do not reach each other`,
      "add a mesh, or a second switch with MLAG",
    );
}

/** One server goes, and what may move is placed on the others. */
function capacity(cluster: Cluster, say: Say): void {
  const places = usualPlaces(cluster);
  const all = largestFirst(cluster.projects.flatMap(({ instances }) => instances));
  let worst = { server: "", memory: 0, cores: 0 };
  for (const gone of cluster.servers) {
    const left = cluster.servers.filter((server) => server !== gone);
    const room = new Room(cluster, left);
    for (const instance of all)
      if (places.get(instance.ref) !== gone.name) room.take(places.get(instance.ref) ?? "", instance);
    const homeless = all.filter(
      (instance) => places.get(instance.ref) === gone.name && boundBy(cluster, instance) === undefined,
    );
    const memory = homeless.reduce(
      (sum, instance) => sum + (room.place(instance) === undefined ? instance.memory : 0),
      0,
    );
    const cores =
      homeless.length > 0
        ? Math.max(
            0,
            all.reduce((sum, instance) => sum + instance.cores, 0) -
              4 * left.reduce((sum, server) => sum + server.cores, 0),
          )
        : 0;
    if (memory > worst.memory || cores > worst.cores)
      worst = { server: gone.name, memory: Math.max(memory, worst.memory), cores: Math.max(cores, worst.cores) };
  }
  const usable = cluster.servers.map((server) => usableMemory(server, cluster.ceph !== undefined));
  if (worst.memory > 0)
    say(
      "memory-short",
      ["servers", worst.server, "memory"],
      `without ${worst.server}, ${(worst.memory / GIB).toFixed(1)} GiB of instances have no place (instances may use ${usable.map((each) => (each / GIB).toFixed(0)).join(" + ")} GiB)`,
      "add memory, or let fewer or smaller instances move",
    );
  if (worst.cores > 0)
    say(
      "cpu-short",
      ["servers", worst.server, "cores"],
      `without ${worst.server}, instances are promised more than four times the cores that are left`,
      "add cores, or lower the instances' limits",
    );
}
