import { WELL_KNOWN_COMMUNITIES } from "@trivet/bgp";
import { NS1 } from "@trivet/lab";
import { LxdClient } from "@trivet/lxd";
import { eventually } from "@trivet/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentClient } from "../../src/api/client.ts";
import type { DrainOrderAnswer, DrainsAnswer, ExplainAnswer, RoutesAnswer, StatusAnswer } from "../../src/api/types.ts";
import type { DrainView } from "../../src/drain/drains.ts";
import { World } from "../support/agents.ts";

const QUICK = "drain: {wait: 1}\ngateway: {watch: false}\n";
const [ANYCAST] = NS1;
const GSHUT = WELL_KNOWN_COMMUNITIES["graceful-shutdown"];

let world: World;
let ask: AgentClient;

beforeEach(async () => {
  world = await World.create();
  ({ ask } = await world.start("langara", QUICK));
  await world.start("abydos", QUICK);
  await eventually("both announce the anycast address", () => announced("langara") && announced("abydos"));
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

const announced = (server: string, prefix: string = ANYCAST): boolean => world.route(server, prefix) !== undefined;
const going = (server: string, prefix: string = ANYCAST): boolean =>
  world.route(server, prefix)?.attributes.communities?.includes(GSHUT) === true;
const order = async (target: string, more = ""): Promise<DrainOrderAnswer> =>
  await ask.change("PUT", `/v1/drain?target=${encodeURIComponent(target)}${more}`);
const cancel = async (target: string, more = ""): Promise<DrainOrderAnswer> =>
  await ask.change("DELETE", `/v1/drain?target=${encodeURIComponent(target)}${more}`);
async function drainOf(target: string): Promise<DrainView | undefined> {
  const { servers } = await ask.get<DrainsAnswer>("/v1/drain?everywhere=true");
  return servers.flatMap((one) => ("drains" in one ? one.drains : [])).find((one) => one.target === target);
}
const reaches = async (target: string, phase: DrainView["phase"]): Promise<DrainView> =>
  await eventually(`${target} is ${phase}`, async () => {
    const view = await drainOf(target);
    return view?.phase === phase ? view : undefined;
  });

describe("draining an instance", () => {
  test("asks routers to prefer others, withdraws, and is then safe to stop; undrain announces it again", async () => {
    expect(await order("dns/ns1-01")).toMatchObject({ server: "langara", drain: true, alone: [] });
    await eventually("its route is about to go", () => going("langara"));
    expect((await drainOf("dns/ns1-01"))?.prefixes).toEqual([...NS1]);
    const done = await reaches("dns/ns1-01", "safe");
    expect(done).toMatchObject({
      prefixes: [...NS1],
      told: { sessions: 1, of: 1 },
      routers: { confirmed: ["127.0.0.1"], silent: [] },
    });
    expect(announced("langara")).toBe(false);
    expect(going("abydos")).toBe(false);
    await cancel("dns/ns1-01");
    await eventually("it is announced as before", () => announced("langara") && !going("langara"));
    expect(await drainOf("dns/ns1-01")).toBeUndefined();
  });

  test("works from every server: the order stands in LXD", async () => {
    expect(await order("dns/ns1-02")).toMatchObject({ server: "abydos" });
    await reaches("dns/ns1-02", "safe");
    expect(announced("abydos")).toBe(false);
    expect(announced("langara")).toBe(true);
  });

  test("outlives a restart of the agent, a stop and a start of the instance", async () => {
    await order("dns/ns1-01");
    await reaches("dns/ns1-01", "safe");
    const { config } = world.cluster.instance({ project: "dns", name: "ns1-01" });
    await world.stop("langara", "handover");
    // Long ago, so that the new agent need not wait again.
    const since = new Date(Date.parse(config["user.trivet.drain"] ?? "") - 60_000).toISOString();
    await world.cluster.configureInstance(
      { project: "dns", name: "ns1-01" },
      { config: { "user.trivet.drain": since } },
    );
    ({ ask } = await world.start("langara", QUICK));
    expect((await drainOf("dns/ns1-01"))?.phase).toBe("leaving");
    await world.cluster.stopInstance({ project: "dns", name: "ns1-01" });
    await world.cluster.startInstance({ project: "dns", name: "ns1-01" });
    await reaches("dns/ns1-01", "safe");
    await eventually("the rest is announced", () => world.routes("langara").length > 10);
    expect(announced("langara")).toBe(false);
  });

  test("is not safe after a restart while a router without a session may hold what the predecessor announced", async () => {
    const ref = { project: "dns", name: "ns1-01" };
    await world.stop("langara", "handover");
    await world.router.stop();
    const since = new Date(Date.now() - 60_000).toISOString();
    await world.cluster.configureInstance(ref, { config: { "user.trivet.drain": since } });
    ({ ask } = await world.start("langara", `${QUICK}gracefulRestart: {restartTime: 3}\n`));
    const view = await drainOf("dns/ns1-01");
    expect(view?.phase).toBe("leaving");
    expect(view).not.toHaveProperty("routers");
    expect(await reaches("dns/ns1-01", "safe")).toMatchObject({
      told: { sessions: 0, of: 1 },
      routers: { confirmed: [], silent: [], absent: ["127.0.0.1"] },
    });
  });

  test("a second order changes nothing", async () => {
    await order("dns/ns1-01");
    await reaches("dns/ns1-01", "safe");
    const { config } = world.cluster.instance({ project: "dns", name: "ns1-01" });
    await order("dns/ns1-01");
    expect(world.cluster.instance({ project: "dns", name: "ns1-01" }).config).toEqual(config);
    expect((await drainOf("dns/ns1-01"))?.phase).toBe("safe");
  });

  test("is refused where nobody else announces a prefix, unless it is forced", async () => {
    const { name, project, routes } = world.cluster.scene.instances.find(
      ({ server, running, project, routes }) =>
        server === "langara" && running && project !== "dns" && routes.length > 0,
    ) as { name: string; project: string; routes: readonly string[] };
    const [prefix = ""] = routes;
    await expect(order(`${project}/${name}`)).rejects.toThrow(/nobody else announces (?:it|them); use --force/);
    expect(announced("langara", prefix) && !going("langara", prefix)).toBe(true);
    expect((await order(`${project}/${name}`, "&force=true")).alone).toContain(prefix);
    await reaches(`${project}/${name}`, "safe");
    expect(announced("langara", prefix)).toBe(false);
  });

  test("is refused where the others are on their way out themselves", async () => {
    await order("dns/ns1-02");
    await eventually("abydos is on its way", () => going("abydos") || !announced("abydos"));
    await expect(order("dns/ns1-01")).rejects.toThrow(/stops traffic to 203\.0\.113\.1\/32/);
  });

  test("a wrong value in LXD is reported and ignored", async () => {
    const ref = { project: "dns", name: "ns1-01" };
    await world.cluster.configureInstance(ref, { config: { "user.trivet.drain": "soon" } });
    const status = await eventually("the problem shows", async () => {
      const answer = await ask.get<StatusAnswer>("/v1/status");
      return answer.problems.length > 0 ? answer : undefined;
    });
    expect(status.problems[0]).toMatch(/instance dns\/ns1-01: user\.trivet\.drain: "soon" is neither/);
    expect(announced("langara") && !going("langara")).toBe(true);
  });
});

describe("draining a prefix and a server", () => {
  test("a prefix on one server, by an address in it", async () => {
    await order("203.0.113.1", "&server=abydos");
    await reaches("203.0.113.1/32", "safe");
    expect(announced("abydos")).toBe(false);
    expect(announced("abydos", NS1[1])).toBe(true);
    await cancel("203.0.113.1", "&server=abydos");
    await eventually("it is announced again", () => announced("abydos"));
  });

  test("several at once on one server: none is lost", async () => {
    const prefixes = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"];
    await Promise.all(prefixes.map(async (prefix) => await order(prefix, "&server=abydos&force=true")));
    for (const prefix of prefixes)
      await eventually(`${prefix} is drained`, async () => (await drainOf(`${prefix}/32`)) !== undefined);
  });

  test("taking back what does not stand there says where it does, and what still stands", async () => {
    await order("203.0.113.1", "&server=abydos");
    await reaches("203.0.113.1/32", "safe");
    expect(await cancel("203.0.113.1")).toMatchObject({ server: "langara", changed: false, elsewhere: ["abydos"] });
    expect(await cancel("abydos")).toMatchObject({ changed: false, left: ["203.0.113.1/32"] });
    expect(await cancel("203.0.113.1", "&server=abydos")).toMatchObject({ changed: true, left: [], elsewhere: [] });
  });

  test("one server can be asked alone", async () => {
    await order("203.0.113.1", "&server=abydos");
    const { servers } = await ask.get<DrainsAnswer>("/v1/drain?server=abydos");
    expect(servers.map(({ server }) => server)).toEqual(["abydos"]);
  });

  test("a whole server, and only it", async () => {
    await expect(order("langara")).rejects.toThrow(/nobody else announces them/);
    await order("langara", "&force=true");
    await eventually("all its routes are about to go", () =>
      world.routes("langara").every((r) => r.attributes.communities?.includes(GSHUT)),
    );
    expect((await ask.get<StatusAnswer>("/v1/status")).draining).toBe(true);
    await reaches("langara", "safe");
    expect(world.routes("langara")).toEqual([]);
    expect(announced("abydos") && !going("abydos")).toBe(true);
    await cancel("langara");
    await eventually("it is back", () => announced("langara") && !going("langara"));
  });

  test("a whole server: what others announce through its gateways is the last resort meanwhile", async () => {
    // LXD tells where a gateway is only who asks: when an agent starts, and every minute.
    for (const server of ["langara", "abydos"]) await world.stop(server);
    world.cluster.configureNetwork({ project: "dns", name: "dns-abydos" }, { chassis: "langara" });
    ({ ask } = await world.start("langara", QUICK));
    await world.start("abydos", QUICK);
    await eventually("abydos announces", () => announced("abydos") && !going("abydos"));
    await order("langara", "&force=true");
    await eventually("abydos has it as the last resort", () => going("abydos"));
    const { servers } = await ask.get<ExplainAnswer>(
      `/v1/routes/explain?prefix=${encodeURIComponent(ANYCAST)}&everywhere=true`,
    );
    expect(servers.find(({ server }) => server === "abydos")).toMatchObject({
      verdict: expect.stringMatching(/; held back: its gateway is on langara, which is drained$/) as string,
    });
    expect((await drainOf("langara"))?.gateways).toContain("dns/dns-abydos");
    await cancel("langara");
    await eventually("it is a route as any other", () => announced("abydos") && !going("abydos"));
  });

  test("a prefix that is announced elsewhere, or nowhere, is refused unless forced: it would drain nothing", async () => {
    await expect(order("203.0.113.200")).rejects.toThrow(
      "langara announces nothing in 203.0.113.200/32, nor does any other server; --force orders it nevertheless",
    );
    const [theirs = ""] = world.cluster.scene.instances
      .filter(({ server, running, project }) => server === "abydos" && running && project !== "dns")
      .flatMap(({ routes }) => routes);
    await expect(order(theirs)).rejects.toThrow(`announces nothing in ${theirs}, abydos does: add --server`);
    await order("203.0.113.200", "&force=true");
    await eventually("it stands", async () => (await drainOf("203.0.113.200/32")) !== undefined);
  });

  test("what an agent without a router announces counts for nothing", async () => {
    await world.router.stop();
    await eventually("both lost it", async () => (await ask.get<RoutesAnswer>("/v1/routes")).routers === 0);
    await expect(order("dns/ns1-01")).rejects.toThrow(/nobody else announces them/);
  });

  test("what stands in a profile is taken back there", async () => {
    await using lxd = new LxdClient({ socketPath: world.cluster.socket("langara") });
    await lxd.profiles.update("default", { config: { "user.trivet.drain": "true" } }, { project: "dns" });
    await reaches("dns/ns1-01", "safe");
    await expect(cancel("dns/ns1-01")).rejects.toThrow(
      "dns/ns1-01 is drained by user.trivet.drain of a profile (default); unset it there",
    );
  });

  test("what does not exist is named", async () => {
    await expect(order("tollana")).rejects.toThrow(
      'no server "tollana"; there are langara, abydos, orilla; an instance is PROJECT/INSTANCE',
    );
    await expect(order("dns/nobody")).rejects.toThrow('no instance "nobody" in project "dns"');
    await expect(order("dns/ns1-01/eth0")).rejects.toThrow("dns/ns1-01/eth0 is no PROJECT/INSTANCE");
    await expect(order("10.0.0.0/33")).rejects.toThrow(/10\.0\.0\.0\/33/);
    await expect(order("dns/ns1-01", "&server=abydos")).rejects.toThrow(/is no prefix, .*; leave --server out$/);
  });
});
