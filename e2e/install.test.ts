import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ANYCAST, type Lab, type Server, expectedRoutes } from "@trivet/lab";
import { describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NEEDS, healthy, sharedLab, table } from "./lab.ts";

const ROOT = join(import.meta.dirname, "..");
/** The commands and the lines of agent.yaml that docs/existing-cluster.md shows under "Install", in order. */
const BLOCKS = [
  ...(readFileSync(join(ROOT, "docs/existing-cluster.md"), "utf8")
    .split("## Install")[1]
    ?.matchAll(/^```(\w+)\n([^]*?)^```/gm) ?? []),
].map(([, , text]) => text ?? "");
/** The lab's own agent, which gives way: its configuration, and what its unit says of the program. */
const LAB_FILES = ["/etc/trivet/agent.yaml", "/etc/systemd/system/trivet-agent.service.d"];

describeLab("docs/existing-cluster.md, walked on three real servers", NEEDS, () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await sharedLab();
    execFileSync("npm", ["run", "--silent", "pack"], { cwd: ROOT });
    for (const server of lab.servers)
      await server.sh(
        `systemctl stop trivet-agent; mkdir -p /root/before; mv ${LAB_FILES.join(" ")} /root/before; systemctl daemon-reload`,
      );
    for (const { router } of lab.topology.servers)
      await eventually(
        `${router.name} forgot the lab's own agents`,
        async () => (await table(lab, router.name)).length === 0,
        60_000,
      );
  });
  afterAll(async () => {
    for (const server of lab.servers)
      await server.sh(
        `systemctl stop trivet-agent
         ${LAB_FILES.map((path) => `mv /root/before/${basename(path)} ${path}`).join("; ")}
         rm -rf /opt/trivet /usr/local/bin/trivet /root/before /root/*.tar.gz; systemctl daemon-reload; systemctl start trivet-agent`,
      );
    await healthy(lab);
  });

  /** Unpacks, takes the example configuration, and changes the three lines that are the user's. */
  async function install(server: Server): Promise<void> {
    const [unpack = "", lines = ""] = BLOCKS;
    const archive = /trivet-\S+\.tar\.gz/.exec(unpack)?.[0] ?? "";
    copyFileSync(join(ROOT, "dist", archive), `/proc/${await server.pid()}/root/root/${archive}`);
    await server.sh(`cd /root\n${unpack}`);
    const own = linesOf(await server.sh("cat /root/before/agent.yaml"));
    expect(
      lines
        .trim()
        .split("\n")
        .map((line) => line.split(":")[0]),
    ).toEqual(Object.keys(own));
    const example = readFileSync(join(ROOT, "packages/agent/system/agent.yaml"), "utf8");
    const changed = example
      .replace(/^asn: .*$/m, `asn: ${own.asn}`)
      .replace(/^peers:\n(?:  -.*\n)+/m, `peers: ${own.peers}\n`)
      .replace(/^allow: .*$/m, `allow: ${own.allow}`);
    await server.write("/etc/trivet/agent.yaml", changed, 0o600);
  }

  test("installed as written, every router has exactly the expected routes", async () => {
    const [, , start = ""] = BLOCKS;
    await Promise.all(lab.servers.map(install));
    const outputs = await Promise.all(
      lab.servers.map(async (server) => await server.sh(`set +e\n${start.replace("203.0.113.53", ANYCAST.ipv4)}`)),
    );
    for (const output of outputs) expect(output).toContain("/etc/trivet/agent.yaml is valid");
    for (const { router } of lab.topology.servers)
      await eventually(
        `${router.name} has the routes`,
        async () => (await table(lab, router.name)).join("\n") === expectedRoutes(lab.topology).join("\n"),
        60_000,
      );
    await healthy(lab);
  });

  test("the service is watched by systemd, and confined", async () => {
    const properties = await lab.first.sh(
      "systemctl show trivet-agent -p ActiveState,Type,WatchdogUSec,NoNewPrivileges,NRestarts",
    );
    expect(properties.trim().split("\n").sort()).toEqual([
      "ActiveState=active",
      "NRestarts=0",
      "NoNewPrivileges=yes",
      "Type=notify",
      "WatchdogUSec=30s",
    ]);
  });

  test("any server explains a prefix for all of them, over TLS with the cluster's certificate", async () => {
    const explained = JSON.parse(await lab.first.sh(`trivet routes --json --explain ${ANYCAST.ipv4}`)) as {
      servers: { server: string; announced?: boolean; error?: string }[];
    };
    expect(explained.servers.map(({ server, announced, error }) => [server, announced, error])).toEqual(
      lab.servers
        .map(({ name }) => name)
        .sort()
        .map((name) => [name, true, undefined]),
    );
    expect(await lab.first.sh("trivet status")).toContain("established");
  });

  test("an upgrade over the running one loses no route", async () => {
    const { router } = lab.topology.servers[0] ?? { router: { name: "" } };
    const expected = expectedRoutes(lab.topology).length;
    const seen: number[] = [];
    const done = new AbortController();
    const upgrade = lab.first
      .sh(`cd /root && ${/^tar .*$/m.exec(BLOCKS[0] ?? "")?.[0]} && systemctl restart trivet-agent`)
      .finally(() => done.abort());
    while (!done.signal.aborted) seen.push((await table(lab, router.name)).length);
    await upgrade;
    expect(seen.length).toBeGreaterThan(3);
    expect(Math.min(...seen)).toBe(expected);
  });
});

/** The three lines as they are for this lab: sessions of each family with all its routers. */
function linesOf(before: string): { asn: string; peers: string; allow: string } {
  const value = (key: string): string => new RegExp(`^${key}: (.*)$`, "m").exec(before)?.[1] ?? "";
  const peers = [...before.matchAll(/^ {2}- (.*)$/gm)].map(([, peer]) => peer);
  return { asn: value("asn"), peers: `[${peers.join(", ")}]`, allow: value("allow") };
}
