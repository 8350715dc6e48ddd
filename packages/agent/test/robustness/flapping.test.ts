import type { Instance } from "@trivet/lxd";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type AnnouncedRoute, type Announcement, Announcer } from "../../src/announce/announce.ts";
import { diffRoutes } from "../../src/announce/diff.ts";
import { Drains } from "../../src/drain/drains.ts";
import { serverKey } from "../../src/drain/orders.ts";
import { GatewayWatch } from "../../src/gateway/watch.ts";
import type { Network, Snapshot } from "../../src/inventory/snapshot.ts";
import { Store } from "../../src/inventory/store.ts";
import { OPEN, instance, ovn, snapshot } from "../announce/world.ts";

const SERVERS = ["server-1", "server-2", "server-3"] as const;
const PATHS = SERVERS.slice(1).flatMap((server) =>
  ["mesh", "hosts"].map((way) => ({ server, name: `${server} ${way}` })),
);
const DAY = 24 * 3600;

/** All of the agent between LXD and BGP, as the agent puts it together. */
class Chain {
  readonly store = new Store();
  readonly drains = new Drains({ wait: () => 5, changed: () => this.announce(), confirm: () => new Map() });
  readonly gateways = new GatewayWatch({
    preferLocal: () => false,
    changed: () => this.announce(),
    reread: () => undefined,
  });
  readonly #announcer = new Announcer(OPEN);
  #announcement: Announcement = { routes: new Map(), refused: [], problems: [] };
  /** What a router has that was told every difference. */
  readonly table = new Map<string, AnnouncedRoute>();

  constructor() {
    this.gateways.watch(PATHS);
  }

  commit(): void {
    const result = this.store.commit(Date.now());
    if (result?.changed !== true) return;
    this.drains.take(result.snapshot);
    this.gateways.take(result.snapshot);
    this.announce();
  }

  announce(): void {
    const { snapshot: newest } = this.store;
    if (newest === undefined) return;
    const next = this.#announcer.announce(newest, [this.drains.condition, this.gateways.condition]);
    const { announced, withdrawn } = diffRoutes(this.#announcement.routes, next.routes);
    this.#announcement = next;
    for (const route of announced) this.table.set(route.prefix.toString(), route);
    for (const { prefix } of withdrawn) this.table.delete(prefix.toString());
  }

  stop(): void {
    this.drains.stop();
    this.gateways.stop();
  }
}

/** LXD, as it is now. */
class World {
  readonly instances = new Map<string, Instance>();
  readonly networks = new Map<string, Network>();
  notes: Record<string, string> = {};

  fill({ store }: Chain): void {
    const { members, projects } = snapshot();
    const now = Date.now();
    store.setMembership({ server: "server-1", clustered: true, members, trusted: [], notes: { ...this.notes } }, now);
    store.setProjects([...projects.values()], now);
    store.setZones([], now);
    store.setNetworks([...this.networks.values()], store.ticket(), now);
    store.setInstances([...this.instances.values()], store.ticket(), now);
  }
}

const chains: Chain[] = [];
const chain = (): Chain => {
  const made = new Chain();
  chains.push(made);
  return made;
};

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  for (const one of chains.splice(0)) one.stop();
  vi.useRealTimers();
});

test("a day of flapping servers, ways, instances, gateways and drains leaves what a fresh start would have", () => {
  let state = 4271;
  const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 0x1_0000_0000;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const world = new World();
  for (let n = 0; n < 6; n++) world.networks.set(`net${n}`, ovn(`net${n}`, {}, { chassis: pick(SERVERS) }));
  for (let n = 0; n < 60; n++) {
    const nic = { network: `net${n % 6}`, "ipv4.routes.external": `203.0.113.${n % 20}/32` };
    world.instances.set(`c${n}`, instance(`c${n}`, nic, { location: pick(SERVERS) }));
  }
  const agent = chain();
  world.fill(agent);
  agent.commit();
  const states = new Map<string, "up" | "lost" | "unknown">();

  const change = (name: string, to: Partial<Instance>): void => {
    const changed = { ...(world.instances.get(name) as Instance), ...to };
    world.instances.set(name, changed);
    // Reads end in another order than they began; the newer counts.
    const [early, late] = [agent.store.ticket(), agent.store.ticket()];
    agent.store.setInstance(`default/${name}`, changed, late);
    agent.store.setInstance(`default/${name}`, { ...changed, status: "Stopped" }, early);
  };
  const order = (): string => (random() < 0.5 ? "" : new Date(Date.now() + (random() - 0.5) * 60_000).toISOString());
  const acts: readonly (() => void)[] = [
    () => change(pick([...world.instances.keys()]), { status: pick(["Running", "Stopped", "Frozen"]) }),
    () => change(pick([...world.instances.keys()]), { location: pick(SERVERS) }),
    () => change(pick([...world.instances.keys()]), { expanded_config: { "user.trivet.drain": order() } }),
    () => {
      const name = pick([...world.networks.keys()]);
      world.networks.set(name, ovn(name, {}, { chassis: pick(SERVERS) }));
      agent.store.setNetwork(`default/${name}`, world.networks.get(name), agent.store.ticket());
    },
    () => {
      const at = order();
      world.notes = { [serverKey("server-1")]: at === "" ? "" : `${pick(["*", "203.0.113.0/28"])} ${at}` };
      world.fill(agent);
    },
    () => agent.store.setError(pick(["instances", "networks", "members"]), "no answer"),
    () => world.fill(agent),
    ...[1, 2, 3].map(() => () => {
      const { server, name } = pick(PATHS);
      states.set(name, pick(["up", "lost", "unknown"]));
      agent.gateways.saw(server, name, states.get(name) ?? "unknown");
    }),
  ];

  let steps = 0;
  const seen = { withdrawn: 0, lastResort: 0 };
  for (const end = Date.now() + DAY * 1000; Date.now() < end; steps++) {
    pick(acts)();
    agent.commit();
    seen.withdrawn += Number(agent.table.size === 0);
    seen.lastResort += Number([...agent.table.values()].some(({ attributes }) => attributes?.med === 0xffff_ffff));
    vi.advanceTimersByTime(random() * 15_000);
  }
  // The last day's orders are carried out; one for the whole server would leave nothing to compare.
  world.notes = { [serverKey("server-1")]: `203.0.113.0/29 ${new Date().toISOString()}` };
  world.fill(agent);
  agent.commit();
  vi.advanceTimersByTime(60_000);
  const fresh = chain();
  for (const { server, name } of PATHS) fresh.gateways.saw(server, name, states.get(name) ?? "unknown");
  world.fill(fresh);
  fresh.commit();
  vi.advanceTimersByTime(60_000);

  expect(steps).toBeGreaterThan(10_000);
  expect(seen.withdrawn).toBeGreaterThan(100);
  expect(seen.lastResort).toBeGreaterThan(100);
  expect(plain(agent.table)).toEqual(plain(fresh.table));
  expect(plain(agent.table).length).toBeGreaterThan(0);
  const peers = { told: () => ({ sessions: 0, of: 0 }), announcing: () => [], gateways: () => [] };
  const drains = (one: Chain) =>
    one.drains.view(
      "server-1",
      new Announcer(OPEN).announce(one.store.snapshot as Snapshot, [one.drains.condition]),
      peers,
    );
  expect(new Set(drains(agent))).toEqual(new Set(drains(fresh)));
});

function plain(table: ReadonlyMap<string, AnnouncedRoute>): unknown[] {
  return [...table.values()]
    .sort((a, b) => a.prefix.compare(b.prefix))
    .map(({ prefix, nextHop, attributes, reasons }) => ({
      prefix: prefix.toString(),
      nextHop: nextHop?.toString(),
      attributes,
      instances: reasons.map(({ source }) => source.instance),
    }));
}
