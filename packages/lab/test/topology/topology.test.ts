import { type LabOptions, expectedRoutes } from "@trivet/lab";
import { Prefix } from "@trivet/ip";
import { describe, expect, test } from "vitest";
import { agentConfig } from "../../src/topology/agent-config.ts";
import { cephUsers, osds } from "../../src/topology/ceph.ts";
import { routerConfig } from "../../src/topology/router-config.ts";
import { topology } from "../../src/topology/topology.ts";
import { routers, services } from "../../src/topology/workload.ts";

const OPTIONS: LabOptions = { name: "lab", platform: "lxd", servers: 3, ceph: true, bare: false };

describe("a lab's plan", () => {
  test("has a cable between every two servers", () => {
    expect(topology(OPTIONS).cables.map(({ ends }) => ends.join("-"))).toEqual([
      "langara-abydos",
      "langara-orilla",
      "abydos-orilla",
    ]);
    expect(topology({ ...OPTIONS, servers: 5 }).cables).toHaveLength(10);
  });

  test("gives bridges and their ports names that a kernel takes", () => {
    const plan = topology({ ...OPTIONS, servers: 5 });
    for (const { bridge } of plan.cables) expect(`s0-${bridge}`.length).toBeLessThan(16);
  });

  test("has one router a server, with falling VRRP priorities", () => {
    const plan = topology(OPTIONS);
    expect(routers(plan).map(({ name, server }) => `${name} ${server}`)).toEqual([
      "frr01 langara",
      "frr02 abydos",
      "frr03 orilla",
    ]);
    const priorities = plan.servers.map((server) => server.router.vrrpPriority);
    expect(priorities).toEqual(priorities.toSorted((a, b) => b - a));
    // A router without a provider must fall below all that have one.
    expect((priorities[0] ?? 0) - 240).toBeLessThan(priorities.at(-1) ?? 0);
  });

  test("announces the anycast addresses from every server, and one public IPv4 address from one", () => {
    const routes = expectedRoutes(topology(OPTIONS));
    expect(routes.filter((line) => line.startsWith("203.0.113.5/32 "))).toHaveLength(3);
    expect(routes.filter((line) => line.startsWith("203.0.113.10/32 "))).toEqual(["203.0.113.10/32 abydos"]);
    for (const line of routes) expect(() => Prefix.parse(line.split(" ")[0] ?? "")).not.toThrow();
  });

  test("puts an OSD of each class on every server, and gives every daemon a key", () => {
    const plan = topology(OPTIONS);
    expect(osds(plan).map(({ server, deviceClass }) => `${server} ${deviceClass}`)).toEqual([
      "langara hdd",
      "langara ssd",
      "abydos hdd",
      "abydos ssd",
      "orilla hdd",
      "orilla ssd",
    ]);
    expect(Object.keys(cephUsers(plan))).toHaveLength(2 + 3 * 2 + 6);
  });

  test("lets the agents peer with all routers, over both families", () => {
    const plan = topology(OPTIONS);
    const [server] = plan.servers;
    if (server === undefined) throw new TypeError("no server");
    const config = agentConfig(server, plan);
    for (const { router } of plan.servers) {
      expect(config).toContain(`address: ${router.hosts4},`);
      expect(config).toContain(`address: "${router.hosts6}",`);
    }
    expect(routerConfig(server.router, plan).frr).toContain(`neighbor ${server.hosts4} peer-group AGENTS`);
  });

  test.each(["Lab", "t1", "a-b", "", "averylongname", "../x"])("refuses the name %j", (name) => {
    expect(() => topology({ ...OPTIONS, name })).toThrow(/use up to 10 lower-case letters/);
  });

  test.each([0, 2, 6, 3.5, Number.NaN])("refuses %d servers", (servers) => {
    expect(() => topology({ ...OPTIONS, servers })).toThrow(/a lab has 3 to 5/);
  });

  test("spreads the services over the servers", () => {
    expect(new Set(services(topology(OPTIONS)).map(({ server }) => server)).size).toBe(3);
  });
});
