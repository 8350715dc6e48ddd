import { describe, expect, it } from "vitest";
import { example, render, textOf } from "./support.ts";

const HIVE = example("hive");
const with64 = (change: Partial<NonNullable<(typeof HIVE)["services"]["nat64"]>>) => ({
  ...HIVE,
  services: { ...HIVE.services, nat64: { ...(HIVE.services.nat64 ?? never()), ...change } },
});

function never(): never {
  throw new TypeError("hive has NAT64");
}

describe("NAT64", () => {
  it("gives each instance the public addresses that lead to it alone", () => {
    const files = render(HIVE);
    const targets = ["nat64-01", "nat64-02", "nat64-03"].map(
      (name) => /snat to .*/.exec(textOf(files, `nat64/infra/${name}/etc/nftables.conf`))?.[0],
    );
    expect(targets).toEqual([
      "snat to jhash ip saddr mod 2 map { 0 : 203.0.113.56, 1 : 203.0.113.57 }",
      "snat to jhash ip saddr mod 2 map { 0 : 203.0.113.58, 1 : 203.0.113.59 }",
      "snat to jhash ip saddr mod 2 map { 0 : 203.0.113.60, 1 : 203.0.113.61 }",
    ]);
  });

  it("gives an instance without such routes the whole pool", () => {
    const files = render(
      with64({ instances: ["infra/monitor01"], pool: HIVE.addresses.find((p) => p.family === 4) ?? never() }),
    );
    expect(textOf(files, "nat64/infra/monitor01/etc/nftables.conf")).toContain("mod 32 map { 0 : 203.0.113.32, ");
  });

  it("with jool, too", () => {
    const files = render(with64({ engine: "jool" }));
    const { global, pool4 } = JSON.parse(textOf(files, "nat64/infra/nat64-02/etc/jool/jool.conf")) as {
      global: unknown;
      pool4: { prefix: string }[];
    };
    expect(global).toEqual({ pool6: "64:ff9b::/96" });
    expect(new Set(pool4.map(({ prefix }) => prefix))).toEqual(new Set(["203.0.113.58/31"]));
  });

  it("lets its prefix pass wherever it is announced, and resolvers make addresses of it", () => {
    const files = render(HIVE);
    expect(textOf(files, "servers/langara/etc/trivet/agent.yaml")).toContain("64:ff9b::/96");
    expect(textOf(files, "routers/frr01/etc/frr/frr.conf")).toMatch(/prefix-list AGENTS-6 .* permit 64:ff9b::\/96/);
    expect(textOf(files, "lxd/networks.sh")).toMatch(/ipv6\.routes=\S*64:ff9b::\/96/);
    expect(textOf(files, "dns/unbound.conf")).toContain("dns64-prefix: 64:ff9b::/96");
  });
});

describe("the resolvers", () => {
  it("ask the cluster's own name servers for its zones", () => {
    const text = textOf(render(HIVE), "dns/unbound.conf");
    expect(text).toContain(
      "stub-zone:\n  name: hive.example.net.\n  stub-addr: 203.0.113.33\n  stub-addr: 2001:db8:10:53::1",
    );
    expect(text).toContain("  local-zone: 0.1.0.0.8.b.d.0.1.0.0.2.ip6.arpa. transparent");
  });
});
