import { type RouteAttributes, WELL_KNOWN_COMMUNITIES } from "@trivet/bgp";
import type { Candidate } from "../announce/candidate.ts";
import type { Condition, Ruling } from "../announce/condition.ts";
import { isServerDrained } from "../drain/orders.ts";
import { type Snapshot, networkFor } from "../inventory/snapshot.ts";

/** What was seen of one path to a server. `unknown`: never up, or taken down on purpose: it says nothing of the server. */
type PathState = "unknown" | "up" | "lost";

/** Routers take such a route only when there is no other: by RFC 8326 where they know it, by the MED where they do not. */
const LAST_RESORT = {
  communities: [WELL_KNOWN_COMMUNITIES["graceful-shutdown"]],
  localPref: 0,
  med: 4_294_967_295,
};
/** Worse than a route whose gateway is on its own server. */
const DETOUR = { med: 100 };

/** Milliseconds that a lost path must be seen again before it counts: one that comes and goes does not move routes each time. */
const STEADY = 5_000;
/** Milliseconds between two readings of where the gateways are, and how long they go on. */
const LOST = { every: 1_000, for: 120_000 };
const BACK = { every: 3_000, for: 30_000 };

export interface GatewayWorld {
  /** A route through a gateway on another server is worse than one through this server's own. */
  readonly preferLocal: () => boolean;
  /** Told when the condition's answers are others. */
  readonly changed: () => void;
  /** Asks LXD anew where the gateways are. */
  readonly reread: () => void;
}

/**
 * Packets to an instance pass the active gateway of its OVN network, which may be on another server than the instance and its
 * announcer. When that server dies, OVN moves the gateway, in seconds; until LXD tells where to, such routes are the routers' last
 * resort, so that an anycast address is served by other servers in the meantime. They are not withdrawn: a wrong suspicion, or a late
 * answer from LXD, must take nothing from where there is no other way. The same holds while that server is drained: before it is stopped,
 * traffic leaves its gateways, too.
 *
 * Its condition is the say it has in what is announced.
 */
export class GatewayWatch {
  readonly #world: GatewayWorld;
  readonly #paths = new Map<string, Map<string, PathState>>();
  #dead: ReadonlySet<string> = new Set();
  #drained: ReadonlySet<string> = new Set();
  #snapshot: Snapshot | undefined;
  /** Lost paths that are seen again, until they are trusted. */
  readonly #returning = new Map<string, NodeJS.Timeout>();
  #timer: NodeJS.Timeout | undefined;
  #until = 0;

  constructor(world: GatewayWorld) {
    this.#world = world;
  }

  readonly condition: Condition = ({ source }) => {
    const local = this.#world.preferLocal();
    if (this.#dead.size === 0 && this.#drained.size === 0 && !local) return undefined;
    const chassis = this.#chassisOf(source);
    if (chassis === undefined || chassis === this.#snapshot?.server) return undefined;
    const heldBack = (attributes: RouteAttributes, what: string): Ruling => ({
      attributes,
      why: `its gateway is on ${chassis}, ${what}`,
    });
    if (this.#dead.has(chassis)) return heldBack(LAST_RESORT, "which is lost");
    if (this.#drained.has(chassis)) return heldBack(LAST_RESORT, "which is drained");
    return local ? heldBack(DETOUR, "not here") : undefined;
  };

  /** Servers that all watched paths were lost to. */
  get dead(): ReadonlySet<string> {
    return this.#dead;
  }

  /** The networks whose active gateway is on a server, PROJECT/NETWORK. */
  gatewaysOn(server: string): string[] {
    const networks = [...(this.#snapshot?.networks.values() ?? [])];
    return networks
      .filter(({ chassis }) => this.#serverOf(chassis) === server)
      .map(({ project, name }) => `${project}/${name}`)
      .toSorted();
  }

  take(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    const servers = snapshot.members.map(({ server_name }) => server_name);
    this.#drained = new Set(servers.filter((server) => isServerDrained(snapshot.notes, server)));
  }

  /** These paths are watched from now on: what was seen of others counts no more. */
  watch(paths: readonly { readonly server: string; readonly name: string }[]): void {
    const wanted = new Map<string, Map<string, PathState>>();
    for (const { server, name } of paths) {
      const known = wanted.get(server) ?? new Map<string, PathState>();
      wanted.set(server, known.set(name, this.#paths.get(server)?.get(name) ?? "unknown"));
    }
    this.#paths.clear();
    for (const [server, states] of wanted) this.#paths.set(server, states);
    this.#judge();
  }

  /** @param state `unknown`: its other end takes it down on purpose, so that server lives, and says no more on any way */
  saw(server: string, path: string, state: PathState): void {
    const paths = this.#paths.get(server);
    if (paths?.has(path) !== true) return;
    clearTimeout(this.#returning.get(path));
    this.#returning.delete(path);
    if (state === "unknown") for (const [way, seen] of paths) if (seen === "lost") paths.set(way, "unknown");
    if (state === "up" && paths.get(path) === "lost") {
      this.#returning.set(
        path,
        setTimeout(() => this.#set(server, path, "up"), STEADY),
      );
    } else this.#set(server, path, state);
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const timer of this.#returning.values()) clearTimeout(timer);
    // What is seen from now on, as the sessions end, is of no way that is watched.
    this.#paths.clear();
  }

  #set(server: string, path: string, state: PathState): void {
    const paths = this.#paths.get(server);
    if (paths?.has(path) !== true) return;
    paths.set(path, state);
    this.#judge();
  }

  #judge(): void {
    const dead = new Set<string>();
    for (const [server, paths] of this.#paths) {
      const states = [...paths.values()].filter((state) => state !== "unknown");
      // A server that one path still leads to lives, whatever became of the others.
      if (states.length > 0 && states.every((state) => state === "lost")) dead.add(server);
    }
    const before = this.#dead;
    if (dead.size === before.size && [...dead].every((server) => before.has(server))) return;
    this.#dead = dead;
    this.#world.changed();
    this.#follow();
  }

  /**
   * Gateways move after a server was lost, and back when it returns; LXD tells only who asks. Not at once: OVN takes a second, and what LXD
   * has to start to find out is not what a server should be busy with in that moment.
   */
  #follow(): void {
    clearTimeout(this.#timer);
    const pace = this.#dead.size > 0 ? LOST : BACK;
    this.#until = performance.now() + pace.for;
    const look = (): void => {
      this.#world.reread();
      if (performance.now() >= this.#until || (this.#dead.size > 0 && !this.#leadsToDead())) return;
      this.#timer = setTimeout(look, pace.every);
    };
    this.#timer = setTimeout(look, pace.every);
  }

  #leadsToDead(): boolean {
    return [...(this.#snapshot?.networks.values() ?? [])].some(({ chassis }) => {
      const server = this.#serverOf(chassis);
      return server !== undefined && this.#dead.has(server);
    });
  }

  #chassisOf({ project, network }: Candidate["source"]): string | undefined {
    return this.#snapshot && this.#serverOf(networkFor(this.#snapshot, project, network)?.chassis);
  }

  /** OVN calls a server by its host name, which may have a domain. */
  #serverOf(chassis: string | undefined): string | undefined {
    if (chassis === undefined) return undefined;
    const names = this.#snapshot?.members.map(({ server_name }) => server_name) ?? [];
    return names.includes(chassis) ? chassis : names.find((name) => name === chassis.split(".")[0]);
  }
}
