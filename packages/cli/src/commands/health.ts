import { buildCommand } from "@stricli/core";
import type { CheckView, HealthAnswer } from "@trivet/agent";
import type { Context } from "../context.ts";
import { jsonFlag, socketFlag } from "../flags.ts";
import { table } from "../table.ts";

interface Flags {
  readonly json: boolean;
  readonly socket?: string;
}

export const health = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Shows the health checks of this server's instances",
    fullDescription:
      "Ends with 0 when all checks pass, 1 when one fails, did not pass yet or cannot be checked, or the agent has not read LXD yet.",
  },
  parameters: { flags: { json: jsonFlag, socket: socketFlag } },
  async func({ json, socket }) {
    const { AgentClient } = await import("@trivet/agent");
    await using agent = new AgentClient(socket);
    const answer = await agent.get<HealthAnswer>("/v1/health");
    // Before it has read LXD, the agent does not know the server's name.
    this.exit(answer.server !== "" && answer.checks.every(({ state }) => state === "passing") ? 0 : 1);
    if (json) return this.printJson(answer);
    if (answer.server === "") return this.print("the agent has not read LXD yet, and knows of no checks");
    if (answer.checks.length === 0) return this.print(`no instance on ${answer.server} has a health check`);
    const rows = answer.checks.map((check) => row(this, check));
    this.print(table(["INSTANCE", "CHECK", "STATE", "SINCE", "NEXT", "TARGET", "LAST ERROR"], rows));
    return undefined;
  },
});

const COLOURS = { passing: "green", failing: "red", pending: "yellow", unknown: "yellow" } as const;

function row(context: Context, view: CheckView): string[] {
  const { project, instance, device, check, state, verdict, since, next, target, error = "" } = view;
  const shown = state === "unknown" ? `unknown, was ${verdict}` : state;
  return [
    `${project}/${instance}`,
    device === undefined ? check : `${device}/${check}`,
    context.paint(COLOURS[state], shown),
    toSeconds(since),
    next === undefined ? "now" : `in ${Math.max(0, Math.round((Date.parse(next) - Date.now()) / 1_000))} s`,
    target,
    error,
  ];
}

function toSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, "Z");
}
