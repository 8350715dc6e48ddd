import {
  BadRequestError,
  ConflictError,
  DeadlineError,
  type LifecycleEvent,
  LxdClient,
  NotFoundError,
  OperationError,
  ServerError,
  type StreamItem,
  UnreachableError,
} from "@trivet/lxd";
import { describe, expect, test } from "vitest";
import { SimulatedCluster, referenceScene, scaledScene } from "../../src/sim/index.ts";

const GIT = { project: "web", name: "git" } as const;

describe("reading", () => {
  test("each server answers as itself, from the same state", async () => {
    await using cluster = await SimulatedCluster.start();
    for (const server of cluster.scene.servers) {
      await using client = new LxdClient({ socketPath: cluster.socket(server) });
      expect((await client.server()).environment?.server_name).toBe(server);
      expect((await client.members.list()).map(({ server_name, status }) => [server_name, status])).toEqual([
        ["langara", "Online"],
        ["abydos", "Online"],
        ["orilla", "Online"],
      ]);
      expect(await client.instances.list({ allProjects: true })).toHaveLength(63);
    }
  });

  test("networks of all projects, each with its project", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("abydos") });
    const networks = await client.networks.list({ allProjects: true });
    const ovn = networks.filter(({ type }) => type === "ovn");
    expect(ovn.map(({ name, project }) => `${project}/${name}`)).toEqual(
      referenceScene().networks.map(({ name, project }) => `${project}/${name}`),
    );
    expect((await client.networks.state("mail", { project: "mail" })).ovn?.chassis).toBe("orilla");
    const forwards = await client.networks.forwards("web-front").list({ project: "web" });
    expect(forwards.map(({ listen_address }) => listen_address)).toEqual(["203.0.113.24"]);
    expect((await client.networks.get("INFRA-UPLINK", { target: "orilla" })).config["parent"]).toBe("br-uplink");
    expect((await client.networks.get("INFRA-UPLINK")).config["parent"]).toBeUndefined();
  });

  test("an instance: its NIC's routes, and its addresses while it runs", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("abydos") });
    const git = await client.instances.get(GIT.name, { project: GIT.project });
    expect(git.expanded_devices["eth0"]).toMatchObject({
      "ipv4.routes.external": "203.0.113.5/32",
      "ipv6.routes.external": "2001:db8:0:f::5/128",
      network: "web-back",
    });
    const state = await client.instances.state(GIT.name, { project: GIT.project });
    const [address] = state.network?.["eth0"]?.addresses ?? [];
    expect(address?.address).toMatch(/^2001:db8:0:1005:216:3eff:fe/);
    const leases = await client.networks.leases("web-back", { project: "web" });
    expect(leases.some((lease) => lease.hostname === GIT.name && lease.address === address?.address)).toBe(true);
  });

  test("load balancers appear with the extension", async () => {
    await using cluster = await SimulatedCluster.start();
    await using before = new LxdClient({ socketPath: cluster.socket("langara") });
    const front = { project: "web", name: "web-front" };
    expect(await before.networks.loadBalancers(front.name).list(front)).toEqual([]);
    const backends = [{ name: "a", targetAddress: "10.100.4.10" }];
    cluster.setLoadBalancers(front, [{ listenAddress: "203.0.113.25", backends }]);
    await using after = new LxdClient({ socketPath: cluster.socket("langara") });
    const [balancer] = await after.networks.loadBalancers(front.name).list(front);
    expect(balancer).toMatchObject({ listen_address: "203.0.113.25", backends: [{ target_address: "10.100.4.10" }] });
  });

  test("5,000 instances", async () => {
    await using cluster = await SimulatedCluster.start({ scene: scaledScene(5_000) });
    await using client = new LxdClient({ socketPath: cluster.socket("orilla") });
    const instances = await client.instances.list({ allProjects: true });
    expect(new Set(instances.map(({ project, name }) => `${project}/${name}`)).size).toBe(5_000);
  });
});

describe("changing", () => {
  test("stop, move, start through the client; each refused when it makes no sense", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("langara") });
    const here = { project: GIT.project };
    const move = async (target: string) =>
      await (
        await client.post(`/1.0/instances/${GIT.name}`, { name: GIT.name, migration: true }, { ...here, target })
      ).wait();
    await expect(move("orilla")).rejects.toThrow(/CRIU isn't installed/);
    await client.instances.setState(GIT.name, { action: "stop", force: true }, here);
    await expect(client.instances.setState(GIT.name, { action: "stop" }, here)).rejects.toThrow(OperationError);
    await move("orilla");
    await client.instances.setState(GIT.name, { action: "start" }, here);
    expect(await client.instances.get(GIT.name, here)).toMatchObject({ location: "orilla", status: "Running" });
  });

  test("a profile is renamed by one only: what a lease stands on", async () => {
    await using cluster = await SimulatedCluster.start();
    await using one = new LxdClient({ socketPath: cluster.socket("langara") });
    await using other = new LxdClient({ socketPath: cluster.socket("abydos") });
    await one.profiles.create({ name: "lease-1", config: { "user.holder": "langara" } });
    const outcomes = await Promise.allSettled([
      one.profiles.rename("lease-1", "lease-2"),
      other.profiles.rename("lease-1", "lease-2"),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect((await one.profiles.list()).map(({ name }) => name)).toContain("lease-2");
  });

  test("keys merge, the empty value removes, a stale ETag is refused", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("langara") });
    await client.configure({ "user.a": "1" });
    const before = await client.projects.read("web");
    await client.projects.update("web", { config: { "user.b": "2" } });
    await client.configure({ "user.a": "" });
    expect((await client.server()).config?.["user.a"]).toBeUndefined();
    const stale = { etag: before.etag ?? "" };
    await expect(client.projects.update("web", { description: "x" }, stale)).rejects.toThrow(ConflictError);
    expect((await client.projects.get("web")).config).toMatchObject({ "features.networks": "true", "user.b": "2" });
  });

  test("evacuate moves what may move and stops the rest; restore brings everything back", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("langara") });
    const on = async (server: string) =>
      (await client.instances.list({ allProjects: true })).filter(({ location }) => location === server);
    const before = await on("abydos");
    await client.members.evacuate("abydos");
    expect((await client.members.get("abydos")).status).toBe("Evacuated");
    const left = await on("abydos");
    expect(left.map(({ name, status }) => [name, status])).toEqual([
      ["frr02", "Stopped"],
      ["ns1-02", "Stopped"],
      ["resolver02", "Stopped"],
    ]);
    await expect(client.members.evacuate("abydos")).rejects.toThrow(/already evacuated/);
    await client.members.restore("abydos");
    const names = (list: readonly { name: string; status: string }[]): string[] =>
      list.map(({ name, status }) => `${name} ${status}`).toSorted();
    expect(names(await on("abydos"))).toEqual(names(before));
  });

  test("what does not exist, and what is no action", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("langara") });
    await expect(client.instances.get("nobody")).rejects.toThrow(NotFoundError);
    await expect(client.put("/1.0/instances/git/state?project=web", { action: "dance" })).rejects.toThrow(
      BadRequestError,
    );
  });
});

describe("events", () => {
  test("every server tells of all servers, with where it happened", async () => {
    await using cluster = await SimulatedCluster.start();
    await using watch = await Watch.start(cluster, "orilla");
    await cluster.moveInstance(GIT, "langara");
    const seen = await watch.until("instance-started");
    expect(seen.map(({ metadata, location }) => [metadata.action, location])).toEqual([
      ["instance-stopped", "abydos"],
      ["instance-created", "langara"],
      ["instance-deleted", "abydos"],
      ["instance-renamed", "langara"],
      ["instance-started", "langara"],
    ]);
    expect(seen.every(({ project }) => project === "web")).toBe(true);
  });

  test("a broken stream comes back", async () => {
    await using cluster = await SimulatedCluster.start();
    await using watch = await Watch.start(cluster, "orilla");
    cluster.dropEventStreams("orilla");
    await watch.next("resync");
    await cluster.stopInstance(GIT, { clean: true });
    expect(await watch.until("instance-shutdown")).toHaveLength(1);
  });

  test("lost events are lost; others are not", async () => {
    await using cluster = await SimulatedCluster.start();
    await using watch = await Watch.start(cluster, "orilla");
    cluster.faults.set("orilla", { loseEvents: true });
    await cluster.stopInstance(GIT);
    cluster.faults.clear("orilla");
    await cluster.startInstance(GIT);
    expect((await watch.until("instance-started")).map(({ metadata }) => metadata.action)).toEqual([
      "instance-started",
    ]);
  });
});

describe("faults", () => {
  test("a hanging daemon meets the deadline; when it ends, events come late", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("abydos") }, { timeout: 50 });
    await using watch = await Watch.start(cluster, "abydos");
    cluster.faults.set("abydos", { hang: true });
    const abandoned = new Promise((resolve) => cluster.once("abandoned", resolve));
    await expect(client.server()).rejects.toThrow(DeadlineError);
    expect(await abandoned).toMatchObject({ server: "abydos", method: "GET", url: "/1.0" });
    await cluster.stopInstance(GIT);
    expect(watch.seen).toEqual([]);
    cluster.faults.clear("abydos");
    await watch.until("instance-stopped");
    expect((await client.server({ timeout: 5_000 })).environment?.server_name).toBe("abydos");
  });

  test("only some calls fail", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("abydos") });
    cluster.faults.set("abydos", { status: 500, only: (_, path) => path.startsWith("/1.0/instances") });
    await expect(client.instances.list()).rejects.toThrow(ServerError);
    expect(await client.projects.list()).toHaveLength(9);
  });

  test("slow", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("abydos") });
    cluster.faults.set("abydos", { delay: 80 });
    const began = performance.now();
    await client.server();
    expect(performance.now() - began).toBeGreaterThan(75);
  });

  test("a daemon that is stopped, and started again", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("abydos") });
    await using other = new LxdClient({ socketPath: cluster.socket("langara") });
    await cluster.stopDaemon("abydos");
    await expect(client.server()).rejects.toThrow(UnreachableError);
    expect((await other.members.get("abydos")).status).toBe("Offline");
    const there = await other.instances.list({ allProjects: true });
    expect(there.find(({ name }) => name === "ns1-02")).toMatchObject({ status: "Error", expanded_devices: {} });
    await cluster.startDaemon("abydos");
    expect((await client.members.get("abydos")).status).toBe("Online");
    expect(await client.instances.get("ns1-02", { project: "dns" })).toMatchObject({ status: "Running" });
  });

  test("a dead server's instances start when it is back", async () => {
    await using cluster = await SimulatedCluster.start();
    await cluster.killServer("abydos");
    expect(cluster.instance(GIT).running).toBe(false);
    await using watch = await Watch.start(cluster, "langara");
    await cluster.reviveServer("abydos");
    expect(cluster.instance(GIT).running).toBe(true);
    await watch.until("instance-started");
    expect(cluster.instance({ project: "playground", name: "try04" }).running).toBe(false);
  });

  test("no quorum: nobody answers, until there is one again", async () => {
    await using cluster = await SimulatedCluster.start();
    await using client = new LxdClient({ socketPath: cluster.socket("langara") }, { timeout: 50 });
    await cluster.stopDaemon("abydos");
    expect(await client.projects.list({ timeout: 5_000 })).toHaveLength(9);
    await cluster.stopDaemon("orilla");
    await expect(client.projects.list()).rejects.toThrow(DeadlineError);
    const waiting = client.projects.list({ timeout: 5_000 });
    await cluster.startDaemon("orilla");
    expect(await waiting).toHaveLength(9);
  });
});

/** A client that follows a server's events. */
class Watch implements AsyncDisposable {
  readonly seen: LifecycleEvent[] = [];
  readonly #client: LxdClient;
  readonly #stream: AsyncGenerator<StreamItem, void, void>;

  private constructor(client: LxdClient) {
    this.#client = client;
    this.#stream = client.events({
      types: ["lifecycle"],
      allProjects: true,
      backoff: { first: 1, last: 10 },
    });
  }

  static async start(cluster: SimulatedCluster, server: string): Promise<Watch> {
    const watch = new Watch(new LxdClient({ socketPath: cluster.socket(server) }));
    await watch.next("resync");
    return watch;
  }

  /** Reads up to a lifecycle event with this action. */
  async until(action: string): Promise<readonly LifecycleEvent[]> {
    while (this.seen.at(-1)?.metadata.action !== action) await this.next("lifecycle");
    return this.seen;
  }

  async next(type: StreamItem["type"]): Promise<void> {
    for (;;) {
      const { value } = await this.#stream.next();
      if (value === undefined) throw new Error("the event stream ended");
      if (value.type === "lifecycle") this.seen.push(value);
      if (value.type === type) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream.return();
    await this.#client[Symbol.asyncDispose]();
  }
}
