import { buildCommand } from "@stricli/core";
import type { ExplainAnswer, RoutesAnswer, RouteView, ServerExplanation } from "@trivet/agent";
import type { Context } from "../context.ts";
import { jsonFlag, socketFlag } from "../flags.ts";
import { table } from "../table.ts";

interface Flags {
  readonly json: boolean;
  readonly socket?: string;
  readonly refused: boolean;
  readonly explain?: string;
}

export const routes = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Shows what this server announces, or why a prefix is or is not announced on every server",
    customUsage: [
      "[--refused] [--json]",
      { input: "--explain 203.0.113.53", brief: "Ask every server about one prefix or address" },
    ],
  },
  parameters: {
    flags: {
      explain: { kind: "parsed", parse: String, brief: "A prefix or address", placeholder: "prefix", optional: true },
      refused: { kind: "boolean", brief: "Also show what is not announced, and why", default: false },
      json: jsonFlag,
      socket: socketFlag,
    },
  },
  async func({ json, socket, refused, explain }) {
    const { AgentClient } = await import("@trivet/agent");
    await using agent = new AgentClient(socket);
    if (explain !== undefined) {
      const query = new URLSearchParams({ prefix: explain, everywhere: "true" });
      const answer = await agent.get<ExplainAnswer>(`/v1/routes/explain?${query.toString()}`);
      if (json) return this.printJson(answer);
      this.print(this.paint("bold", answer.prefix));
      for (const server of answer.servers) printServer(this, server);
      return undefined;
    }
    const answer = await agent.get<RoutesAnswer>(`/v1/routes${refused ? "?refused=true" : ""}`);
    if (json) return this.printJson(answer);
    if (answer.routes.length === 0) this.print(answer.ready ? "nothing is announced" : "LXD was not read in full yet");
    this.print(table(["PREFIX", "NEXT HOP", "ATTRIBUTES", "WHY"], answer.routes.map(routeRow)));
    const rows = answer.refused?.map(({ prefix, source, why }) => [prefix, source, why]) ?? [];
    if (rows.length > 0) this.print(`\nNot announced:\n${table(["PREFIX", "WHAT", "WHY NOT"], rows)}`);
  },
});

function routeRow({ prefix, nextHop, attributes, reasons, heldBack = [] }: RouteView): string[] {
  const said = Object.entries(attributes ?? {}).map(([name, value]) => `${name} ${String(value)}`);
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : "";
  const held = heldBack.map((why) => `; held back: ${why}`).join("");
  return [prefix, nextHop, said.join(" "), `${reasons[0] ?? ""}${more}${held}`];
}

function printServer(context: Context, answer: ServerExplanation): void {
  if ("error" in answer) {
    context.print(`  ${answer.server}: ${context.paint("yellow", `could not be asked: ${answer.error}`)}`);
    return;
  }
  context.print(`  ${answer.server}: ${context.paint(answer.announced ? "green" : "dim", answer.verdict)}`);
  for (const reason of answer.route?.reasons.slice(1) ?? []) context.print(`    also: ${reason}`);
  const [, ...rest] = answer.refused;
  for (const { source, why } of answer.announced ? answer.refused : rest)
    context.print(`    not for: ${source}: ${why}`);
}
