import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../host/run.ts";
import { serverImage } from "../image/server-image.ts";
import { shareDisks } from "../runtime/disk.ts";
import { createFabric } from "../runtime/fabric.ts";
import type { Lab } from "../runtime/lab.ts";
import { NIC_UP, serverNics } from "../runtime/lxc-config.ts";
import type { Server } from "../runtime/server.ts";
import { netplan } from "./netplan.ts";
import type { Step } from "./step.ts";

/** Wires, and servers that are powered on and answer ssh. */
export const serversStep: Step = {
  key: "servers",
  title: "Servers boot",
  always: true,
  async run(lab, progress) {
    const image = await serverImage(lab.topology.suite, { progress });
    const { folder } = lab.places;
    mkdirSync(join(folder, "shared"), { recursive: true });
    writeFileSync(join(folder, "nic-up"), NIC_UP, { mode: 0o755 });
    await createFabric(lab.topology, lab.places);
    await sshKey(lab);
    await shareDisks(lab.places);
    await Promise.all(
      lab.servers.map(async (server) => {
        if (await server.running()) return;
        await server.create(image);
        await furnish(lab, server);
        progress(`${server.name} boots`);
        await server.start();
      }),
    );
  },
};

/** What an installer would have put on the server's disk. */
async function furnish(lab: Lab, server: Server): Promise<void> {
  const { plan } = server;
  const hosts = lab.topology.servers.map((s) => `${s.mesh} ${s.name}`).join("\n");
  // At every boot Open vSwitch takes its identity from here, else a random one: OVN would see a new chassis with the old's address.
  server.writeDisk("etc/openvswitch/system-id.conf", `${plan.name}\n`);
  server.writeDisk("etc/hostname", `${plan.name}\n`);
  server.writeDisk("etc/hosts", `127.0.0.1 localhost\n::1 localhost\n${hosts}\n`);
  server.writeDisk("etc/netplan/60-trivet.yaml", netplan(plan, serverNics(plan, lab.topology), lab.topology), 0o600);
  server.writeDisk("etc/systemd/journald.conf.d/lab.conf", "[Journal]\nStorage=persistent\nSystemMaxUse=64M\n");
  // A server that waits for a network of which half is made later would boot slowly.
  for (const unit of [
    "systemd-networkd-wait-online.service",
    "rbdmap.service",
    "smartmontools.service",
    "nvmf-autoconnect.service",
  ])
    server.link(`etc/systemd/system/${unit}`, "/dev/null");
  const key = readFileSync(join(lab.places.folder, "ssh", "id_ed25519.pub"), "utf8");
  server.writeDisk("root/.ssh/authorized_keys", key, 0o600);
  if (!existsSync(join(server.disk, "etc/ssh/ssh_host_ed25519_key"))) {
    server.writeDisk("etc/ssh/sshd_config.d/lab.conf", "UseDNS no\n");
    await run(["ssh-keygen", "-q", "-A", "-f", server.disk]);
  }
}

async function sshKey(lab: Lab): Promise<void> {
  const folder = join(lab.places.folder, "ssh");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = join(folder, "id_ed25519");
  if (!existsSync(key)) await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", lab.name, "-f", key]);
}
