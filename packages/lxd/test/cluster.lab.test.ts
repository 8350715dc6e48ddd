import { DeadlineError, LxdClient, ServerError } from "@trivet/lxd";
import { DaemonCluster, describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROGRAMS, importImage } from "./support/lab.ts";
import { Watch } from "./support/watch.ts";

describe.each(["lxd", "incus"] as const)("a real cluster of three, %s", (kind) => {
  describeLab(kind, { programs: PROGRAMS }, () => {
    let cluster: DaemonCluster;
    let clients: LxdClient[];
    let first: LxdClient;

    beforeAll(async () => {
      cluster = await DaemonCluster.create(kind, `${kind}c`);
      clients = cluster.members.map(
        ({ socketPath }, index) => new LxdClient({ socketPath }, { name: `server${index + 1}` }),
      );
      [first] = clients as [LxdClient];
    });

    afterAll(async () => {
      for (const client of clients ?? []) await client.close();
      await cluster?.[Symbol.asyncDispose]();
    });

    test("its members, as each of them sees it", async () => {
      for (const [index, client] of clients.entries()) {
        expect(await client.cluster()).toMatchObject({ enabled: true, server_name: `server${index + 1}` });
        const members = await client.members.list();
        expect(members.map(({ server_name, status }) => [server_name, status])).toEqual([
          ["server1", "Online"],
          ["server2", "Online"],
          ["server3", "Online"],
        ]);
        expect(members.filter(({ roles }) => roles.includes("database-leader"))).toHaveLength(1);
      }
    });

    test("an instance made on one member by another: its place, its events everywhere, its exec and its operations across members", async () => {
      const image = await importImage(first);
      const third = clients[2] as LxdClient;
      await using watch = await Watch.open(third);
      // Members link their event streams to each other within some seconds of joining.
      await eventually("events to cross members", async () => {
        const seen = watch.items.length;
        await first.profiles.create({ name: "ping" });
        await first.profiles.remove("ping");
        await new Promise((resolve) => setTimeout(resolve, 200));
        return watch.items.length > seen;
      });
      await first.instances.create(
        { name: "c1", source: { type: "image", fingerprint: image } },
        { target: "server2" },
      );
      await first.instances.setState("c1", { action: "start" });
      await watch.lifecycle("instance-started", "/1.0/instances/c1");
      const started = watch.items.find(
        (item) => item.type === "lifecycle" && item.metadata.action === "instance-started",
      );
      expect(started).toMatchObject({ location: "server2", project: "default" });
      expect(await third.instances.get("c1")).toMatchObject({ location: "server2", status_code: 103 });
      expect(await first.instances.exec("c1", ["echo", "from afar"])).toEqual({
        status: 0,
        stdout: "from afar\n",
        stderr: "",
      });
      await first.instances.writeFile("c1", "/tmp/note", "x");
      expect((await third.instances.readFile("c1", "/tmp/note")).toString()).toBe("x");
    });

    test("a member's own configuration, by target", async () => {
      const fromSecond = await first.server({ target: "server2" });
      expect(fromSecond.environment?.server_name).toBe("server2");
      await first.members.update("server2", { config: { "user.rack": "b" } });
      expect(await first.members.get("server2")).toMatchObject({
        server_name: "server2",
        config: { "user.rack": "b" },
      });
    });

    test("a member is evacuated and restored", async () => {
      await using watch = await Watch.open(first);
      await first.instances.update("c1", { config: { "cluster.evacuate": "stop" } });
      await first.members.evacuate("server2");
      expect(await first.members.get("server2")).toMatchObject({ status: "Evacuated" });
      expect(await first.instances.get("c1")).toMatchObject({ status: "Stopped", location: "server2" });
      await first.members.restore("server2");
      expect(await first.members.get("server2")).toMatchObject({ status: "Online" });
      expect(await first.instances.get("c1")).toMatchObject({ status: "Running" });
      await watch.lifecycle("instance-started", "/1.0/instances/c1");
    });

    test("a member restarts: the stream of its client resumes, the others' goes on", async () => {
      await using there = await Watch.open(clients[2] as LxdClient);
      await using here = await Watch.open(first);
      await cluster.members[2]?.stop();
      await there.until((item) => item.type === "down");
      await cluster.members[2]?.start();
      await there.until((item) => item.type === "resync" && item.reason === "reconnected");
      expect(here.items.filter(({ type }) => type === "down")).toEqual([]);
    });

    test("without quorum, calls end at their deadline or with the daemon's own error", async () => {
      for (const member of cluster.members.slice(1)) await member.kill();
      const error = await eventually("calls to fail", async () => {
        const start = performance.now();
        const failure = await first.profiles.list({ timeout: 2000 }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(performance.now() - start).toBeLessThan(4000);
        return failure;
      });
      expect([DeadlineError, ServerError].some((type) => error instanceof type)).toBe(true);
      expect((error as Error).message).toMatch(/^server1: GET \/1\.0\/profiles/);
      for (const member of cluster.members.slice(1)) await member.start();
      await eventually("the cluster to answer again", async () => await first.profiles.list({ timeout: 3000 }), 60_000);
    });
  });
});
