import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SpecError, loadCluster, readCluster, toSarif } from "@trivet/spec";
import { jsonSchema, reference } from "./generate.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const example = (name: string) => path(`../../../examples/${name}/cluster.yaml`);

describe("the examples", () => {
  it.each(readdirSync(path("../../../examples")))("%s has no fault", (name) => {
    expect(loadCluster(example(name)).diagnostics).toEqual([]);
  });

  it("minimal describes three servers in at most 40 lines", () => {
    expect(readFileSync(example("minimal"), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(40);
    expect(readCluster(example("minimal")).servers).toHaveLength(3);
  });

  it("hive is the seeds' cluster", () => {
    const hive = readCluster(example("hive"));
    expect(hive.servers.map(({ name, mesh }) => `${name} ${mesh.join()}`)).toEqual([
      "langara 2001:db8:10:1::100",
      "abydos 2001:db8:10:1::101",
      "orilla 2001:db8:10:1::102",
    ]);
    expect(hive.servers.flatMap(({ disks }) => disks.filter(({ osd }) => osd))).toHaveLength(12);
    expect(hive.vlans.map(({ name, id }) => [name, id])).toEqual([
      ["WAN-HIVE", 50],
      ["INFRA-UPLINK", 100],
      ["INFRA-HOSTS", 101],
      ["INFRA-BMC", 102],
    ]);
    expect(hive.projects.flatMap(({ networks }) => networks).length).toBeGreaterThanOrEqual(12);
    expect(hive.ceph?.pools.map(({ name }) => name)).toEqual([
      "lxd-ssd",
      "lxd-hdd",
      "lxd-cephfs_metadata",
      "lxd-cephfs_data",
    ]);
  });
});

describe("generated files are current", () => {
  it("schema/cluster.schema.json", async () => {
    await expect(jsonSchema()).toMatchFileSnapshot("../../../schema/cluster.schema.json");
  });

  it("docs/cluster-yaml.md", async () => {
    await expect(reference()).toMatchFileSnapshot("../../../docs/cluster-yaml.md");
  });

  it("every key is described, or plain from its values", () => {
    const bare = reference()
      .split("\n")
      .filter((line) => /^\| `.*\| text \| *\|$/.test(line));
    expect(bare).toEqual([]);
  });
});

describe("files of a version that was once released always load", () => {
  it.each(readdirSync(path("fixtures/versions")))("%s", (name) => {
    expect(loadCluster(path(`fixtures/versions/${name}`))).toMatchObject({ ok: true });
  });
});

describe("planned addresses", () => {
  const text = readFileSync(path("fixtures/base.yaml"), "utf8");
  const read = (yaml: string) => readCluster("cluster.yaml", { read: () => yaml, list: () => [] });
  const plan = (yaml: string) => {
    const cluster = read(yaml);
    return new Map([
      ...cluster.servers.map(
        ({ name, hosts, mesh, bmc }) => [name, `${hosts.join()} ${mesh.join()} ${bmc?.address?.toString()}`] as const,
      ),
      ...cluster.projects.flatMap(({ networks }) =>
        networks.map(({ name, subnets }) => [name, subnets.map(({ prefix }) => prefix.toString()).join()] as const),
      ),
      ...(cluster.routing?.routers ?? []).map(({ name, interfaces }) => [name, JSON.stringify(interfaces)] as const),
    ]);
  };

  it("none moves when servers, networks and routers are added, before or after", () => {
    const before = plan(text);
    const more = text
      .replace("networks:\n      n1", "networks:\n      a0: {}\n      n1")
      .replace("      n3: {}", "      n3: {}\n      z9: {}")
      .replace("models:", "models:\n  other: {}")
      .replace("{r1: {}", "{r4: {on: s3}, r1: {}");
    const after = plan(more);
    expect(after.size).toBe(before.size + 3);
    for (const [name, addresses] of before) expect(after.get(name)).toBe(addresses);
  });

  it("give a network with IPv4 routes a private subnet to lead them by, and no other", () => {
    const networks = readCluster(example("hive")).projects.flatMap((project) => project.networks);
    const inner = networks.filter(({ subnets }) => subnets.some(({ family }) => family === 4));
    expect(inner.map(({ name, nat }) => [name, nat])).toEqual(
      ["dns01", "dns02", "dns03", "infra01", "infra02", "infra03", "edge01", "edge02", "edge03", "mail", "friends"].map(
        (name) => [`ovn-${name}`, true],
      ),
    );
    for (const { subnets } of inner)
      expect(subnets.find(({ family }) => family === 4)?.prefix.toString()).toMatch(
        /^10\.(1[3-9]\d|12[89]|2\d\d)\.\d+\.0\/24$/,
      );
  });

  it("read as the numbers they are made from", () => {
    const [s1] = read(text).servers;
    expect(`${s1?.hosts.join()} ${s1?.mesh.join()} ${s1?.bmc?.address?.toString()}`).toBe(
      "2001:db8:1:101::101 2001:db8:1:1::101 2001:db8:1:102::201",
    );
  });
});

describe("includes", () => {
  const files: Record<string, string> = {
    "c/cluster.yaml": `${readFileSync(path("fixtures/base.yaml"), "utf8")}include: [projects/*.yaml]\n`,
    "c/projects/a.yaml": "projects:\n  a: {networks: {x: {}}}\n",
    "c/projects/b.yaml": "# second\nprojects:\n  p: {description: joined}\n  b: {networks: {y: {uplnk: z}}}\n",
  };
  const reader = (overrides: Record<string, string> = {}) => ({
    read: (file: string) => ({ ...files, ...overrides })[file] ?? "",
    list: () => ["a.yaml", "b.yaml"],
  });

  it("join maps, and faults are placed in the file that has them", () => {
    expect(loadCluster("c/cluster.yaml", reader()).diagnostics).toMatchObject([
      { file: "c/projects/b.yaml", line: 4, code: "unknown-key", remedy: "did you mean uplink?" },
    ]);
    const good = { "c/projects/b.yaml": "projects:\n  p: {description: joined}\n" };
    expect(readCluster("c/cluster.yaml", reader(good)).projects.map(({ name }) => name)).toEqual(["p", "a"]);
  });

  it("do not override: what is given twice is said", () => {
    const twice = { "c/projects/b.yaml": "projects:\n  p: {networks: {n1: {nat: true, ipv6: false}}}\n" };
    expect(loadCluster("c/cluster.yaml", reader(twice)).diagnostics).toMatchObject([
      { file: "c/projects/b.yaml", line: 2, code: "duplicate-key" },
    ]);
  });
});

describe("a file that cannot be read", () => {
  it("is the user's fault, in one line", () => {
    expect(() => loadCluster("/nowhere/cluster.yaml")).toThrow(SpecError);
    expect(() => loadCluster("/nowhere/cluster.yaml")).toThrow("/nowhere/cluster.yaml: the file does not exist");
  });
});

describe("SARIF", () => {
  it("carries code, level, message and region of each diagnostic", () => {
    const { diagnostics } = loadCluster("c.yaml", {
      read: () => "apiVersion: trivet/v1\nname: a\ndomain: a.b\nservers: {}\nx: 1\n",
      list: () => [],
    });
    expect(toSarif(diagnostics, { version: "1.2.3", root: process.cwd() })).toMatchObject({
      version: "2.1.0",
      runs: [
        {
          tool: { driver: { name: "trivet", version: "1.2.3", rules: [{ id: "unknown-key" }] } },
          results: [
            {
              ruleId: "unknown-key",
              level: "error",
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: "c.yaml" },
                    region: { startLine: 5, startColumn: 1, endColumn: 2 },
                  },
                },
              ],
            },
          ],
        },
      ],
    });
  });
});
