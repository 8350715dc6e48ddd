import { buildCommand } from "@stricli/core";
import type { SessionAnswer, StatusAnswer } from "@trivet/agent";
import type { Context } from "../context.ts";
import { jsonFlag, socketFlag } from "../flags.ts";
import { table } from "../table.ts";

interface Flags {
  readonly json: boolean;
  readonly socket?: string;
}

export const status = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Shows what this server's agent knows and does",
    fullDescription: "Ends with 0 when all is well, 1 when something is degraded, 4 when nothing can be announced.",
  },
  parameters: { flags: { json: jsonFlag, socket: socketFlag } },
  async func({ json, socket }) {
    const { AgentClient } = await import("@trivet/agent");
    await using agent = new AgentClient(socket);
    const answer = await agent.get<StatusAnswer>("/v1/status");
    this.exit(severity(answer));
    if (json) return this.printJson(answer);
    const { routes, lxd, problems, members, checks } = answer;
    this.print(
      table(
        [this.paint("bold", answer.server || "(LXD not read yet)"), `trivet ${answer.version}`],
        [
          [
            "agent",
            `${answer.ready ? "ready" : this.paint("yellow", "not ready: LXD was not read in full yet")}${answer.draining ? ", draining" : ""}`,
          ],
          ["LXD", lxdLine(this, lxd)],
          ["members", members.map(({ name, status }) => `${name} ${status}`).join(", ") || "standalone"],
          ["knows", `${answer.instances} instances, ${answer.networks} networks`],
          ["routes", `${routes.announced} announced, ${routes.refused} not (\`trivet routes --refused\` says why)`],
          ["health", healthLine(this, checks)],
        ],
      ),
    );
    this.print(
      `\n${table(
        ["PEER", "AS", "STATE", "SENT", "LAST FAILURE"],
        answer.sessions.map((session) => sessionRow(this, session)),
      )}`,
    );
    for (const problem of problems) this.print(this.paint("yellow", `problem: ${problem}`));
  },
});

function severity({ ready, lxd, sessions, problems, checks }: StatusAnswer): number {
  const up = sessions.filter(({ state }) => state === "established").length;
  if (!ready || up === 0) return 4;
  return lxd.error !== undefined || up < sessions.length || problems.length > 0 || checks.failing > 0 ? 1 : 0;
}

function healthLine(context: Context, checks: StatusAnswer["checks"]): string {
  const some = Object.entries(checks).filter(([, count]) => count > 0);
  if (some.length === 0) return "no checks";
  const text = some.map(([state, count]) => `${count} ${state}`).join(", ");
  return checks.passing === some.reduce((sum, [, count]) => sum + count, 0)
    ? text
    : context.paint("yellow", `${text} (\`trivet health\` lists them)`);
}

function lxdLine(context: Context, { connected, error, since, parts }: StatusAnswer["lxd"]): string {
  if (error !== undefined) {
    const known = Object.values(parts)
      .map(({ readAt }) => readAt)
      .sort();
    const age = known[0] === undefined ? "" : `; what is known is as of ${known[0]}`;
    return context.paint("yellow", `since ${since ?? "?"}: ${error}${age}`);
  }
  return connected ? "followed" : context.paint("yellow", "not connected yet");
}

function sessionRow(context: Context, { peer, asn, state, prefixesSent, lastFailure }: SessionAnswer): string[] {
  const up = state === "established";
  return [
    peer,
    String(asn),
    context.paint(up ? "green" : "yellow", state),
    up ? `${prefixesSent[4]} v4, ${prefixesSent[6]} v6` : "",
    up || lastFailure === undefined ? "" : lastFailure.reason,
  ];
}
