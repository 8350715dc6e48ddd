import { buildCommand, buildRouteMap } from "@stricli/core";
import type { DnsStatus, RecordView, ZoneView } from "@trivet/agent";
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
    for (const { address, answers, why } of answer.anycast)
      this.print(
        answers ? `anycast ${address}: announced` : this.paint("yellow", `anycast ${address}: withdrawn: ${why ?? ""}`),
      );
    const zones = answer.zones.map(({ origin, serial, records, behind }) => [
      origin,
      String(serial ?? "-"),
      String(records),
      behind ? this.paint("yellow", "newer content waits for its serial") : "",
    ]);
    this.print(`\n${table(["ZONE", "SERIAL", "RECORDS", ""], zones)}`);
    const told = answer.secondaries.map(({ zone, target, serial, state, problem }) => [
      target,
      zone,
      String(serial),
      problem === undefined ? state : this.paint("yellow", `${state}: ${problem}`),
    ]);
    if (told.length > 0) this.print(`\n${table(["SECONDARY", "ZONE", "TOLD", ""], told)}`);
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

const zone = buildCommand<Flags, [string], Context>({
  docs: { brief: "Prints a zone as it is answered, as a zone file" },
  parameters: {
    flags,
    positional: { kind: "tuple", parameters: [{ brief: "The zone", placeholder: "zone", parse: String }] },
  },
  async func({ json, socket }, name) {
    const { AgentClient } = await import("@trivet/agent");
    await using agent = new AgentClient(socket);
    const answer = await agent.get<ZoneView>(`/v1/dns/zone?${new URLSearchParams({ name }).toString()}`);
    if (json) this.printJson(answer);
    else this.print(answer.records.join("\n"));
  },
});

interface TransferFlags {
  readonly json: boolean;
  readonly socket?: string;
  readonly "tsig-file"?: string;
}

const transfer = buildCommand<TransferFlags, string[], Context>({
  docs: {
    brief:
      "Transfers a zone as a secondary does, and prints it as a zone file: trivet dns axfr @192.0.2.53 hive.example.net",
    fullDescription:
      "Asks this server's agent unless told, by the real protocol. A server is written as dig has it, with a port where it is not 53: " +
      "@192.0.2.53:5353. The key's file is as tsig-keygen or keymgr writes it, or holds hmac-sha256:NAME:SECRET. Ends with 69 when the " +
      "server refuses or does not answer.",
  },
  parameters: {
    flags: {
      ...flags,
      "tsig-file": {
        kind: "parsed",
        parse: String,
        brief: "A file with a TSIG key",
        placeholder: "file",
        optional: true,
      },
    },
    positional: {
      kind: "array",
      minimum: 1,
      maximum: 2,
      parameter: { parse: String, brief: "The zone, and @SERVER", placeholder: "word" },
    },
  },
  async func({ json, socket, "tsig-file": keyFile }, ...words) {
    const { transferZone } = await import("@trivet/agent");
    const server = words.find((word) => word.startsWith("@"))?.slice(1) ?? (await ownServer(socket));
    const zone = words.find((word) => !word.startsWith("@")) ?? ".";
    const records: string[] = [];
    for await (const line of transferZone({ zone, server, keyFile }))
      if (json) records.push(line);
      else this.print(line);
    if (json) this.printJson({ zone, records });
  },
});

/** Where this server's agent answers. */
async function ownServer(socket: string | undefined): Promise<string> {
  const { AgentClient } = await import("@trivet/agent");
  await using agent = new AgentClient(socket);
  const { listen } = await agent.get<DnsStatus>("/v1/dns");
  return listen[0] ?? "127.0.0.1";
}

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
  routes: { status, records, explain, zone, axfr: transfer },
  docs: { brief: "Shows what the agent of this server answers to DNS queries, and why" },
});
