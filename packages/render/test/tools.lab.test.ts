import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Namespace, run } from "@trivet/lab";
import { describeLab } from "@trivet/testing";
import type { RenderedFile } from "@trivet/render";
import { EXAMPLES, example, render, textOf } from "./support.ts";

const PROGRAMS = [
  "netplan",
  "vtysh",
  "keepalived",
  "nsd-checkconf",
  "nsd-checkzone",
  "unbound-checkconf",
  "nft",
  "haproxy",
  "promtool",
  "ceph-conf",
  "systemd-analyze",
  "openssl",
  "jq",
];

/** The command, with all it says and its status on standard output, so that a failure can be looked at. */
function heard(...argv: string[]): [string, ...string[]] {
  return ["sh", "-c", '"$@" 2>&1; echo "status $?"', "sh", ...argv];
}

describeLab("rendered files, read by the programs they are for", { programs: PROGRAMS }, () => {
  let folder: string;
  /** A router's, with the interfaces that routers have. */
  let namespace: Namespace;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "trivet-render-"));
    namespace = await Namespace.create("render");
    for (const port of ["wan", "uplink", "hosts"])
      await namespace.run(["ip", "link", "add", port, "type", "veth", "peer", "name", `${port}-peer`]);
  });
  afterAll(async () => {
    await namespace.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Puts files below a folder of their own, as `paths` maps them, and returns it. */
  function put(label: string, files: readonly RenderedFile[]): string {
    const root = join(folder, label);
    for (const { path, text, mode } of files) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text, { mode });
    }
    return root;
  }

  /** The files at `paths`, each with the output of `check` on it. */
  async function each(files: readonly RenderedFile[], pattern: RegExp, check: (file: RenderedFile) => Promise<void>) {
    const found = files.filter(({ path }) => pattern.test(path));
    for (const file of found) await check(file);
    return found.length;
  }

  for (const name of EXAMPLES) {
    const files = render(example(name));

    it(`${name}: netplan generates from it`, async () => {
      const root = put(name, files);
      const count = await each(files, /netplan/, async ({ path }) => {
        const server = path.split("/").slice(0, 2).join("/");
        const result = await run(["netplan", "generate", "--root-dir", join(root, server)]);
        expect(result.stderr).toBe("");
      });
      expect(count).toBeGreaterThan(0);
    });

    it(`${name}: shells and systemd accept scripts and units`, async () => {
      const root = put(name, files);
      await each(files, /\.sh$|check-upstream$/, async ({ path }) => {
        await run(["sh", "-n", join(root, path)]);
      });
      await each(files, /trivet-agent\.service$/, async ({ path }) => {
        const { stdout } = await run(heard("systemd-analyze", "verify", "--man=no", join(root, path)));
        const said = stdout
          .split("\n")
          .filter((line) => line.includes("trivet-agent") && !line.includes("is not executable"));
        expect(said).toEqual([]);
      });
    });

    it(`${name}: ceph-conf finds its keys`, async () => {
      const root = put(name, files);
      await each(files, /ceph\.conf$/, async ({ path }) => {
        const look = async (key: string, section = "global") =>
          (await run(["ceph-conf", "-c", join(root, path), "-s", section, "--lookup", key])).stdout.trim();
        expect(await look("fsid")).toBe(example(name).ceph?.fsid);
        expect(await look("cluster_network")).toBe(example(name).ceph?.clusterNetwork?.toString());
        expect(await look("keyring", "osd")).toContain("/var/lib/ceph/osd");
      });
    });

    it(`${name}: keepalived`, async () => {
      const root = put(name, files);
      await each(files, /keepalived\.conf$/, async ({ path }) => {
        const text = textOf(files, path).replaceAll(
          "/etc/keepalived/check-upstream",
          join(root, dirname(path), "check-upstream"),
        );
        writeFileSync(join(root, path), text);
        const { stdout } = await namespace.run(heard("keepalived", "-t", "-f", join(root, path)));
        expect(stdout.trim()).toBe("status 0");
      });
    });
  }

  it("hive: FRR takes every line, and has them in its running configuration", async () => {
    const files = render(example("hive"));
    const state = put("frr-state", []);
    mkdirSync(state, { recursive: true });
    await run(["chown", "-R", "frr:frr", state]);
    await run(["chmod", "755", folder]);
    const pids: number[] = [];
    try {
      for (const daemon of ["zebra", "staticd", "bfdd", "bgpd"]) {
        await namespace.run([
          `/usr/lib/frr/${daemon}`,
          "-d",
          "-i",
          join(state, `${daemon}.pid`),
          "-z",
          join(state, "zserv.api"),
          "--vty_socket",
          state,
          ...(daemon === "bfdd" ? ["--bfdctl", join(state, "bfdd.sock")] : []),
        ]);
        pids.push(Number((await run(["cat", join(state, `${daemon}.pid`)])).stdout));
      }
      const conf = join(state, "frr.conf");
      writeFileSync(conf, textOf(files, "routers/frr01/etc/frr/frr.conf"));
      const loaded = await namespace.run(heard("vtysh", "--vty_socket", state, "-f", conf));
      expect(loaded.stdout).not.toMatch(/Unknown command|% |line \d+/);
      const running = (await namespace.run(["vtysh", "--vty_socket", state, "-c", "show running-config"])).stdout;
      for (const line of [
        "neighbor 2001:db8:ffff:50::2 remote-as 64500",
        "neighbor 2001:db8:10:101::102 peer-group AGENTS",
        "neighbor AGENTS passive",
        "neighbor AGENTS prefix-list AGENTS-6 in",
        "neighbor AGENTS disable-connected-check",
        "network 203.0.113.32/27",
        "ip route 203.0.113.32/27 blackhole 250",
        "ipv6 prefix-list ACCEPT-6 seq 5 deny 2001:db8:10::/48 le 128",
        "ipv6 nd router-preference high",
      ])
        expect(running).toContain(line);
      const upstream = JSON.parse(
        (
          await namespace.run([
            "vtysh",
            "--vty_socket",
            state,
            "-c",
            "show bgp ipv6 neighbors 2001:db8:ffff:50::2 json",
          ])
        ).stdout,
      ) as Record<string, { remoteAs?: number }>;
      expect(Object.values(upstream)[0]?.remoteAs).toBe(64_500);
    } finally {
      for (const pid of pids) process.kill(pid);
    }
  });

  it("hive: primary affinity finds a disk's OSD by what Ceph tells of it: kernel name, partition, or model and serial", async () => {
    const root = put("affinity", [
      {
        path: "bin/ceph",
        mode: 0o755,
        text: `#!/bin/sh
case "$*" in
  "osd metadata -f json") echo '[
    {"id":0,"hostname":"langara","devices":"sda","device_ids":"sda=ATA_MODEL_1"},
    {"id":1,"hostname":"langara","devices":"nvme0n1","device_ids":"nvme0n1=SAMSUNG_MZ_S463"},
    {"id":2,"hostname":"langara","devices":"sdaa","device_ids":""},
    {"id":3,"hostname":"abydos"}]' ;;
  *) echo "$@" ;;
esac
`,
      },
    ]);
    const text = textOf(render(example("hive")), "ceph/crush.sh");
    const affinity = text.slice(text.indexOf("affinity() {"), text.indexOf("\naffinity langara"));
    const script = `${affinity}
      for device in sda3 nvme0n1p2 sdaa disk/by-id/nvme-SAMSUNG_MZ_S463-part1 sdab; do affinity langara /dev/$device 0.5; done
      affinity abydos /dev/sda 0.5`;
    const { stdout } = await run(["sh", "-euc", `PATH=${root}/bin:$PATH\n${script}`]);
    expect(stdout.trim().split("\n")).toEqual([0, 1, 2, 1].map((id) => `osd primary-affinity osd.${id} 0.5`));
  });

  it("hive: NSD, its zones, and unbound", async () => {
    const files = render(example("hive"));
    const root = put("dns", files);
    const zones = join(root, "dns/zones");
    const nsd = join(root, "nsd.conf");
    writeFileSync(nsd, textOf(files, "dns/nsd.conf").replace("/etc/nsd/zones", zones));
    await run(["nsd-checkconf", nsd]);
    for (const zone of ["hive.example.net", "0.1.0.0.8.b.d.0.1.0.0.2.ip6.arpa"])
      expect((await run(["nsd-checkzone", zone, join(zones, `${zone}.zone`)])).stdout).toContain("ok");
    expect((await run(["unbound-checkconf", join(root, "dns/unbound.conf")])).stdout).toContain("no errors");
  });

  it("hive: NAT64's addresses, as the kernel takes them", async () => {
    const root = put("nat64", render(example("hive")));
    for (const instance of ["nat64-01", "nat64-02", "nat64-03"])
      await namespace.run(["nft", "-c", "-f", join(root, `nat64/infra/${instance}/etc/nftables.conf`)]);
  });

  it("hive: HAProxy", async () => {
    const files = render(example("hive"));
    const root = put("haproxy", files);
    const pem = join(root, "site.pem");
    await run([
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=hive.example.net",
      "-keyout",
      pem,
      "-out",
      `${pem}.crt`,
    ]);
    await run(["sh", "-c", `cat '${pem}.crt' >>'${pem}'`]);
    const conf = join(root, "haproxy.cfg");
    writeFileSync(conf, textOf(files, "proxy/haproxy.cfg").replaceAll("/etc/haproxy/certs/", pem));
    const { stdout } = await run(heard("haproxy", "-c", "-f", conf));
    expect(stdout).not.toMatch(/ALERT|WARNING/);
    expect(stdout).toContain("status 0");
  });

  it("hive: Prometheus: configuration, rules, and the rules' own tests", async () => {
    const files = render(example("hive"));
    const root = put("prometheus", files);
    for (const pair of ["lxd.crt", "lxd.key"]) writeFileSync(join(root, pair), "");
    const conf = join(root, "monitoring/prometheus.yml");
    writeFileSync(conf, textOf(files, "monitoring/prometheus.yml").replaceAll("/etc/prometheus/", `${root}/`));
    await run(["promtool", "check", "config", "--syntax-only", conf]);
    expect((await run(["promtool", "check", "rules", join(root, "monitoring/rules/cluster.yml")])).stdout).toContain(
      "SUCCESS",
    );
    expect(
      (await run(["promtool", "test", "rules", join(root, "monitoring/rules/tests/cluster.yml")])).stdout,
    ).toContain("SUCCESS");
  });
});
