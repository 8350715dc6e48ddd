import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Lab, run } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NEEDS, TRIVET, sharedLab } from "./lab.ts";

interface Facts {
  readonly host: string;
  readonly memory: number;
  readonly nics: readonly { readonly name: string; readonly mac: string }[];
  readonly disks: readonly { readonly name: string; readonly boot: boolean }[];
}

describeLab("a cluster that is there, described: facts over ssh, init, check", NEEDS, () => {
  let lab: Lab;
  let folder: string;

  beforeAll(async () => {
    lab = await sharedLab();
    folder = mkdtempSync(join(tmpdir(), "trivet-facts-"));
    writeFileSync(
      join(folder, "ssh_config"),
      `Host *\n  IdentityFile ${join(lab.places.folder, "ssh/id_ed25519")}\n  UserKnownHostsFile ${folder}/known_hosts\n  StrictHostKeyChecking accept-new\n`,
    );
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** trivet on the administrator's workstation, which reaches the servers' hosts network. */
  async function trivet(...argv: string[]): Promise<string> {
    return (await run(lab.argv("fabric", [...TRIVET, ...argv]), { timeout: 60_000 })).stdout;
  }

  test("each server tells its ports, memory and disk over plain ssh", async () => {
    for (const { name, hosts4 } of lab.topology.servers) {
      const told = await trivet("facts", "--ssh-config", join(folder, "ssh_config"), `ssh://root@${hosts4}`);
      writeFileSync(join(folder, `${name}.json`), told);
      const { host, memory, nics, disks } = JSON.parse(told) as Facts;
      expect([host, memory > 2 ** 30, disks.some(({ boot }) => boot)]).toEqual([name, true, true]);
      const links = await lab.server(name).sh("ip -j link show type veth");
      const own = (JSON.parse(links) as { ifname: string; address: string }[]).filter(
        ({ ifname }) => !ifname.startsWith("veth"),
      );
      expect(nics.map((nic) => `${nic.name} ${nic.mac}`).sort()).toEqual(
        own.map((link) => `${link.ifname} ${link.address}`).sort(),
      );
      expect(nics.length).toBeGreaterThan(3);
    }
  });

  test("what init writes of them passes check", async () => {
    const out = join(folder, "cluster.yaml");
    const facts = lab.topology.servers.flatMap(({ name }) => ["--from-facts", join(folder, `${name}.json`)]);
    await trivet("init", "--name", "found", ...facts, "--out", out);
    const { ok, diagnostics } = JSON.parse(await trivet("check", "--json", out)) as {
      ok: boolean;
      diagnostics: { severity: string; message: string }[];
    };
    expect([ok, diagnostics.filter(({ severity }) => severity === "error")]).toEqual([true, []]);
    for (const { name } of lab.topology.servers) expect(readFileSync(out, "utf8")).toContain(`  ${name}:\n`);
  });
});
