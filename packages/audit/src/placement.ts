import type { Cluster, Instance, Server } from "@trivet/spec";

/** Memory that a server needs for itself: the system, and for each OSD what Ceph gives it by default. */
const SYSTEM = 2 * 2 ** 30;
const OSD = 4 * 2 ** 30;

/** Bytes that instances may use. */
export function usableMemory(server: Server, ceph: boolean): number {
  const osds = ceph ? server.disks.filter(({ osd }) => osd).length : 0;
  return Math.max(0, server.memory - SYSTEM - osds * OSD);
}

/** Why an instance cannot be started on another server; `undefined` when it can. */
export function boundBy(cluster: Cluster, instance: Instance): string | undefined {
  const driver = cluster.storage.find(({ name }) => name === instance.pool)?.driver;
  if (instance.devices.length > 0) return `it needs ${instance.devices.join(", ")} of its server`;
  if (driver !== undefined && driver !== "ceph" && driver !== "cephfs")
    return `its disk is in the local pool ${instance.pool}`;
  if (instance.on !== undefined) return `it belongs to ${instance.on}`;
  return undefined;
}

/** What each server has room for, as instances are placed on it. */
export class Room {
  readonly #free = new Map<string, { memory: number; cores: number }>();

  constructor(cluster: Cluster, servers: readonly Server[]) {
    for (const server of servers)
      this.#free.set(server.name, { memory: usableMemory(server, cluster.ceph !== undefined), cores: server.cores });
  }

  take(server: string, instance: Instance): void {
    const free = this.#free.get(server);
    if (free === undefined) return;
    free.memory -= instance.memory;
    free.cores -= instance.cores;
  }

  /** The server with the most memory left, if the instance fits there. */
  place(instance: Instance): string | undefined {
    let best: string | undefined;
    let most = -Infinity;
    for (const [name, { memory }] of this.#free) if (memory > most) [best, most] = [name, memory];
    if (best === undefined || most < instance.memory) return undefined;
    this.take(best, instance);
    return best;
  }

  /** Memory and cores missing, over all servers. */
  get shortage(): { memory: number; cores: number } {
    let [memory, cores] = [0, 0];
    for (const free of this.#free.values()) {
      memory += Math.max(0, -free.memory);
      cores += Math.max(0, -free.cores);
    }
    return { memory, cores };
  }
}

/** Where each instance is when all is well: where it belongs, the others largest first where most is free. */
export function usualPlaces(cluster: Cluster): Map<string, string> {
  const room = new Room(cluster, cluster.servers);
  const places = new Map<string, string>();
  const all = cluster.projects.flatMap(({ instances }) => instances);
  for (const instance of all) {
    if (instance.on === undefined) continue;
    room.take(instance.on, instance);
    places.set(instance.ref, instance.on);
  }
  for (const instance of largestFirst(all))
    if (!places.has(instance.ref)) places.set(instance.ref, room.place(instance) ?? cluster.servers[0]?.name ?? "");
  return places;
}

export function largestFirst(instances: readonly Instance[]): Instance[] {
  return instances.toSorted((a, b) => b.memory - a.memory || (a.ref < b.ref ? -1 : 1));
}
