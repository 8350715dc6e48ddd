import {
  BadRequestError,
  ConflictError,
  DeadlineError,
  ForbiddenError,
  LxdClient,
  NotFoundError,
  OperationError,
  type Progress,
  UnreachableError,
  UntrustedServerError,
  addTrust,
  fetchServerCertificate,
  fingerprint,
  joinByToken,
} from "@trivet/lxd";
import { Daemon, Relay, describeLab } from "@trivet/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixture } from "./support/fake-server.ts";
import { PROGRAMS, importImage, prepare } from "./support/lab.ts";
import { Watch } from "./support/watch.ts";

const VERSION = { lxd: "5.0.2", incus: "6.0.4" } as const;

describe.each(["lxd", "incus"] as const)("real %s", (kind) => {
  describeLab(`${kind} ${VERSION[kind]}`, { programs: PROGRAMS }, () => {
    let daemon: Daemon;
    let client: LxdClient;
    let image: string;

    beforeAll(async () => {
      daemon = await Daemon.create(kind, kind);
      client = new LxdClient({ socketPath: daemon.socketPath }, { name: kind });
      await prepare(client);
      image = await importImage(client);
    });

    afterAll(async () => {
      await client?.close();
      await daemon?.[Symbol.asyncDispose]();
    });

    /** A running container, gone at the end of the test however that ends. */
    async function launch(name: string, project = "default"): Promise<AsyncDisposable> {
      await client.instances.create({ name, source: { type: "image", fingerprint: image } }, { project });
      await client.instances.setState(name, { action: "start" }, { project });
      return {
        [Symbol.asyncDispose]: async () => {
          await client.instances.setState(name, { action: "stop", force: true }, { project });
          await client.instances.remove(name, { project });
        },
      };
    }

    test("the server", async () => {
      const server = await client.server();
      expect(server).toMatchObject({ auth: "trusted", environment: { server: kind, server_version: VERSION[kind] } });
      expect(server.environment?.server_clustered).toBe(false);
      expect(await client.supports("network_acl")).toBe(true);
      expect(await client.supports("no_such_extension")).toBe(false);
      expect(await client.cluster()).toMatchObject({ enabled: false });
      expect(await client.members.list()).toEqual([]);
      expect((await client.pools.list()).map(({ name, driver }) => [name, driver])).toEqual([["default", "dir"]]);
      expect(await client.warnings.list()).toBeInstanceOf(Array);
    });

    test("configuration: distinct keys merge, an empty value removes", async () => {
      await Promise.all([client.configure({ "user.a": "1" }), client.configure({ "user.b": "2" })]);
      expect((await client.server()).config).toMatchObject({ "user.a": "1", "user.b": "2" });
      await client.configure({ "user.a": "", "user.b": "" });
      expect((await client.server()).config).not.toHaveProperty("user.a");
    });

    test("an instance's life, as its calls and its events tell it", async () => {
      await using watch = await Watch.open(client);
      const progress: Progress[] = [];
      const source = { type: "image", fingerprint: image };
      await client.instances.create({ name: "c1", source }, { onProgress: (step) => progress.push(step) });
      expect(progress.map(({ percent }) => percent)).toContain(100);
      expect(await client.instances.get("c1")).toMatchObject({
        name: "c1",
        project: "default",
        status: "Stopped",
        status_code: 102,
      });
      await client.instances.setState("c1", { action: "start" });
      await client.instances.update("c1", { config: { "user.bgp.routes": "192.0.2.1/32" } });
      const [c1] = await client.instances.list();
      expect(c1).toMatchObject({ status_code: 103, expanded_config: { "user.bgp.routes": "192.0.2.1/32" } });
      expect(c1?.expanded_devices["root"]).toMatchObject({ pool: "default" });
      const [full] = await client.instances.listFull();
      expect(full?.state).toMatchObject({ status_code: 103 });
      expect((await client.instances.state("c1")).pid).toBeGreaterThan(1);
      await client.instances.setState("c1", { action: "stop", timeout: 20 });
      await client.instances.rename("c1", "c2");
      await client.instances.remove("c2");
      await expect(client.instances.get("c2")).rejects.toBeInstanceOf(NotFoundError);
      await watch.lifecycle("instance-deleted", "/1.0/instances/c2");
      const told = watch.items.flatMap((item) => (item.type === "lifecycle" ? [item.metadata.action] : []));
      for (const action of ["created", "started", "updated", "shutdown", "renamed"])
        expect(told).toContain(`instance-${action}`);
    });

    test("commands and files in an instance", async () => {
      await using _c3 = await launch("c3");
      const { instances } = client;
      expect(await instances.exec("c3", ["sh", "-c", "cat; echo no >&2; exit 3"], { input: "hello" })).toEqual({
        status: 3,
        stdout: "hello",
        stderr: "no\n",
      });
      const env = { environment: { GREETING: "hi" }, cwd: "/tmp" };
      expect((await instances.exec("c3", ["sh", "-c", "echo $GREETING; pwd"], env)).stdout).toBe("hi\n/tmp\n");
      const big = "x".repeat(1_000_000);
      expect((await instances.exec("c3", ["cat"], { input: big })).stdout).toBe(big);
      await expect(instances.exec("c3", ["/no/such/program"])).resolves.toMatchObject({ status: 127 });
      const late = await instances.exec("c3", ["sleep", "1000"], { timeout: 500 }).catch((reason: unknown) => reason);
      expect(late).toBeInstanceOf(DeadlineError);
      expect((late as Error).message).toContain("no answer within 500 ms");
      // A child that keeps its output open: Incus ends with the command, LXD 5.0 waits for the child; no call waits for ever.
      const lingering = instances.exec("c3", ["sh", "-c", "sleep 1000 & echo out"], { timeout: 2000 });
      if (kind === "incus") expect(await lingering).toMatchObject({ status: 0, stdout: "out\n" });
      else await expect(lingering).rejects.toBeInstanceOf(DeadlineError);
      await instances.writeFile("c3", "/root/a b", "content", { mode: 0o600 });
      expect((await instances.readFile("c3", "/root/a b")).toString()).toBe("content");
      expect((await instances.exec("c3", ["stat", "-c", "%a", "/root/a b"])).stdout).toBe("600\n");
      await instances.removeFile("c3", "/root/a b");
      await expect(instances.readFile("c3", "/root/a b")).rejects.toBeInstanceOf(NotFoundError);
    });

    test("an operation that fails, and one that is too long for the caller", async () => {
      await using _c4 = await launch("c4");
      const again = client.instances.setState("c4", { action: "start" });
      await expect(again).rejects.toThrow(/already running/i);
      const begun = await client.post("/1.0/instances/c4/exec", {
        command: ["sleep", "1000"],
        "wait-for-websocket": true,
      });
      expect(await begun.state()).toMatchObject({ id: begun.id });
      expect((await client.operations()).map(({ id }) => id)).toContain(begun.id);
      await expect(begun.wait({ timeout: 1500 })).rejects.toBeInstanceOf(DeadlineError);
    });

    test("ETags: a change based on old knowledge is refused", async () => {
      await client.profiles.create({ name: "p1", config: { "user.a": "1" } });
      const { value, etag } = await client.profiles.read("p1");
      await client.profiles.update("p1", { config: { "user.a": "2" } });
      const stale = client.profiles.replace(
        "p1",
        { ...value, config: { "user.a": "3" } },
        etag === undefined ? {} : { etag },
      );
      await expect(stale).rejects.toBeInstanceOf(ConflictError);
      expect((await client.profiles.get("p1")).config).toEqual({ "user.a": "2" });
      const fresh = await client.profiles.read("p1");
      await client.profiles.replace(
        "p1",
        { config: { "user.a": "3" } },
        fresh.etag === undefined ? {} : { etag: fresh.etag },
      );
      expect((await client.profiles.get("p1")).config).toEqual({ "user.a": "3" });
      await client.profiles.remove("p1");
    });

    test("an update changes what it names and nothing else", async () => {
      const before = { name: "u1", description: "kept", config: { "user.a": "1", "user.b": "2" } };
      const root = { root: { type: "disk", pool: "default", path: "/" } };
      await client.projects.create(before);
      await client.profiles.create({ ...before, devices: root });
      await client.networks.create(before);
      await client.acls.create(before);
      await client.zones.create({ ...before, name: "u1.example" });
      await client.instances.create({ ...before, source: { type: "none" } });
      await client.instances.update("u1", { description: "kept" });
      const { projects, profiles, networks, acls, zones, instances } = client;
      for (const [collection, name] of [
        [projects, "u1"],
        [profiles, "u1"],
        [networks, "u1"],
        [acls, "u1"],
        [zones, "u1.example"],
        [instances, "u1"],
      ] as const) {
        await collection.update(name, { config: { "user.a": "3", "user.c": "4" } });
        expect(await collection.get(name)).toMatchObject({
          description: "kept",
          config: { "user.a": "3", "user.b": "2", "user.c": "4" },
        });
        await collection.update(name, { config: { "user.b": "" } });
        expect((await collection.get(name)).config).not.toHaveProperty("user.b");
        await collection.remove(name);
      }
    });

    test("renaming a profile is won by one of many", async () => {
      const rivals = Array.from({ length: 5 }, (_, index) => `rival-${index}`);
      await Promise.all(rivals.map(async (name) => await client.profiles.create({ name })));
      const results = await Promise.allSettled(rivals.map(async (name) => await client.profiles.rename(name, "lease")));
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const { name } of await client.profiles.list()) if (name !== "default") await client.profiles.remove(name);
    });

    test("projects: what is listed in one, and in all", async () => {
      const own = { "features.networks": "true", "features.profiles": "true", "features.images": "false" };
      await client.projects.create({ name: "own", config: own });
      await client.projects.create({
        name: "shared",
        config: { "features.images": "false", "features.profiles": "false" },
      });
      const root = { root: { type: "disk", path: "/", pool: "default" } };
      await client.profiles.update("default", { devices: root }, { project: "own" });
      const launched = [await launch("same"), await launch("same", "own"), await launch("other", "shared")];
      const all = await client.instances.list({ allProjects: true });
      expect(all.map(({ project, name }) => `${project}/${name}`).toSorted()).toEqual([
        "default/same",
        "own/same",
        "shared/other",
      ]);
      expect((await client.instances.list({ project: "own" })).map(({ project }) => project)).toEqual(["own"]);
      const profiles = await client.profiles.list({ allProjects: true });
      expect(profiles.map(({ project, name }) => `${project}/${name}`).toSorted()).toEqual([
        "default/default",
        "own/default",
      ]);
      await client.acls.create({ name: "web" });
      await client.acls.create({ name: "web" }, { project: "own" });
      const acls = await client.acls.list({ allProjects: true });
      expect(acls.map(({ project, name }) => `${project}/${name}`).toSorted()).toEqual(["default/web", "own/web"]);
      await client.acls.remove("web");
      await client.acls.remove("web", { project: "own" });
      for (const container of launched) await container[Symbol.asyncDispose]();
      for (const name of ["own", "shared"]) await client.projects.remove(name);
    });

    test("a bridge with its state, leases and forwards", async () => {
      const config = { "ipv4.address": "10.9.8.1/24", "ipv6.address": "2001:db8:9::1/64", "ipv4.nat": "false" };
      await client.networks.create({ name: "br9", type: "bridge", config });
      expect(await client.networks.get("br9")).toMatchObject({ type: "bridge", managed: true, config });
      await client.networks.update("br9", { description: "nine" });
      await client.networks.update("br9", { config: { "user.x": "y" } });
      expect(await client.networks.get("br9")).toMatchObject({
        description: "nine",
        config: { ...config, "user.x": "y" },
      });
      const listed = await client.networks.list({ allProjects: true });
      expect(listed.find(({ name }) => name === "br9")).toMatchObject({ project: "default" });
      const state = await client.networks.state("br9");
      expect(state.addresses?.map(({ address }) => address)).toContain("10.9.8.1");
      expect(await client.networks.leases("br9")).toContainEqual(
        expect.objectContaining({ type: "gateway", address: "10.9.8.1" }),
      );
      const forwards = client.networks.forwards("br9");
      const ports = [{ protocol: "tcp", listen_port: "80", target_address: "10.9.8.8" }];
      await forwards.create({ listen_address: "192.0.2.77", config: { target_address: "10.9.8.7" }, ports });
      await forwards.update("192.0.2.77", { description: "web" });
      expect(await forwards.list()).toEqual([
        expect.objectContaining({
          listen_address: "192.0.2.77",
          description: "web",
          config: { target_address: "10.9.8.7" },
        }),
      ]);
      await forwards.remove("192.0.2.77");
      expect(await client.networks.loadBalancers("br9").list()).toEqual([]);
      await expect(client.networks.create({ name: "br9" })).rejects.toBeInstanceOf(
        kind === "lxd" ? BadRequestError : ConflictError,
      );
      await client.networks.remove("br9");
    });

    test("an ACL with rules, a DNS zone with records", async () => {
      const rule = {
        action: "allow",
        state: "enabled",
        protocol: "tcp",
        destination_port: "443",
        source: "192.0.2.0/24",
      };
      await client.acls.create({ name: "web", ingress: [rule], config: { "user.x": "1" } });
      expect((await client.acls.get("web")).ingress).toEqual([expect.objectContaining(rule)]);
      await client.acls.update("web", { description: "HTTPS" });
      expect(await client.acls.get("web")).toMatchObject({
        description: "HTTPS",
        ingress: [expect.objectContaining(rule)],
      });
      await client.acls.remove("web");

      await client.zones.create({ name: "lab.example", config: { "dns.nameservers": "ns.lab.example" } });
      const records = client.zones.records("lab.example");
      await records.create({ name: "www", entries: [{ type: "A", value: "192.0.2.80", ttl: 60 }] });
      expect(await records.list()).toEqual([
        expect.objectContaining({ name: "www", entries: [{ type: "A", value: "192.0.2.80", ttl: 60 }] }),
      ]);
      expect((await client.zones.list({ allProjects: true })).map(({ project, name }) => `${project}/${name}`)).toEqual(
        ["default/lab.example"],
      );
      await records.remove("www");
      await client.zones.remove("lab.example");
    });

    test("errors name the server, the call and the reason", async () => {
      await expect(client.networks.get("nothing")).rejects.toThrow(
        /^(lxd|incus): GET \/1\.0\/networks\/nothing: Network not found; check the name and the project$/,
      );
      await expect(client.get("/1.0/nowhere")).rejects.toBeInstanceOf(NotFoundError);
      await expect(client.networks.create({ name: "not a name" })).rejects.toBeInstanceOf(BadRequestError);
    });

    describe("over HTTPS", () => {
      const identity = { cert: fixture("client.crt"), key: fixture("client.key") };
      let relay: Relay;
      let url: string;

      beforeAll(async () => {
        await client.configure({ "core.https_address": "127.0.0.1:8443" });
        relay = await Relay.create(daemon.namespace, 8443);
        url = `https://127.0.0.1:${relay.port}`;
      });

      afterAll(() => {
        relay?.[Symbol.dispose]();
      });

      test("a stranger sees the server and nothing else; a wrong secret does not help", async () => {
        const serverCert = await fetchServerCertificate(url);
        expect(fingerprint(serverCert)).toBe((await client.server()).environment?.certificate_fingerprint);
        const endpoint = { url, ...identity, serverCert };
        await using stranger = new LxdClient(endpoint);
        expect((await stranger.server()).auth).toBe("untrusted");
        await expect(stranger.instances.list()).rejects.toBeInstanceOf(ForbiddenError);
        await expect(addTrust(endpoint, "wrong")).rejects.toMatchObject({ fault: "input" });
        await using fooled = new LxdClient({ ...endpoint, serverCert: fixture("other.crt") });
        await expect(fooled.server()).rejects.toBeInstanceOf(UntrustedServerError);
      });

      test("a token makes a client trusted, who then does everything, events too", async () => {
        const token = await client.certificates.token("agent");
        const endpoint = await joinByToken(addressed(token, relay.port), identity, { name: "agent" });
        await using remote = new LxdClient(endpoint);
        expect((await remote.server()).auth).toBe("trusted");
        await using watch = await Watch.open(remote);
        await remote.profiles.create({ name: "far" });
        await remote.profiles.remove("far");
        await watch.lifecycle("profile-deleted", "/1.0/profiles/far");
        await using _far = await launch("far");
        expect((await remote.instances.exec("far", ["echo", "hello"])).stdout).toBe("hello\n");
        const known = (await client.certificates.list()).find(({ name }) => name === "agent");
        expect(known?.fingerprint).toBe(fingerprint(identity.cert));
        await client.certificates.remove(known?.fingerprint ?? "");
        await expect(remote.instances.list()).rejects.toBeInstanceOf(ForbiddenError);
      });

      test("an operation that is cancelled", async () => {
        const begun = await client.post("/1.0/certificates", { type: "client", name: "t", token: true });
        const ended = begun.wait().catch((reason: unknown) => reason);
        await begun.cancel();
        const error = await ended;
        expect(error).toBeInstanceOf(OperationError);
        expect((error as OperationError).outcome).toBe("cancelled");
      });

      test.runIf(kind === "lxd")("LXD 5.0's trust password does too", async () => {
        await client.configure({ "core.trust_password": "secret" });
        const endpoint = { url, ...identity, serverCert: await fetchServerCertificate(url) };
        await addTrust(endpoint, "secret", { name: "by-password" });
        await using remote = new LxdClient(endpoint);
        expect(await remote.instances.list()).toEqual([]);
        await client.certificates.remove(fingerprint(identity.cert));
      });

      /** The token with the relay's address, which the daemon cannot know. */
      function addressed(token: string, port: number): string {
        const content = JSON.parse(Buffer.from(token, "base64").toString()) as object;
        return Buffer.from(JSON.stringify({ ...content, addresses: [`127.0.0.1:${port}`] })).toString("base64");
      }
    });

    describe("the daemon away", () => {
      test("restarted under an event stream: down, then a resync, and its events again", async () => {
        await using watch = await Watch.open(client);
        await daemon.stop();
        await watch.until((item) => item.type === "down");
        await expect(client.server()).rejects.toBeInstanceOf(UnreachableError);
        await daemon.start();
        await watch.until((item) => item.type === "resync" && item.reason === "reconnected");
        const seen = watch.items.length;
        await client.profiles.create({ name: "after" });
        await client.profiles.remove("after");
        await watch.lifecycle("profile-deleted", "/1.0/profiles/after", seen);
      });

      test("killed and started: containers go on, and the client sees them", async () => {
        await using _survivor = await launch("survivor");
        const { pid } = await client.instances.state("survivor");
        await daemon.kill();
        await expect(client.server()).rejects.toBeInstanceOf(UnreachableError);
        await daemon.start();
        expect((await client.instances.state("survivor")).pid).toBe(pid);
      });

      test("hanging: every call ends at its deadline, and works again after", async () => {
        await daemon.pause();
        const start = performance.now();
        await expect(client.instances.list({ timeout: 300 })).rejects.toBeInstanceOf(DeadlineError);
        expect(performance.now() - start).toBeLessThan(2000);
        await daemon.resume();
        await expect(client.instances.list()).resolves.toEqual([]);
      });
    });
  });
});
