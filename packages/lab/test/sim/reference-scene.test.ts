import { Prefix, PrefixSet } from "@trivet/ip";
import { describe, expect, test } from "vitest";
import { NS1, PUBLIC, referenceScene, scaledScene } from "../../src/sim/index.ts";

const scene = referenceScene();

describe("the reference scene", () => {
  test("63 instances in 9 projects on a dozen networks of three servers, evenly", () => {
    expect(scene.instances).toHaveLength(63);
    expect(scene.projects).toHaveLength(9);
    expect(scene.networks).toHaveLength(12);
    const load = Object.groupBy(scene.instances, ({ server }) => server);
    expect(Object.entries(load).map(([server, instances]) => [server, instances?.length])).toEqual([
      ["langara", 21],
      ["abydos", 21],
      ["orilla", 21],
    ]);
  });

  test("names are unique in their project, and every network and project exists", () => {
    expect(new Set(scene.instances.map(({ project, name }) => `${project}/${name}`)).size).toBe(63);
    const networks = new Set(scene.networks.map(({ project, name }) => `${project}/${name}`));
    for (const { project, network } of scene.instances)
      if (network !== undefined) expect(networks).toContain(`${project}/${network}`);
  });

  test("every network has its own public /64, and everything public lies in what the provider routes here", () => {
    const subnets = scene.networks.map(({ gateway6 }) => Prefix.parse(gateway6.replace("::1/64", "::/64")));
    expect(new Set(subnets.map(String)).size).toBe(12);
    const all = new PrefixSet([Prefix.parse(PUBLIC.v4), Prefix.parse(PUBLIC.v6)]);
    const routes = scene.instances.flatMap((instance) => instance.routes).map((text) => Prefix.parse(text));
    for (const prefix of [...subnets, ...routes]) expect(all.covers(prefix), prefix.toString()).toBe(true);
    for (const route of routes) expect(subnets.some((subnet) => subnet.overlaps(route))).toBe(false);
  });

  test("ns1 is one instance a server, each on its own network, with the same addresses", () => {
    const ns1 = scene.instances.filter(({ routes }) => routes === NS1);
    expect(ns1.map(({ server, network }) => [server, network])).toEqual([
      ["langara", "dns-langara"],
      ["abydos", "dns-abydos"],
      ["orilla", "dns-orilla"],
    ]);
  });

  test("any other address leads to one instance", () => {
    const routes = scene.instances.flatMap((instance) => instance.routes.filter((route) => !route.includes(":0:53::")));
    const single = routes.filter((route) => route !== NS1[0]);
    expect(new Set(single).size).toBe(single.length);
  });

  test("scaled up, it has as many instances as asked for, and the first 63 are the same", () => {
    const scaled = scaledScene(5_000);
    expect(scaled.instances).toHaveLength(5_000);
    expect(scaled.instances.slice(0, 63)).toEqual(scene.instances);
  });
});
