import { buildCommand } from "@stricli/core";
import type { StatusAnswer } from "@trivet/agent";
import type { Context } from "../context.ts";
import { jsonFlag, socketFlag } from "../flags.ts";

interface Flags {
  readonly json: boolean;
  readonly socket?: string;
}

export const status = buildCommand<Flags, [], Context>({
  docs: { brief: "Shows what this server's agent knows" },
  parameters: { flags: { json: jsonFlag, socket: socketFlag } },
  async func({ json, socket }) {
    const { AgentClient } = await import("@trivet/agent");
    await using agent = new AgentClient(socket);
    const answer = await agent.get<StatusAnswer>("/v1/status");
    if (json) return this.printJson(answer);
    this.print(
      `${answer.server}: trivet ${answer.version}, ${answer.ready ? "ready" : "starting"} since ${answer.startedAt}`,
    );
  },
});
