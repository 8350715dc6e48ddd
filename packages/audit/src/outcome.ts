import type { CephPool, Cluster, Instance, Server } from "@trivet/spec";
import { Hardware } from "./hardware.ts";
import { Room, boundBy, largestFirst, usualPlaces } from "./placement.ts";

export type Status = "up" | "degraded" | "down";

export interface Service {
  readonly name: string;
  readonly status: Status;
  /** Why it is not up. */
  readonly reason: string;
}

/** What works after a set of failures. */
export interface Outcome {
  readonly services: readonly Service[];
  /** Instances that start again on another server. */
  readonly moved: readonly string[];
  /** Instances that do not run, with the reason. */
  readonly stopped: readonly { readonly instance: string; readonly reason: string }[];
  /** What is missing to run everything that should move: bytes of memory, and cores (which are then shared). */
  readonly shortage: { readonly memory: number; readonly cores: number };
}

interface Group {
  readonly name: string;
  readonly instances: readonly string[];
}

/** The cluster, prepared for being asked what survives. */
export class Model {
  readonly cluster: Cluster;
  readonly #byName: ReadonlyMap<string, Server>;
  readonly #instances: readonly Instance[];
  readonly #places: ReadonlyMap<string, string>;
  readonly #groups: readonly Group[];
  readonly #voters: readonly Server[];
  readonly #known = new Map<string, Outcome>();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.#byName = new Map(cluster.servers.map((server) => [server.name, server]));
    this.#instances = largestFirst(cluster.projects.flatMap(({ instances }) => instances));
    this.#places = usualPlaces(cluster);
    this.#groups = groupsOf(cluster);
    this.#voters = cluster.servers.slice(0, Math.min(cluster.lxd.voters, cluster.servers.length));
  }

  /** What works when these components (by name) have failed. */
  after(lost: ReadonlySet<string>): Outcome {
    return this.#on(new Hardware(this.cluster, this.#byName, lost));
  }

  /** Likewise, for parts that matter only by the servers and links they leave up: most leave the same. */
  afterParts(lost: ReadonlySet<string>): Outcome {
    const hardware = new Hardware(this.cluster, this.#byName, lost);
    const left = hardware.left();
    const outcome = this.#known.get(left) ?? this.#on(hardware);
    this.#known.set(left, outcome);
    return outcome;
  }

  #on(hardware: Hardware): Outcome {
    const services: Service[] = [];
    const say = (name: string, working: number, all: number, needed: number, what: string) => {
      const status: Status = working < needed ? "down" : working < all ? "degraded" : "up";
      services.push({
        name,
        status,
        reason:
          status === "up"
            ? ""
            : `${working} of ${all} ${what}${status === "down" && needed > 1 ? `, ${needed} are needed` : ""}`,
      });
    };
    const lxd = this.#quorum(hardware, this.#voters);
    say("LXD", lxd.members.size, this.#voters.length, lxd.majority, "database voters are together");
    const gateways = this.#network(hardware, say);
    if (this.cluster.ovn !== undefined) {
      const central = this.#servers(this.cluster.ovn.central);
      const ovn = this.#quorum(hardware, central);
      say("OVN", ovn.members.size, central.length, ovn.majority, "databases are together");
    }
    const storage = this.#storage(hardware, say);
    const quorate = lxd.members.size >= lxd.majority;
    const usable = quorate ? hardware.together(this.cluster.servers) : new Set<string>();
    const { running, moved, stopped, shortage } = this.#compute(hardware, usable, storage);
    for (const group of this.#groups) {
      const up = group.instances.filter((ref) => running.has(ref)).length;
      const reachable = gateways || this.cluster.routing === undefined;
      if (reachable) say(group.name, up, group.instances.length, 1, "instances run");
      else services.push({ name: group.name, status: "down", reason: "no router leads to it" });
    }
    const managed = this.cluster.servers.filter(({ bmc }) => bmc !== undefined);
    if (managed.length > 0) {
      const reached = managed.filter(
        ({ name, power }) =>
          !hardware.lost(`${name}/bmc`) &&
          this.cluster.switches.some((each) => hardware.switch(each.name)) &&
          power.some((feed) => !hardware.lost(feed)),
      );
      say("management (BMC)", reached.length, managed.length, 1, "BMCs answer");
    }
    return { services, moved, stopped, shortage };
  }

  #servers(names: readonly string[]): Server[] {
    return names.flatMap((name) => this.#byName.get(name) ?? []);
  }

  #quorum(hardware: Hardware, members: readonly Server[]) {
    return { members: hardware.together(members), majority: Math.floor(members.length / 2) + 1 };
  }

  /** The routers: the gateway of the inside, and the way to the provider. */
  #network(hardware: Hardware, say: Say): boolean {
    const { routing, vlans } = this.cluster;
    if (routing === undefined) return true;
    const link = (role: string) => vlans.find((vlan) => vlan.role === role)?.link;
    const up = (roles: readonly string[]) =>
      routing.routers.filter(({ name, on }) => {
        const server = this.#byName.get(on);
        return (
          server !== undefined &&
          !hardware.lost(name) &&
          hardware.server(server) &&
          roles.every((role) => link(role) === undefined || hardware.trunk(server, link(role)))
        );
      }).length;
    const inside = up(["uplink", "hosts"]);
    say("gateway", inside, routing.routers.length, 1, "routers are up");
    if (routing.upstreams.length > 0) {
      const outside = up(["wan"]);
      const sessions = routing.upstreams.filter(({ name, line }) => {
        const to = routing.lines.find((each) => each.name === line)?.to ?? "";
        const power = routing.lines.find((each) => each.name === line)?.power ?? [];
        return (
          !hardware.lost(name) &&
          !hardware.lost(line) &&
          hardware.switch(to) &&
          (power.length === 0 || power.some((feed) => !hardware.lost(feed)))
        );
      }).length;
      const all = routing.routers.length * routing.upstreams.length;
      say("internet", outside * sessions, all, 1, "BGP sessions to the provider are up");
    }
    return inside > 0;
  }

  /** The storage pools that can be written. */
  #storage(hardware: Hardware, say: Say): Set<string> {
    const { ceph, storage } = this.cluster;
    const usable = new Set(
      storage.filter(({ driver }) => driver !== "ceph" && driver !== "cephfs").map(({ name }) => name),
    );
    if (ceph === undefined) return usable;
    const mons = this.#quorum(hardware, this.#servers(ceph.mons));
    say("Ceph monitors", mons.members.size, ceph.mons.length, mons.majority, "are together");
    const quorate = mons.members.size >= mons.majority;
    const reached = hardware.clique(this.cluster.servers);
    for (const { name } of storage) {
      const pools = ceph.pools.filter((pool) => pool.storage === name);
      if (pools.length === 0) continue;
      const left = pools.map((pool) => ({ pool, replicas: this.#replicas(hardware, reached, pool) }));
      const worst = Math.min(...left.map(({ pool, replicas }) => replicas - pool.minSize));
      const full = left.every(({ pool, replicas }) => replicas >= pool.size);
      const pool = pools[0];
      if (quorate && worst >= 0) usable.add(name);
      say(
        `storage ${name}`,
        quorate ? Math.max(0, worst + (pool?.minSize ?? 0)) : 0,
        full ? 0 : (pool?.size ?? 0),
        pool?.minSize ?? 1,
        "replicas of some data are left",
      );
    }
    return usable;
  }

  /** Replicas that the worst-off placement group of a pool has left. */
  #replicas(hardware: Hardware, reached: ReadonlySet<string>, pool: CephPool): number {
    const rule = this.cluster.ceph?.rules.find(({ name }) => name === pool.rule);
    const domains = this.cluster.servers.flatMap((server) => {
      const disks = server.disks.filter(({ osd, class: own }) => osd && own === rule?.class);
      const up = disks.map(
        ({ name }) => reached.has(server.name) && (hardware.intact(server) || !hardware.lost(`${server.name}/${name}`)),
      );
      // Across hosts one lost disk costs a placement group one replica, as a lost host does; across disks each counts.
      return rule?.failureDomain === "osd" ? up : up.length > 0 ? [up.every(Boolean)] : [];
    });
    const placed = Math.min(pool.size, domains.length);
    return Math.max(0, placed - domains.filter((up) => !up).length);
  }

  #compute(hardware: Hardware, usable: ReadonlySet<string>, storage: ReadonlySet<string>) {
    const running = new Set<string>();
    const moved: string[] = [];
    const stopped: { instance: string; reason: string }[] = [];
    const room = new Room(
      this.cluster,
      this.cluster.servers.filter(({ name }) => usable.has(name)),
    );
    const homeless: Instance[] = [];
    for (const instance of this.#instances) {
      const home = this.#places.get(instance.ref) ?? "";
      const server = this.#byName.get(home);
      if (hardware.lost(instance.ref)) stopped.push({ instance: instance.ref, reason: "it failed" });
      else if (instance.pool !== undefined && !storage.has(instance.pool))
        stopped.push({ instance: instance.ref, reason: `its storage ${instance.pool} is down` });
      // Without a quorum nothing can be changed, but what runs goes on.
      else if (server !== undefined && (usable.has(home) || (usable.size === 0 && hardware.server(server)))) {
        running.add(instance.ref);
        room.take(home, instance);
      } else homeless.push(instance);
    }
    let [memory, cores] = [0, 0];
    for (const instance of homeless) {
      const bound = boundBy(this.cluster, instance);
      const target = bound === undefined && usable.size > 0 ? room.place(instance) : undefined;
      if (target !== undefined) {
        running.add(instance.ref);
        moved.push(instance.ref);
        continue;
      }
      if (bound === undefined && usable.size > 0) memory += instance.memory;
      stopped.push({
        instance: instance.ref,
        reason: bound ?? (usable.size > 0 ? "no server has the memory" : "LXD has no quorum to move it"),
      });
    }
    cores = room.shortage.cores;
    return { running, moved, stopped, shortage: { memory, cores } };
  }
}

type Say = (name: string, working: number, all: number, needed: number, what: string) => void;

/** Services on several instances: those that are named, and those that share an address. */
function groupsOf(cluster: Cluster): Group[] {
  const { dns, services, monitoring } = cluster;
  const named: [string, readonly string[] | undefined][] = [
    ["name servers", dns?.nameservers?.instances],
    ["resolvers", dns?.resolvers?.instances],
    ["NAT64", services.nat64?.instances],
    ["HAProxy", services.haproxy?.instances],
    ["egress proxy", services.proxy?.instances],
    ["monitoring", monitoring?.instances],
    ...Object.entries(services.haproxy?.sites ?? {}).map(([site, { backends }]): [string, readonly string[]] => [
      `site ${site}`,
      backends,
    ]),
  ];
  const groups = named.flatMap(([name, instances]) => (instances === undefined ? [] : [{ name, instances }]));
  const covered = new Set(groups.map(({ instances }) => [...instances].sort().join()));
  const routes = new Map<string, string[]>();
  for (const { instances } of cluster.projects)
    for (const { ref, routes: own } of instances)
      for (const route of own) routes.set(route.toString(), [...(routes.get(route.toString()) ?? []), ref]);
  for (const [route, instances] of routes) {
    const key = instances.toSorted().join();
    if (instances.length < 2 || covered.has(key)) continue;
    covered.add(key);
    groups.push({ name: `anycast ${route}`, instances });
  }
  return groups;
}
