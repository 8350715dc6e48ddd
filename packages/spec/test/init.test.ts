import { execFileSync } from "node:child_process";
import { totalmem } from "node:os";
import { describe, expect, it } from "vitest";
import { type Answers, FACTS_SCRIPT, type Facts, draft, loadCluster, parseFacts, readFacts } from "@trivet/spec";

const ANSWERS: Answers = {
  name: "new",
  domain: "new.example.net",
  platform: "lxd",
  servers: 3,
  facts: [],
  ipv6: "2001:db8:77::/48",
  asn: 64_512,
  providerAsn: 64_500,
};

function load(text: string) {
  const loaded = loadCluster("cluster.yaml", { read: () => text, list: () => [] });
  expect(loaded.diagnostics).toEqual([]);
  if (!loaded.ok) throw new Error("the draft was refused");
  return loaded.cluster;
}

/** What the script prints on a server like those of the hive example. */
function printed(host: string, last: number): string {
  const nic = (name: string, n: number, speed: number, slot: string) =>
    ["nic", name, `52:54:00:00:0${last}:0${n}`, speed, slot].join("\t");
  return [
    `host\t${host}`,
    "memory\t65811200",
    "cores\t16",
    nic("enp3s0f0", 1, 10_000, "0000:03:00"),
    nic("enp3s0f1", 2, 10_000, "0000:03:00"),
    nic("enp1s0f0", 3, 10_000, "0000:01:00"),
    nic("enp1s0f1", 4, 10_000, "0000:01:00"),
    nic("ens1f0", 5, 1000, "0000:05:00"),
    nic("ens1f1", 6, 1000, "0000:05:00"),
    "disk\tsda\tssd\t2000398934016\tS5GXNX0R\tyes",
    "disk\tnvme0n1\tnvme\t512110190592\tS463NF0M\tno",
    "disk\tsdb\thdd\t4000787030016\tZC1234\tno",
    "bmc\t192.0.2.200",
    "noise that no version prints",
  ].join("\n");
}

describe("a draft", () => {
  it.each([1, 2, 3, 4, 5])("of %i assumed servers passes the check", (servers) => {
    expect(
      load(draft({ ...ANSWERS, servers, ipv4: "203.0.113.0/27", platform: servers % 2 === 0 ? "incus" : "lxd" }))
        .servers,
    ).toHaveLength(servers);
  });

  it.each([1, 2, 3, 4])("from the facts of %i servers passes the check, with their hardware", (count) => {
    const facts = ["langara", "abydos", "orilla", "chulak"]
      .slice(0, count)
      .map((host, index) => parseFacts(printed(host, index)));
    const cluster = load(draft({ ...ANSWERS, facts }));
    expect(cluster.servers.map(({ name }) => name)).toEqual(facts.map(({ host }) => host));
    expect(cluster.servers[0]).toMatchObject({
      memory: 63 * 2 ** 30,
      cores: 16,
      macs: { ens1f1: "52:54:00:00:00:06" },
    });
  });

  it("never gives the system's disk to Ceph, and keeps what was found of the BMC in sight", () => {
    const text = draft({ ...ANSWERS, facts: [parseFacts(printed("langara", 0))] });
    expect(text).toMatch(/sda: {class: ssd, size: 2000GB, serial: "S5GXNX0R", boot: true, osd: false}/);
    expect(text).toContain("# Its BMC has 192.0.2.200 now.");
  });

  it("meshes three servers over their fast ports in pairs, and leaves the slow ones for the switch", () => {
    const facts = ["langara", "abydos", "orilla"].map((host, index) => parseFacts(printed(host, index)));
    expect(load(draft({ ...ANSWERS, facts })).servers[1]?.links.map(({ ports, peer }) => [ports, peer])).toEqual([
      [["enp1s0f0", "enp1s0f1"], { server: "langara", link: "mesh1" }],
      [["enp3s0f0", "enp3s0f1"], { server: "orilla", link: "mesh2" }],
      [["ens1f0", "ens1f1"], { switches: ["switch-1"] }],
    ]);
  });
});

describe("facts", () => {
  it("of this very machine can be collected, and read again", () => {
    const facts: Facts = parseFacts(execFileSync("sh", ["-s"], { input: FACTS_SCRIPT, encoding: "utf8" }));
    expect(Math.abs(facts.memory - totalmem())).toBeLessThan(2 ** 30);
    expect(facts.host).not.toBe("");
    expect(readFacts("facts.json", JSON.stringify(facts))).toMatchObject({ ok: true, value: facts });
  });

  it("that are none are refused with their place", () => {
    expect(readFacts("facts.json", '{"apiVersion": "trivet/v1",\n"kind": "fax"}')).toMatchObject({
      ok: false,
      diagnostics: expect.arrayContaining([expect.objectContaining({ line: 2, code: "invalid-value" })]) as unknown,
    });
  });
});
