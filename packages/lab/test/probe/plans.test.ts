import { describe, expect, test } from "vitest";
import { serviceFlows } from "../../src/probe/plans.ts";
import { type ServicePlan, builtInPlan } from "../../src/topology/plan.ts";

const service = (name: string, kind: ServicePlan["kind"], ...external: string[]): ServicePlan => ({
  name,
  project: "default",
  server: "langara",
  network: "web",
  ipv4: "10.71.10.11",
  kind,
  external,
});
const names = (flows: readonly { name: string }[]): string[] => flows.map(({ name }) => name);

describe("the flows of a probe", () => {
  test("of the built-in lab", () => {
    const { services } = builtInPlan(3);
    const web = services.filter(({ name }) => name.startsWith("web"));
    const flows = serviceFlows(
      services,
      web.map((service, i) => ({ service, address: `2001:db8:1000:110::${i + 1}` })),
    );
    expect(names(flows)).toEqual([
      ...[1, 2, 3, 4, 5, 6].map((n) => `dns/ipv4/${n}`),
      ...[1, 2, 3, 4, 5, 6].map((n) => `dns/ipv6/${n}`),
      ...["mx01/ipv4", "mx01/ipv6", "web01/ipv6", "web02/ipv6", "web03/ipv6"].flatMap((to) => [`${to}/1`, `${to}/2`]),
    ]);
    expect(flows[0]).toMatchObject({ kind: "dns", source: "198.51.100.10", target: "203.0.113.5" });
    expect(flows.find(({ name }) => name === "mx01/ipv6/2")).toMatchObject({
      kind: "echo",
      source: "2001:db8:c::11",
      target: "2001:db8:1000:25::25",
      instance: "mx01",
    });
  });

  test("a name server alone on its address is asked by DNS, a prefix that is no host's not at all", () => {
    const flows = serviceFlows([service("ns1", "dns", "203.0.113.7/32", "2001:db8:1000:9::/64")], []);
    expect(flows.map(({ kind, name, target }) => [kind, name, target])).toEqual([
      ["dns", "ns1/ipv4/1", "203.0.113.7"],
      ["dns", "ns1/ipv4/2", "203.0.113.7"],
    ]);
  });

  test("two addresses of one service have names of their own", () => {
    const flows = serviceFlows([service("mx01", "web", "203.0.113.7/32", "203.0.113.8/32")], []);
    expect(names(flows)).toEqual(["mx01/ipv4/1", "mx01/ipv4/2", "mx01/203.0.113.8/1", "mx01/203.0.113.8/2"]);
  });

  test("web servers that share an address are one group", () => {
    const flows = serviceFlows(
      [service("web01", "web", "203.0.113.7/32"), service("web02", "web", "203.0.113.7/32")],
      [],
    );
    expect(flows).toMatchObject([{ kind: "echo", name: "web/ipv4/1", instance: "web" }, { name: "web/ipv4/2" }]);
  });
});
