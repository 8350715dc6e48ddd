import type { InstanceRef, Scene, SceneInstance } from "../sim/index.ts";

/** Next hop by prefix. */
export type RouteTable = ReadonlyMap<string, string>;

/**
 * What each server should announce, worked out from the scene alone: its networks' subnets and forwards from every server, and what is
 * routed to an instance from the server where it runs.
 */
export class Expectation {
  readonly #scene: Scene;
  readonly #instances: Map<string, SceneInstance>;
  readonly #dead = new Set<string>();

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#instances = new Map(scene.instances.map((instance) => [`${instance.project}/${instance.name}`, instance]));
  }

  instance({ project, name }: InstanceRef): SceneInstance {
    return this.#instances.get(`${project}/${name}`) as SceneInstance;
  }

  /** An instance starts, stops or is elsewhere. */
  change(ref: InstanceRef, change: Partial<Pick<SceneInstance, "server" | "running">>): void {
    this.#instances.set(`${ref.project}/${ref.name}`, { ...this.instance(ref), ...change });
  }

  setDead(server: string, dead: boolean): void {
    if (dead) this.#dead.add(server);
    else this.#dead.delete(server);
  }

  routes(server: string): RouteTable {
    if (this.#dead.has(server)) return new Map();
    const routes = new Map<string, string>();
    for (const { gateway6, forwards, router4, router6 } of this.#scene.networks) {
      routes.set(gateway6.replace("::1/64", "::/64"), router6);
      for (const address of forwards) routes.set(`${address}/32`, router4);
    }
    for (const instance of this.#instances.values()) {
      if (instance.server !== server || !instance.running) continue;
      const network = this.#scene.networks.find(({ name }) => name === instance.network);
      if (network === undefined) continue;
      for (const prefix of instance.routes)
        routes.set(prefix, prefix.includes(":") ? network.router6 : network.router4);
    }
    return routes;
  }

  /** The servers that should announce a prefix. */
  announcers(prefix: string): string[] {
    return this.#scene.servers.filter((server) => this.routes(server).has(prefix));
  }
}

/** How a table differs from the expected one: one phrase a prefix, none when they are equal. */
export function differences(expected: RouteTable, seen: RouteTable): string[] {
  const missing = [...expected].flatMap(([prefix, nextHop]) => {
    const hop = seen.get(prefix);
    if (hop === undefined) return [`${prefix} is missing`];
    return hop === nextHop ? [] : [`${prefix} leads to ${hop} instead of ${nextHop}`];
  });
  const surplus = [...seen.keys()].filter((prefix) => !expected.has(prefix)).map((prefix) => `${prefix} is too much`);
  return [...missing, ...surplus];
}
