import { readFileSync } from "node:fs";
import { PROGRAM } from "../runtime/program.ts";
import { agentConfig } from "../topology/agent-config.ts";
import type { Step } from "./step.ts";

const UNIT = "/etc/systemd/system/trivet-agent.service";

/**
 * What differs in a lab from the unit that users install: which program it runs. From source, a start takes twice the processor time
 * without Node's compile cache.
 */
const DROP_IN = `[Service]
ExecStart=
ExecStart=/srv/node ${PROGRAM.entry} agent --config /etc/trivet/agent.yaml
Environment=NODE_COMPILE_CACHE=%C/trivet
CacheDirectory=trivet
`;

/** trivet's own agents, which announce the instances' addresses to the routers. LXD's BGP stays off. */
export const agentsStep: Step = {
  key: "agents",
  title: "trivet agents",
  async run(lab) {
    const unit = readFileSync(PROGRAM.unit, "utf8");
    await Promise.all(
      lab.servers.map(async (server) => {
        await server.write("/etc/trivet/agent.yaml", agentConfig(server.plan, lab.topology), 0o600);
        await server.write(UNIT, unit);
        await server.write(`${UNIT}.d/lab.conf`, DROP_IN);
        await server.sh("systemctl daemon-reload; systemctl enable --now trivet-agent");
      }),
    );
  },
};
