import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab, Server } from "@trivet/lab";
import { type RenderedFile, renderCluster } from "@trivet/render";
import { readCluster } from "@trivet/spec";
import { describeLab } from "@trivet/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NEEDS, sharedLab } from "./lab.ts";

const SOURCE = readFileSync(join(import.meta.dirname, "rendered.yaml"), "utf8");
const MONITORS = ["langara", "abydos", "orilla"];

function render(text: string): readonly RenderedFile[] {
  const cluster = readCluster("rendered.yaml", { read: () => text, list: () => [] });
  return renderCluster(cluster, { source: "rendered.yaml", secret: () => "" });
}

function textOf(files: readonly RenderedFile[], path: string): string {
  const found = files.find((file) => file.path === path);
  if (found === undefined) throw new TypeError(`nothing is rendered to ${path}`);
  return found.text;
}

/** Runs a rendered script on a server as an administrator does: copied there, and called. */
async function call(server: Server, files: readonly RenderedFile[], path: string): Promise<string> {
  await server.write("/root/rendered.sh", textOf(files, path), 0o755);
  return await server.sh("/root/rendered.sh 2>&1", { timeout: 400_000 });
}

describeLab("rendered scripts, run on real Ceph and LXD with OVN", NEEDS, () => {
  let lab: Lab;
  let before: string;
  const files = render(SOURCE);
  const uplink = async () => await lab.first.sh("lxc network show INFRA-UPLINK | grep -v rendered | sort");

  beforeAll(async () => {
    lab = await sharedLab();
    before = await uplink();
  });
  afterAll(async () => {
    await lab.first.sh(`
      lxc delete -f rendered-web rendered-db --project rendered || true
      for network in rendered-front rendered-back; do lxc network delete $network --project rendered || true; done
      for acl in from-front web; do lxc network acl delete $acl --project rendered || true; done
      lxc project delete rendered || true
      lxc storage delete rendered-dir || true
    `);
    for (const server of lab.servers)
      await server.sh(`
        systemctl disable -q --now 'ceph-mon@*' 'ceph-mgr@*' 'ceph-mds@*' 'ceph-osd@*' || true
        for unit in $(systemctl list-units --plain --no-legend 'ceph-*@*' | cut -d' ' -f1); do systemctl disable -q --now $unit; done
        rm -rf /etc/ceph/* /var/lib/ceph/*/* /root/rendered.sh
      `);
  });

  const ceph = async (command: string): Promise<unknown> =>
    JSON.parse(await lab.first.sh(`ceph --connect-timeout 30 ${command} -f json`));

  test("bootstrap.sh makes a quorum of three monitors: on the first server, the next, then here again, as it says", async () => {
    for (const name of MONITORS) {
      const server = lab.server(name);
      await server.write("/etc/ceph/ceph.conf", textOf(files, `servers/${name}/etc/ceph/ceph.conf`));
      if (server !== lab.first)
        for (const path of [
          "/etc/ceph/ceph.mon.keyring",
          "/etc/ceph/ceph.client.admin.keyring",
          "/var/lib/ceph/bootstrap-osd/ceph.keyring",
        ])
          await server.write(path, await lab.first.sh(`cat ${path}`), 0o600);
      const said = await call(server, files, "ceph/bootstrap.sh");
      if (server === lab.first) expect(said).toContain("no quorum yet: run this on the next monitor, then here again");
    }
    await call(lab.first, files, "ceph/bootstrap.sh");
    expect(await ceph("quorum_status")).toMatchObject({ quorum_names: MONITORS });
    for (const server of lab.servers)
      expect(await server.sh("find /etc/ceph /var/lib/ceph -name '*keyring*' -perm /077")).toBe("");
  });

  test("crush.sh makes rules, pools and the file system; run again, it changes nothing", async () => {
    for (const [id, name] of MONITORS.entries()) await startOsd(lab.server(name), id);
    await call(lab.first, files, "ceph/crush.sh");
    const state = async () => [
      await ceph("osd crush rule dump"),
      await ceph("osd pool ls detail"),
      await ceph("fs ls"),
    ];
    const [rules, pools, filesystems] = (await state()) as [Named[], Named[], Named[]];
    expect(rules.find(({ rule_name }) => rule_name === "replicated_rule_ssd")?.["steps"]).toMatchObject([
      { op: "take", item_name: "default~ssd" },
      { op: "chooseleaf_firstn", num: 0, type: "host" },
      { op: "emit" },
    ]);
    const ours = ({ pool_name }: Named) => String(pool_name).startsWith("lxd-");
    expect(pools.filter(ours).map(({ pool_name, size, min_size }) => [pool_name, size, min_size])).toEqual([
      ["lxd-ssd", 3, 2],
      ["lxd-cephfs_metadata", 3, 2],
      ["lxd-cephfs_data", 3, 2],
    ]);
    expect(filesystems).toMatchObject([
      { name: "lxd-cephfs", metadata_pool: "lxd-cephfs_metadata", data_pools: ["lxd-cephfs_data"] },
    ]);
    await lab.first.sh("until ceph pg stat | grep -Eq '^([0-9]+) pgs: \\1 active\\+clean;'; do sleep 1; done", {
      timeout: 400_000,
    });
    const before = (await state()).map(settings);
    await call(lab.first, files, "ceph/crush.sh");
    expect((await state()).map(settings)).toEqual(before);
  });

  test("storage, networks, ACLs and instances, twice: LXD has them as they were described, and the uplink as it was", async () => {
    // Pools on Ceph need a kernel that has its clients.
    const those = render(SOURCE.replaceAll(/^ {2}(ssd|shared): .*\n/gm, ""));
    // Servers and users come in any order.
    const state = async () =>
      await lab.first.sh(`
        {
          lxc storage show rendered-dir
          for name in rendered-front rendered-back; do lxc network show $name --project rendered; done
          for name in web from-front; do lxc network acl show $name --project rendered; done
          for name in rendered-web rendered-db; do lxc config show $name --project rendered; done
        } | grep -vE 'volatile|^- (/1.0/.*|langara|abydos|orilla)$'
      `);
    for (const script of ["storage", "networks", "acls", "instances"]) await call(lab.first, those, `lxd/${script}.sh`);
    const made = await state();
    await expect(made).toMatchFileSnapshot("rendered.state.txt");
    for (const script of ["storage", "networks", "acls", "instances"]) await call(lab.first, those, `lxd/${script}.sh`);
    expect(await state()).toBe(made);
    expect(await uplink()).toBe(before);
    await lab.first.sh("lxc start rendered-web rendered-db --project rendered");
    const instances = JSON.parse(await lab.first.sh("lxc list --project rendered --format json")) as Named[];
    expect(instances.map(({ name, status, location }) => [name, status, location].join()).sort()).toEqual([
      "rendered-db,Running,orilla",
      "rendered-web,Running,abydos",
    ]);
  });
});

type Named = Readonly<Record<string, unknown>>;

/** Without what changes by itself. */
function settings(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, part: unknown) =>
    /epoch|last_|stamp|^pg_num_target|^snap|^read_tier/.test(key) ? undefined : part,
  ) as unknown;
}

/** What \`ceph-volume lvm create\` does on a server with disks, on a file. */
async function startOsd(server: Server, id: number): Promise<void> {
  await server.sh(
    `
    uuid=$(cat /proc/sys/kernel/random/uuid)
    data=/var/lib/ceph/osd/ceph-${id}
    mkdir -p $data
    ceph osd new $uuid ${id}
    ceph auth get-or-create osd.${id} mon 'allow profile osd' mgr 'allow profile osd' osd 'allow *' >$data/keyring
    truncate -s 2G $data/block
    ceph-osd -i ${id} --mkfs --osd-uuid $uuid --no-mon-config
    chown -R ceph:ceph $data
    systemctl enable -q --now ceph-osd@${id}
    until ceph osd dump | grep -q '^osd.${id} *up'; do sleep 0.5; done
    ceph osd crush rm-device-class ${id}
    ceph osd crush set-device-class ssd ${id}
  `,
    { timeout: 400_000 },
  );
}
