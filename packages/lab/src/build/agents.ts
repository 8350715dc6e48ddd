import { agentConfig } from "../topology/agent-config.ts";
import { PROGRAM } from "../runtime/program.ts";
import type { Step } from "./step.ts";

const UNIT = `[Unit]
Description=trivet agent
After=network-online.target lxd.service incus.service

[Service]
Type=notify
ExecStart=/srv/node ${PROGRAM.entry} agent --config /etc/trivet/agent.yaml
RuntimeDirectory=trivet
StateDirectory=trivet
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;

/** trivet's own agents, which announce the instances' addresses to the routers. LXD's BGP stays off. */
export const agentsStep: Step = {
  key: "agents",
  title: "trivet agents",
  async run(lab) {
    await Promise.all(
      lab.servers.map(async (server) => {
        await server.write("/etc/trivet/agent.yaml", agentConfig(server.plan, lab.topology), 0o640);
        await server.write("/etc/systemd/system/trivet-agent.service", UNIT);
        await server.sh("systemctl daemon-reload; systemctl enable --now trivet-agent");
      }),
    );
  },
};
