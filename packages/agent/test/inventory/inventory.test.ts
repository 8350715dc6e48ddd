import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SimulatedCluster, scaledScene } from "@trivet/lab";
import { LxdClient } from "@trivet/lxd";
import { eventually } from "@trivet/testing";
import { Inventory, type InventoryOptions } from "../../src/inventory/inventory.ts";
import type { Snapshot } from "../../src/inventory/snapshot.ts";

const SERVER = "langara";
const GIT = { project: "web", name: "git" };

let cluster: SimulatedCluster;
const cleanup: (() => Promise<void>)[] = [];

beforeEach(async () => {
  cluster = await SimulatedCluster.start();
});

afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
  await cluster.stop();
});

async function follow(options: InventoryOptions = {}) {
  const lxd = new LxdClient({ socketPath: cluster.socket(SERVER) });
  const inventory = new Inventory(lxd, options);
  cleanup.push(async () => {
    await inventory.stop();
    await lxd.close();
  });
  inventory.start();
  await once(inventory, "snapshot");
  const snapshot = await eventually("addresses are learnt", () =>
    inventory.snapshot?.learning === false ? inventory.snapshot : undefined,
  );
  return { inventory, snapshot };
}

/** The next Snapshot for which `when` holds. */
async function snapshotWhere(inventory: Inventory, when: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
  for (;;) {
    const [snapshot] = (await once(inventory, "snapshot")) as [Snapshot];
    if (when(snapshot)) return snapshot;
  }
}

function requests(): string[] {
  const seen: string[] = [];
  cluster.on("request", ({ method, url }) => seen.push(`${method} ${url}`));
  return seen;
}

describe("the first Snapshot", () => {
  test("holds the whole cluster", async () => {
    const { snapshot } = await follow();
    expect(snapshot).toMatchObject({ server: SERVER, clustered: true });
    expect(snapshot.members.map(({ server_name }) => server_name).sort()).toEqual(["abydos", "langara", "orilla"]);
    expect([...snapshot.projects.keys()]).toHaveLength(9);
    expect(snapshot.instances.size).toBe(63);
    const front = snapshot.networks.get("web/web-front");
    expect(front).toMatchObject({ type: "ovn", chassis: "langara" });
    expect(front?.config["volatile.network.ipv4.address"]).toMatch(/^198\.51\.100\./);
    expect(front?.forwards.map(({ listen_address }) => listen_address)).toEqual(["203.0.113.24"]);
    expect(snapshot.networks.get("default/INFRA-UPLINK")?.config["ipv4.routes"]).toBe("203.0.113.0/27");
  });

  test("asks for four networks at a time: LXD starts programs of OVN's for each", async () => {
    const isState = (url: string): boolean => /\/networks\/[^/]+\/state/.test(url);
    cluster.faults.set(SERVER, { hang: true, only: (_, path) => isState(path) });
    const seen = requests();
    const following = follow();
    const states = (): string[] => seen.filter(isState);
    await eventually("some are asked for", () => states().length >= 4);
    // Each of the four has its other questions answered; a fifth network has none asked.
    await eventually("the others are answered", () => seen.filter((url) => url.includes("/forwards")).length >= 4);
    expect(states()).toHaveLength(4);
    cluster.faults.clear(SERVER);
    const { snapshot } = await following;
    const ovn = [...snapshot.networks.values()].filter(({ type }) => type === "ovn");
    expect(new Set(states()).size).toBe(ovn.length);
    expect(ovn.every(({ chassis }) => chassis !== undefined)).toBe(true);
  });

  test("waits for a daemon that is not there yet", async () => {
    await cluster.stopDaemon(SERVER);
    const following = follow();
    await cluster.startDaemon(SERVER);
    expect((await following).snapshot.instances.size).toBe(63);
  });
});

describe("events", () => {
  test("one changed instance costs one GET", async () => {
    const { inventory } = await follow();
    await eventually("quiet", () => inventory.health.connected && inventory.snapshot?.instances.size === 63);
    const seen = requests();
    const next = snapshotWhere(inventory, ({ instances }) => instances.get("web/git")?.config["user.x"] === "1");
    await cluster.configureInstance(GIT, { config: { "user.x": "1" } });
    await next;
    expect(seen).toEqual(["GET /1.0/instances/git?project=web"]);
  });

  test("start, stop, move, make and delete show", async () => {
    const { inventory } = await follow();
    const status = (wanted: string) =>
      snapshotWhere(inventory, ({ instances }) => instances.get("web/git")?.status === wanted);
    let next = status("Stopped");
    await cluster.stopInstance(GIT);
    await next;
    next = status("Running");
    await cluster.startInstance(GIT);
    await next;
    next = snapshotWhere(inventory, ({ instances }) => {
      const git = instances.get("web/git");
      return git?.location === "orilla" && git.status === "Running";
    });
    await cluster.moveInstance(GIT, "orilla");
    await next;
    next = snapshotWhere(inventory, ({ instances }) => instances.get("web/new")?.status === "Running");
    await cluster.createInstance({
      project: "web",
      name: "new",
      type: "container",
      server: SERVER,
      running: true,
      routes: [],
    });
    await next;
    next = snapshotWhere(inventory, ({ instances }) => !instances.has("web/new"));
    await cluster.deleteInstance({ project: "web", name: "new" });
    await next;
  });

  test("a changed network is read with its forwards, the others are not", async () => {
    const { inventory, snapshot } = await follow();
    const seen = requests();
    const next = snapshotWhere(inventory, ({ networks }) => networks.get("web/web-front")?.config["user.x"] === "1");
    cluster.configureNetwork({ project: "web", name: "web-front" }, { config: { "user.x": "1" } });
    const changed = await next;
    expect(changed.networks.get("mail/mail")).toBe(snapshot.networks.get("mail/mail"));
    expect(seen.every((request) => request.includes("/1.0/networks/web-front"))).toBe(true);
  });

  test("a burst on one instance is coalesced", async () => {
    const { inventory } = await follow();
    cluster.faults.set(SERVER, { delay: 30, only: (_, path) => path.includes("/instances/git") });
    const seen = requests();
    const next = snapshotWhere(inventory, ({ instances }) => instances.get("web/git")?.config["user.x"] === "50");
    for (let i = 1; i <= 50; i++) await cluster.configureInstance(GIT, { config: { "user.x": String(i) } });
    await next;
    expect(seen.length).toBeLessThanOrEqual(10);
  });

  test("in a burst, what is made of Snapshots takes a quarter of the time at most", async () => {
    await cluster.stop();
    cluster = await SimulatedCluster.start({ scene: scaledScene(300) });
    const { inventory, snapshot } = await follow();
    let busy = 0;
    inventory.on("snapshot", () => {
      const began = performance.now();
      while (performance.now() < began + 10);
      busy += performance.now() - began;
    });
    const loads = [...snapshot.instances.values()].filter(({ name }) => name.startsWith("load"));
    const next = snapshotWhere(inventory, ({ instances }) =>
      loads.every(({ project, name }) => instances.get(`${project}/${name}`)?.config["user.x"] === "1"),
    );
    const began = performance.now();
    await Promise.all(loads.map((load) => cluster.configureInstance(load, { config: { "user.x": "1" } })));
    await next;
    const first = 15;
    expect(busy - first).toBeLessThan((performance.now() - began) * 0.35);
  });

  test("lost ones are made up for by the resync", async () => {
    const { inventory } = await follow({ resync: 200 });
    cluster.faults.set(SERVER, { loseEvents: true });
    const next = snapshotWhere(inventory, ({ instances }) => instances.get("web/git")?.status === "Stopped");
    await cluster.stopInstance(GIT);
    await next;
  });

  test("missed while the stream was broken: everything is read again after the reconnect", async () => {
    const { inventory } = await follow();
    cluster.faults.set(SERVER, { loseEvents: true });
    await cluster.stopInstance(GIT);
    const next = snapshotWhere(inventory, ({ instances }) => instances.get("web/git")?.status === "Stopped");
    cluster.faults.clear(SERVER);
    cluster.dropEventStreams(SERVER);
    await next;
  });
});

describe("LXD in trouble", () => {
  test.each([
    ["stopped", async () => await cluster.stopDaemon(SERVER), async () => await cluster.startDaemon(SERVER)],
    [
      "answering 500",
      async () => cluster.faults.set(SERVER, { status: 500 }),
      async () => cluster.faults.clear(SERVER),
    ],
    [
      "hanging (no quorum)",
      async () => cluster.faults.set(SERVER, { hang: true }),
      async () => cluster.faults.clear(SERVER),
    ],
  ])("%s: the last Snapshot stands, its age shows, and it recovers", async (_, breakIt, mendIt) => {
    const { inventory } = await follow({ resync: 100, timeout: 300 });
    const before = inventory.snapshot;
    let count = 0;
    inventory.on("snapshot", () => count++);
    await breakIt();
    await eventually("the failure is seen", () => inventory.health.error);
    await eventually("the part's age shows", () => inventory.snapshot?.parts.instances.error);
    expect(count).toBe(0);
    expect(inventory.snapshot?.instances).toBe(before?.instances);
    expect(inventory.snapshot?.networks).toBe(before?.networks);
    await mendIt();
    await eventually("well again", () => inventory.health.connected && inventory.health.error === undefined);
    expect(inventory.health.since).toBeUndefined();
    expect(inventory.snapshot?.instances).toBe(before?.instances);
  });

  test("one part failing keeps that part; the others go on", async () => {
    const { inventory } = await follow({ resync: 100 });
    const before = inventory.snapshot?.networks;
    cluster.faults.set(SERVER, { status: 500, only: (_, path) => path.startsWith("/1.0/networks") });
    await eventually("networks fail", () => inventory.snapshot?.parts.networks.error);
    const next = snapshotWhere(inventory, ({ instances }) => instances.get("web/git")?.status === "Stopped");
    await cluster.stopInstance(GIT);
    const snapshot = await next;
    expect(snapshot.networks).toBe(before);
    expect(snapshot.parts.instances.error).toBeUndefined();
  });

  test("OVN that cannot be asked for the gateway leaves the last known", async () => {
    const { inventory } = await follow({ resync: 100 });
    cluster.faults.set(SERVER, { status: 500, only: (_, path) => path.includes("/state") });
    const since = Date.now();
    await eventually("read again", () => (inventory.snapshot?.parts.networks.readAt ?? 0) > since);
    expect(inventory.snapshot?.networks.get("web/web-front")?.chassis).toBe("langara");
    expect(inventory.snapshot?.parts.networks.error).toBeUndefined();
  });

  test("a single read that fails is tried again by itself", async () => {
    const { inventory } = await follow({ resync: 3_600_000 });
    let failures = 0;
    cluster.faults.set(SERVER, { status: 500, only: (_, path) => path.includes("/instances/git") && failures++ < 1 });
    const next = snapshotWhere(inventory, ({ instances }) => instances.get("web/git")?.status === "Stopped");
    await cluster.stopInstance(GIT);
    await next;
    expect(failures).toBeGreaterThan(1);
    await eventually("no error left", () => inventory.snapshot?.parts.instances.error === undefined);
  });
});
