import type { Lab } from "../runtime/lab.ts";
import type { Server } from "../runtime/server.ts";
import { database } from "./ovn.ts";
import { TOOL } from "./platform.ts";
import type { Step } from "./step.ts";

/** The LXD or Incus cluster, with a local storage pool on every server and OVN as its network. */
export const clusterStep: Step = {
  key: "cluster",
  title: "LXD cluster",
  async run(lab, progress) {
    const { platform } = lab.topology.options;
    const { client, units } = TOOL[platform];
    await Promise.all(lab.servers.map(async (server) => await server.sh(`systemctl enable --now ${units}`)));
    await init(lab, lab.first, {
      config: { "core.https_address": `${lab.first.plan.mesh}:8443` },
      storage_pools: [{ name: "local", driver: "dir" }],
      profiles: [{ name: "default", devices: { root: { type: "disk", path: "/", pool: "local" } } }],
      cluster: { server_name: lab.first.name, enabled: true },
    });
    for (const server of lab.servers.slice(1)) {
      if (await clustered(lab, server)) continue;
      progress(`${server.name} joins`);
      const answer = await lab.first.sh(
        `${client} cluster revoke-token ${server.name} >/dev/null 2>&1 || true
         ${client} cluster add ${server.name}`,
      );
      await init(lab, server, {
        cluster: {
          enabled: true,
          server_address: `${server.plan.mesh}:8443`,
          cluster_token: answer.trim().split(/\s+/).at(-1),
          member_config: [{ entity: "storage-pool", name: "local", key: "source", value: "" }],
        },
      });
    }
    await lab.first.sh(`${client} config set network.ovn.northbound_connection=${database(lab, 6641)}`);
    await Promise.all(
      lab.servers.map(async (server) => {
        await server.write(`/etc/systemd/system/${platform}.service.d/after-ovn.conf`, afterOvn(database(lab, 6641)));
        await server.sh("systemctl daemon-reload");
      }),
    );
  },
};

/**
 * LXD starts when OVN answers: a network that fails to start is tried again only after a minute, and with it every instance on it.
 * After a minute without an answer LXD starts all the same.
 */
function afterOvn(northbound: string): string {
  return `[Unit]
After=ovn-central.service

[Service]
ExecStartPre=-/usr/bin/timeout 60 sh -c 'until ovn-nbctl --timeout=5 --db=${northbound} get-connection; do sleep 1; done'
`;
}

async function init(lab: Lab, server: Server, preseed: object): Promise<void> {
  if (await clustered(lab, server)) return;
  const command = `${TOOL[lab.topology.options.platform].init} --preseed`.split(" ");
  await server.exec(command, { input: JSON.stringify(preseed), timeout: 120_000 });
}

async function clustered(lab: Lab, server: Server): Promise<boolean> {
  const { client } = TOOL[lab.topology.options.platform];
  const answer = await server.sh(`${client} query /1.0/cluster`);
  return (JSON.parse(answer) as { enabled: boolean }).enabled;
}
