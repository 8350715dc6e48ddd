import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trivet } from "@trivet/cli";

const HIVE = fileURLToPath(new URL("../../../examples/hive/cluster.yaml", import.meta.url));
const SECRETS = { HIVE_BGP_PASSWORD: "hive-secret", TRIVET_AGENT_PASSWORD: "agent-secret" };

async function command(...argv: string[]) {
  let [out, err] = ["", ""];
  const status = await trivet(argv, {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    env: SECRETS,
  });
  return { status, out, err };
}

describe("the commands on cluster.yaml", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "trivet-cli-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function broken(): string {
    const path = join(folder, "cluster.yaml");
    writeFileSync(path, "apiVersion: trivet/v1\nname: x\ndomain: a.b\nservers: {}\nvlanz: {}\nplatform: lxc\n");
    return path;
  }

  it("check says what will hurt, and the single points of failure, and succeeds", async () => {
    const { status, out, err } = await command("check", HIVE);
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain("sw01 is the only switch");
    expect(out).toContain("switch sw01: ends gateway, internet");
    expect(out).toMatch(/good: 0 errors, \d+ warnings, 1 note, 2 single points of failure\n$/);
    expect((await command("check", HIVE, "--strict")).status).toBe(1);
  });

  it("check says all that is wrong, with place and remedy, and fails", async () => {
    const path = broken();
    const { status, out } = await command("check", path);
    expect(status).toBe(1);
    expect(out).toContain(
      `${path}:5:1: error: unknown key "vlanz" [unknown-key]\n  5 | vlanz: {}\n    | ^^^^^\n  = did you mean vlans?`,
    );
    expect(out).toContain(`${path}:6:11: error:`);
    expect(out).toContain("cannot be used: 2 errors");
  });

  it("check --json and --sarif print one document each", async () => {
    expect(JSON.parse((await command("check", HIVE, "--json")).out)).toMatchObject({
      ok: true,
      singlePointsOfFailure: [{ component: "sw01" }, { component: "drop" }],
    });
    expect(JSON.parse((await command("check", broken(), "--json")).out)).toMatchObject({
      ok: false,
      diagnostics: [{ code: "unknown-key", line: 5 }, { code: "invalid-value" }],
    });
    expect(JSON.parse((await command("check", broken(), "--sarif")).out)).toMatchObject({
      version: "2.1.0",
      runs: [{ results: [{ ruleId: "unknown-key" }, { ruleId: "invalid-value" }] }],
    });
  });

  it("whatif ranks, or tells of what is named", async () => {
    const ranked = await command("whatif", HIVE);
    expect(ranked.status).toBe(0);
    expect(ranked.out).toContain("power feed feed-a + power feed feed-b");
    const { out } = await command("whatif", HIVE, "--lose", "sw01");
    expect(out).toMatch(/internet +down/);
    expect(out).toMatch(/LXD +up/);
    expect(JSON.parse((await command("whatif", HIVE, "--lose", "langara", "--json")).out)).toMatchObject({
      lost: ["langara"],
      down: [],
    });
    expect(await command("whatif", HIVE, "--lose", "sw02")).toMatchObject({
      status: 1,
      out: "",
      err: expect.stringContaining("no sw02 to lose") as string,
    });
  });

  it("render writes the tree, with secrets, and once more changes nothing", async () => {
    const out = join(folder, "out");
    expect((await command("render", HIVE, "--out", out)).status).toBe(0);
    expect(readFileSync(join(out, "routers/frr01/etc/frr/frr.conf"), "utf8")).toContain("password hive-secret");
    expect((await command("render", HIVE, "--out", out)).out).toMatch(/: 0 written, \d+ unchanged, 0 removed\n$/);
    writeFileSync(join(out, "lxd/acls.sh"), "mine");
    expect(await command("render", HIVE, "--out", out)).toMatchObject({
      status: 1,
      err: expect.stringContaining("was changed since trivet wrote it") as string,
    });
  });

  it.each(["render", "whatif"])(
    "%s of a file that cannot be used shows all that is wrong, and writes nothing",
    async (name) => {
      const out = join(folder, "out");
      const { status, err } = await command(name, broken(), ...(name === "render" ? ["--out", out] : []));
      expect(status).toBe(1);
      expect(err).toContain("did you mean vlans?");
      expect(err).toContain('"platform"');
      expect(err).not.toMatch(/\n\s+at /);
      expect(existsSync(out)).toBe(false);
    },
  );

  it("a file that is not there is one line", async () => {
    for (const name of ["check", "whatif", "render"]) {
      const { status, err } = await command(name, "/nowhere/cluster.yaml");
      expect([status, err.trim().split("\n").length]).toEqual([1, 1]);
      expect(err).toContain("/nowhere/cluster.yaml: the file does not exist");
    }
  });
});
