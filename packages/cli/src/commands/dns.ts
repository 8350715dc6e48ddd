import { buildCommand, buildRouteMap } from "@stricli/core";
import type { DnsStatus, RecordView } from "@trivet/agent";
import type { Context } from "../context.ts";
import { jsonFlag, socketFlag } from "../flags.ts";
import { table } from "../table.ts";

interface Flags {
  readonly json: boolean;
  readonly socket?: string;
}

const flags = { json: jsonFlag, socket: socketFlag };

const status = buildCommand<Flags, [], Context>({
  docs: { brief: "Shows the zones, their serials, the secondaries, and what could not be used" },
  parameters: { flags },
  async func({ json, socket }) {
    const { AgentClient } = await import("@trivet/agent");
    await using agent = new AgentClient(socket);
    const answer = await agent.get<DnsStatus>("/v1/dns");
    if (json) return this.printJson(answer);
    this.print(`answering on ${answer.listen.join(", ")}`);
    const zones = answer.zones.map(({ origin, serial, records, behind }) => [
      origin,
      String(serial ?? "-"),
      String(records),
      behind ? this.paint("yellow", "newer content waits for its serial") : "",
    ]);
    this.print(`\n${table(["ZONE", "SERIAL", "RECORDS", ""], zones)}`);
    for (const { where, key, why } of answer.problems)
      this.print(this.paint("yellow", `not used: ${where}${key === undefined ? "" : `: ${key}`}: ${why}`));
    return undefined;
  },
});

const records = buildCommand<Flags & { readonly zone?: string }, [], Context>({
  docs: { brief: "Prints the records of all zones, or of one, as a zone file has them" },
  parameters: {
    flags: {
      ...flags,
      zone: { kind: "parsed", parse: String, brief: "Only this zone", placeholder: "name", optional: true },
    },
  },
  async func({ json, socket, zone }) {
    await printRecords(this, socket, zone === undefined ? {} : { zone }, json, ({ record }) => record);
  },
});

const explain = buildCommand<Flags, [string], Context>({
  docs: { brief: "Prints the records of a name, and why each is there" },
  parameters: {
    flags,
    positional: { kind: "tuple", parameters: [{ brief: "A full domain name", placeholder: "name", parse: String }] },
  },
  async func({ json, socket }, name) {
    await printRecords(this, socket, { name }, json, ({ record, why }) => `${record}\n    ${why}`);
  },
});

async function printRecords(
  context: Context,
  socket: string | undefined,
  which: Record<string, string>,
  json: boolean,
  text: (view: RecordView) => string,
): Promise<void> {
  const { AgentClient } = await import("@trivet/agent");
  await using agent = new AgentClient(socket);
  const answer = await agent.get<RecordView[]>(`/v1/dns/records?${new URLSearchParams(which).toString()}`);
  if (json) context.printJson(answer);
  else if (answer.length > 0) context.print(answer.map(text).join("\n"));
  else context.print("there are no such records");
}

export const dns = buildRouteMap({
  routes: { status, records, explain },
  docs: { brief: "Shows what the agent of this server answers to DNS queries, and why" },
});
