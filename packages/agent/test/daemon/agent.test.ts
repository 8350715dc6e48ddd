import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Speaker } from "@trivet/bgp";
import { SimulatedCluster } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AgentClient } from "../../src/api/client.ts";
import type { ExplainAnswer, RoutesAnswer, StatusAnswer } from "../../src/api/types.ts";
import { parseConfig } from "../../src/config/load.ts";
import { Agent } from "../../src/daemon/agent.ts";
import { createLogger } from "../../src/daemon/log.ts";

const GIT = { project: "web", name: "git" };
const GIT_ROUTE = "203.0.113.5/32";

let cluster: SimulatedCluster;
let router: Speaker;
let folder: string;
const agents: Agent[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "trivet-agent-"));
  cluster = await SimulatedCluster.start();
  router = new Speaker({
    asn: 65000,
    routerId: "192.0.2.254",
    listen: [{ address: "127.0.0.1", port: 0 }],
    ranges: [{ prefix: "127.0.0.0/8", asn: 65010, gracefulRestart: { restartTime: 5 } }],
  });
  await router.start();
});

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop("goodbye");
  await router.stop();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

function yaml(server: string, more = ""): string {
  const servers = cluster.scene.servers.map((name) => `${name}: ${folder}/${name}.sock`).join(", ");
  return `asn: 65010
routerId: 192.0.2.${cluster.scene.servers.indexOf(server) + 1}
peers: [{address: 127.0.0.1, port: ${router.listening()[0]?.port ?? 0}, asn: 65000, localAddress: 127.0.0.${cluster.scene.servers.indexOf(server) + 11}}]
allow: [203.0.113.0/27, "2001:db8::/48"]
log: error
lxd: {socket: ${cluster.socket(server)}, timeout: 1}
gateway: {watch: false}
api: {socket: ${folder}/${server}.sock, tls: {enabled: false}, servers: {${servers}}}
${more}`;
}

async function start(server: string, more = ""): Promise<{ agent: Agent; ask: AgentClient }> {
  const agent = new Agent(parseConfig("agent.yaml", yaml(server, more)), {
    log: createLogger("silent", "test"),
    version: "test",
  });
  agents.push(agent);
  const ready = once(agent, "ready");
  await agent.start();
  await ready;
  return { agent, ask: new AgentClient(`${folder}/${server}.sock`) };
}

/** What the router has, from all agents. */
function table(): string[] {
  return router
    .sessions()
    .flatMap(({ peer }) => Array.from(router.adjRibIn(peer)))
    .map(({ prefix, nextHop }) => `${prefix.toString()} via ${nextHop.toString()}`)
    .sort();
}

const has = (prefix: string): boolean => table().some((line) => line.startsWith(`${prefix} `));

/** Worked out from the scene, not by the code under test. */
function expected(server: string): string[] {
  const { networks, instances } = cluster.scene;
  const subnets = networks.flatMap(({ gateway6, router4, router6, forwards }) => [
    `${gateway6.replace("1/64", "/64")} via ${router6}`,
    ...forwards.map((address) => `${address}/32 via ${router4}`),
  ]);
  const routes = instances
    .filter((instance) => instance.server === server && instance.running)
    .flatMap(({ project, network, routes }) => {
      const home = networks.find((one) => one.name === network && one.project === project);
      return routes.map((prefix) => `${prefix} via ${(prefix.includes(":") ? home?.router6 : home?.router4) ?? ""}`);
    });
  return [...subnets, ...routes].sort();
}

describe("an agent on the seeds' cluster", () => {
  test("announces exactly what the scene says, and follows a start, a stop and a move", async () => {
    await start("langara");
    await eventually("the router has every route", () => table().length === expected("langara").length);
    expect(table()).toEqual(expected("langara"));
    const { server } = cluster.scene.instances.find(({ name }) => name === GIT.name) ?? {};
    if (server !== "langara") await cluster.moveInstance(GIT, "langara");
    await eventually("git is announced", () => has(GIT_ROUTE));
    await cluster.stopInstance(GIT);
    await eventually("git stopped", () => !has(GIT_ROUTE));
    await cluster.startInstance(GIT);
    await eventually("git started", () => has(GIT_ROUTE));
    await cluster.moveInstance(GIT, "orilla");
    await eventually("git moved away", () => !has(GIT_ROUTE));
  });

  test("is ready, and says End-of-RIB, when its instances' addresses are learnt, too", async () => {
    cluster.faults.set("langara", { hang: true, only: (_, path) => /\/(?:leases|state)(?:\?|$)/.test(path) });
    const agent = new Agent(parseConfig("agent.yaml", yaml("langara", "addresses: true\n")), {
      log: createLogger("silent", "test"),
      version: "test",
    });
    agents.push(agent);
    const ready = once(agent, "ready");
    await agent.start();
    await eventually("it announces what it knows", () => agent.announcement.routes.size > 0 && table().length > 0);
    expect([agent.snapshot?.learning, agent.ready]).toEqual([true, false]);
    expect(router.sessions()[0]?.endOfRib).toEqual([]);
    cluster.faults.clear("langara");
    await ready;
    await eventually("the router hears of the end", () => router.sessions()[0]?.endOfRib.length === 2);
    expect(agent.snapshot?.learning).toBe(false);
  });

  test("is ready again after a restart, though what it had kept of addresses is all that there is to learn", async () => {
    const run = async (): Promise<Agent> => {
      const agent = new Agent(parseConfig("agent.yaml", yaml("langara", "addresses: true\n")), {
        log: createLogger("silent", "test"),
        version: "test",
        stateFolder: folder,
      });
      agents.push(agent);
      const ready = once(agent, "ready", { signal: AbortSignal.timeout(20_000) });
      await agent.start();
      await ready;
      return agent;
    };
    const first = await run();
    const routes = first.announcement.routes.size;
    await first.stop("handover");
    expect(existsSync(join(folder, "addresses.json"))).toBe(true);
    expect((await run()).announcement.routes.size).toBe(routes);
  });

  test("LXD stopped withdraws nothing, and the status says so", async () => {
    const { ask } = await start("langara");
    await eventually("the router has every route", () => table().length === expected("langara").length);
    await cluster.stopDaemon("langara");
    const status = await eventually("the status shows it", async () => {
      const answer = await ask.get<StatusAnswer>("/v1/status");
      return answer.lxd.error === undefined ? undefined : answer;
    });
    expect(status.lxd.connected).toBe(false);
    expect(table()).toEqual(expected("langara"));
  });

  test("explains a prefix on every server, and says which could not be asked", async () => {
    const { ask } = await start("langara");
    await start("abydos");
    const answer = await ask.get<ExplainAnswer>("/v1/routes/explain?prefix=203.0.113.1&everywhere=true");
    const [abydos, langara, orilla] = answer.servers;
    expect(abydos).toMatchObject({ server: "abydos", announced: true });
    expect(langara).toMatchObject({ server: "langara", announced: true });
    expect(orilla).toMatchObject({ server: "orilla", error: expect.stringContaining("agent of orilla") });
  });

  test("the API refuses what is no prefix, and shows no secret of an instance", async () => {
    await cluster.configureInstance(GIT, { config: { "user.password": "hunter2", "user.user-data": "hunter2" } });
    const { ask } = await start("langara");
    await expect(ask.get("/v1/routes/explain?prefix=203.0.113.1/24")).rejects.toThrow(/host bits/);
    await expect(ask.get("/v1/nothing")).rejects.toThrow(/there is no GET/);
    expect(JSON.stringify(await ask.get("/v1/snapshot"))).not.toContain("hunter2");
  });

  test("a restart hands over: the router keeps the routes, and only what changed meanwhile is withdrawn", async () => {
    const { agent } = await start("langara");
    await eventually("the router has every route", () => table().length === expected("langara").length);
    const ours = cluster.scene.instances.find(
      ({ server, routes, running }) => server === "langara" && running && routes.length > 0,
    );
    const [gone = ""] = ours?.routes ?? [];
    agents.splice(agents.indexOf(agent), 1);
    await agent.stop("handover");
    if (ours !== undefined) await cluster.stopInstance(ours);
    await start("langara");
    await eventually(
      "what stopped is withdrawn",
      () => router.sessions().some(({ state }) => state === "established") && table().length > 0 && !has(gone),
    );
    expect(table()).toEqual(
      expected("langara").filter((line) => !ours?.routes.some((prefix) => line.startsWith(`${prefix} `))),
    );
  });

  test("the event stream tells the status, then what happens", async () => {
    await start("langara");
    const ours = cluster.scene.instances.find(
      ({ server, routes, running }) => server === "langara" && running && routes.length > 0,
    );
    const seen = await new Promise<string>((resolve) => {
      let text = "";
      const call = request({ socketPath: `${folder}/langara.sock`, path: "/v1/events" }, (response) => {
        response.on("data", (chunk: Buffer) => {
          const before = text.includes("event: status");
          text += chunk.toString();
          if (!before && text.includes("event: status") && ours !== undefined) void cluster.stopInstance(ours);
          if (!/event: routes\ndata: .*\n\n/.test(text)) return;
          call.destroy();
          resolve(text);
        });
      });
      call.end();
    });
    const [, data = ""] = /event: routes\ndata: (.*)\n/.exec(seen) ?? [];
    expect(JSON.parse(data)).toEqual({ announced: [], withdrawn: expect.arrayContaining([ours?.routes[0]]) });
  });

  test("a goodbye withdraws", async () => {
    const { agent } = await start("langara");
    await eventually("the router has every route", () => table().length === expected("langara").length);
    agents.splice(agents.indexOf(agent), 1);
    await agent.stop("goodbye");
    await eventually("nothing is left", () => table().length === 0);
    expect(existsSync(`${folder}/langara.sock`)).toBe(false);
  });

  test("a reload takes over filters at once and names what needs a restart", async () => {
    const { agent } = await start("langara");
    await eventually("the router has every route", () => table().length === expected("langara").length);
    const text = yaml("langara", "projects: [dns]\n").replace("asn: 65010", "asn: 65011");
    expect(agent.reload(parseConfig("agent.yaml", text))).toEqual(["asn"]);
    await eventually("only the project's routes are left", () => table().length > 0 && table().length < 10);
    expect(has("203.0.113.1/32")).toBe(true);
  });

  test("a file of another server is refused", async () => {
    const agent = new Agent(parseConfig("a", yaml("langara", "server: orilla\n")), {
      log: createLogger("silent", "test"),
      version: "test",
    });
    agents.push(agent);
    const fatal = once(agent, "fatal");
    await agent.start();
    const [error] = (await fatal) as [Error];
    expect(error.message).toMatch(/^this server is langara, but agent.yaml is for orilla; /);
    expect(table()).toEqual([]);
  });

  test("a second agent on the same socket is refused", async () => {
    const { agent } = await start("langara");
    const second = new Agent(agent.config, { log: createLogger("silent", "test"), version: "test" });
    await expect(second.start()).rejects.toThrow(/another agent runs already/);
    await second.stop("goodbye");
    expect(existsSync(`${folder}/langara.sock`)).toBe(true);
  });

  test("what is no socket is not removed to make place for one", async () => {
    writeFileSync(`${folder}/langara.sock`, "precious");
    const agent = new Agent(parseConfig("agent.yaml", yaml("langara")), {
      log: createLogger("silent", "test"),
      version: "test",
    });
    agents.push(agent);
    await expect(agent.start()).rejects.toThrow(/langara.sock: it is no socket, and not removed; change api.socket/);
    expect(readFileSync(`${folder}/langara.sock`, "utf8")).toBe("precious");
  });

  test("many may read its events", async () => {
    const { agent } = await start("langara");
    const warned = vi.fn();
    process.on("warning", warned);
    for (let i = 0; i < 12; i++) agent.on("routes", () => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", warned);
    expect(warned).not.toHaveBeenCalled();
  });

  test("routes and metrics tell of wrong values on an instance, and the others go on", async () => {
    const { ask } = await start("langara");
    const ours = cluster.scene.instances.find(({ server, routes }) => server === "langara" && routes.length > 0);
    if (ours !== undefined) await cluster.configureInstance(ours, { config: { "user.trivet.announce.med": "low" } });
    const { problems } = await eventually("the problem shows", async () => {
      const answer = await ask.get<StatusAnswer>("/v1/status");
      return answer.problems.length > 0 ? answer : undefined;
    });
    expect(problems[0]).toMatch(/user\.trivet\.announce\.med: "low" must be a number.*ignored until it is corrected$/);
    const { routes } = await ask.get<RoutesAnswer>("/v1/routes");
    expect(routes).toHaveLength(expected("langara").length);
  });
});
