import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { VERSION } from "../version.ts";

interface Flags {
  readonly config: string;
  readonly check: boolean;
}

export const agent = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Runs the agent of this server: announces routes, answers the API",
    fullDescription:
      "Runs until it is told to end. SIGTERM hands over to a successor: routers with graceful restart keep the routes for some seconds.\n" +
      "SIGINT withdraws the routes. SIGHUP reads the configuration again.",
  },
  parameters: {
    flags: {
      config: {
        kind: "parsed",
        parse: String,
        brief: "The configuration (docs/agent-config.md)",
        placeholder: "file",
        default: "/etc/trivet/agent.yaml",
      },
      check: { kind: "boolean", brief: "Only check the configuration", default: false },
    },
  },
  async func({ config, check }) {
    const { checkConfig, runAgent } = await import("@trivet/agent");
    if (check) {
      checkConfig(config);
      this.print(`${config} is valid`);
    } else await runAgent({ config, version: VERSION });
  },
});
