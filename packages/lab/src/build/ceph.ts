import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Suite } from "../image/packages.ts";
import type { Lab } from "../runtime/lab.ts";
import type { Server } from "../runtime/server.ts";
import { cephCommands, cephConf, cephUsers, keyring, monitors, osds } from "../topology/ceph.ts";
import type { Step } from "./step.ts";

/** Milliseconds; two OSDs a server write their first data at once. */
const PATIENCE = 300_000;

interface Secrets {
  readonly fsid: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly osdUuids: readonly string[];
}

/** Ceph: monitors, managers and metadata servers on three servers, two OSDs on each, rules for each class, pools, a file system. */
export const cephStep: Step = {
  key: "ceph",
  title: "Ceph",
  async run(lab, progress) {
    const secrets = cephSecrets(lab);
    const mons = monitors(lab.topology).map(({ name }) => lab.server(name));
    await Promise.all(lab.servers.map(async (server) => await configure(lab, server, secrets)));
    progress("monitors");
    await Promise.all(mons.map(async (server) => await startMonitor(lab, server, secrets)));
    progress("managers and OSDs");
    await Promise.all(lab.servers.map(async (server) => await startOsds(lab, server, secrets)));
    await Promise.all(mons.map(async (server) => await startManager(lab.topology.suite, server, secrets)));
    const count = osds(lab.topology).length;
    await lab.first.sh(`until ceph osd stat | grep -q '${count} up'; do sleep 0.5; done`, { timeout: PATIENCE });
    progress("rules and pools");
    await lab.first.exec(["ceph"], { input: `${cephCommands(lab.topology).join("\n")}\n`, timeout: PATIENCE });
    // An interactive ceph does not tell of a command that failed.
    await lab.first.sh("ceph fs ls | grep -q lxd-cephfs", { timeout: PATIENCE });
  },
};

/** Made once and kept with the lab, so that an interrupted `up` goes on with the same cluster. */
function cephSecrets(lab: Lab): Secrets {
  const file = join(lab.places.folder, "ceph.json");
  if (!existsSync(file)) {
    const keys = Object.fromEntries(Object.keys(cephUsers(lab.topology)).map((user) => [user, cephKey()]));
    const secrets: Secrets = { fsid: randomUUID(), keys, osdUuids: osds(lab.topology).map(() => randomUUID()) };
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, "utf8")) as Secrets;
}

/** A CephX key: type 1 (AES), time of creation, length, 16 random bytes; in base64. */
function cephKey(): string {
  const header = Buffer.alloc(12);
  header.writeUInt16LE(1, 0);
  header.writeUInt32LE(Math.floor(Date.now() / 1000), 2);
  header.writeUInt16LE(16, 10);
  return Buffer.concat([header, randomBytes(16)]).toString("base64");
}

async function configure(lab: Lab, server: Server, { fsid, keys }: Secrets): Promise<void> {
  const users = cephUsers(lab.topology);
  await server.write("/etc/ceph/ceph.conf", cephConf(lab.topology, fsid));
  await server.write(
    "/etc/ceph/ceph.client.admin.keyring",
    keyring({ "client.admin": users["client.admin"] ?? [] }, keys),
    0o600,
  );
}

async function startMonitor(lab: Lab, server: Server, secrets: Secrets): Promise<void> {
  const { name } = server;
  const add = monitors(lab.topology).map((mon) => `--addv ${mon.name} [v2:${mon.mesh}:3300,v1:${mon.mesh}:6789]`);
  await server.write("/root/ceph-users", keyring(cephUsers(lab.topology), secrets.keys), 0o600);
  await server.sh(`
    data=/var/lib/ceph/mon/ceph-${name}
    if [ ! -e $data/done ]; then
      monmaptool --create --clobber --fsid ${secrets.fsid} ${add.join(" ")} /root/monmap
      rm -rf $data; mkdir -p $data
      ceph-mon --mkfs -i ${name} --monmap /root/monmap --keyring /root/ceph-users
      touch $data/done; chown -R ceph:ceph $data
    fi
    rm -f /root/ceph-users
    systemctl enable --now ceph-mon@${name}
  `);
}

/**
 * Debian 13's manager loads none of its modules: they import bcrypt, for passwords of modules that are off, and that one refuses to be
 * loaded into a subinterpreter (PyO3). An empty one in its place, first on the manager's path, is enough.
 */
const NO_BCRYPT =
  "# Stands for the real one, which the manager cannot load: PyO3 modules do not support subinterpreters.\n";

async function startManager(suite: Suite, server: Server, { keys }: Secrets): Promise<void> {
  const { name } = server;
  if (suite === "trixie") await server.write("/usr/share/ceph/mgr/bcrypt.py", NO_BCRYPT);
  for (const daemon of ["mgr", "mds"]) {
    const user = `${daemon}.${name}`;
    await server.write(`/var/lib/ceph/${daemon}/ceph-${name}/keyring`, keyring({ [user]: [] }, keys), 0o600);
    await server.sh(`chown -R ceph:ceph /var/lib/ceph/${daemon}; systemctl enable --now ceph-${daemon}@${name}`);
  }
}

async function startOsds(lab: Lab, server: Server, { keys, osdUuids }: Secrets): Promise<void> {
  for (const { id } of osds(lab.topology).filter((osd) => osd.server === server.name)) {
    const data = `/var/lib/ceph/osd/ceph-${id}`;
    await server.write(`${data}/keyring`, keyring({ [`osd.${id}`]: [] }, keys), 0o600);
    await server.sh(
      `
      if [ ! -e ${data}/ready ]; then
        ceph osd new ${osdUuids[id]} ${id}
        ceph-osd -i ${id} --mkfs --osd-uuid ${osdUuids[id]} --no-mon-config
        chown -R ceph:ceph ${data}
      fi
      systemctl enable --now ceph-osd@${id}
    `,
      { timeout: PATIENCE },
    );
  }
}
