import { mkdtempDisposableSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { labOfCluster } from "../../src/topology/from-cluster.ts";
import { builtInPlan } from "../../src/topology/plan.ts";

const EXAMPLE = join(import.meta.dirname, "../../../../examples/lab/cluster.yaml");
const NOTHING = { withoutCeph: false };

/** The example with some of its text replaced, as a file. */
function changed(replace: Readonly<Record<string, string>>, body: (path: string) => void): void {
  using folder = mkdtempDisposableSync(join(tmpdir(), "trivet-"));
  let text = readFileSync(EXAMPLE, "utf8");
  for (const [from, to] of Object.entries(replace)) {
    expect(text).toContain(from);
    text = text.replaceAll(from, to);
  }
  const path = join(folder.path, "cluster.yaml");
  writeFileSync(path, text);
  body(path);
}

describe("a lab after a cluster.yaml", () => {
  test("examples/lab/cluster.yaml describes the built-in lab, addresses and all", () => {
    const { plan, platform, ceph, differences } = labOfCluster(EXAMPLE, NOTHING);
    const sorted = <T extends { name: string }>(list: readonly T[]): T[] =>
      list.toSorted((a, b) => a.name.localeCompare(b.name));
    const builtIn = builtInPlan(3);
    expect({ ...plan, networks: sorted(plan.networks), services: sorted(plan.services) }).toEqual({
      ...builtIn,
      networks: sorted(builtIn.networks),
      services: sorted(builtIn.services),
    });
    expect([platform, ceph]).toEqual(["lxd", true]);
    expect(differences).toEqual([
      "instances are on the local pool `local`, as the kernel may have neither RBD nor CephFS",
      "Ceph has the lab's own disks and pools",
      "instances are small containers that answer DNS or HTTP, without limits",
    ]);
  });

  test("names, platform and instances are the file's", () => {
    changed(
      { langara: "alpha-server", frr01: "edge1", mx01: "post", "name: lab\n": "name: lab\nplatform: incus\n" },
      (path) => {
        const { plan, platform } = labOfCluster(path, NOTHING);
        expect(platform).toBe("incus");
        expect(plan.servers).toEqual(["alpha-server", "abydos", "orilla"]);
        expect(plan.routers).toEqual(["edge1", "frr02", "frr03"]);
        expect(plan.services.map(({ name }) => name)).toContain("post");
      },
    );
  });

  test("no address of the provider's is used: each becomes one of the lab's", () => {
    changed(
      { "203.0.113.0/27": "192.0.2.64/27", "[203.0.113.10,": "[192.0.2.74,", "203.0.113.5": "192.0.2.69" },
      (path) => {
        const { plan, differences } = labOfCluster(path, NOTHING);
        expect(plan.services.find(({ name }) => name === "mx01")?.external).toEqual([
          "203.0.113.10/32",
          "2001:db8:1000:25::25/128",
        ]);
        expect(differences).toContain("192.0.2.64/27 becomes 203.0.113.0/27, address by address");
      },
    );
  });

  test("the lab's own Ceph is left out when told so", () => {
    const { ceph, differences } = labOfCluster(EXAMPLE, { withoutCeph: true });
    expect(ceph).toBe(false);
    expect(differences.join()).not.toContain("disks and pools");
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["an address that a lab has not", { "203.0.113.0/27": "203.0.112.0/22" }, "77:"],
    ["two networks of one name", { "mail:": "web:" }, "75:"],
  ])("refuses %s, with the place", (_what, replace, line) => {
    changed(replace, (path) => {
      expect(() => labOfCluster(path, NOTHING)).toThrow(`${path}:${line}`);
    });
  });

  test("refuses flags that contradict the file", () => {
    expect(() => labOfCluster(EXAMPLE, { ...NOTHING, platform: "incus" })).toThrow(
      /cluster\.yaml:.*the cluster runs lxd, not incus; leave --platform out/,
    );
    expect(() => labOfCluster(EXAMPLE, { ...NOTHING, servers: 4 })).toThrow(/cluster\.yaml:28:.*3 servers, not 4/);
    expect(() => labOfCluster(EXAMPLE, { ...NOTHING, servers: 3, platform: "lxd" })).not.toThrow();
  });

  test.each(["hive", "incus"])("examples/%s is a lab too", (name) => {
    expect(labOfCluster(join(EXAMPLE, "../..", name, "cluster.yaml"), NOTHING)).toMatchSnapshot();
  });
});
