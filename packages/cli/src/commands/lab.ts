import { buildCommand, buildRouteMap } from "@stricli/core";
import type { LabOptions } from "@trivet/lab";
import type { Context } from "../context.ts";
import { writeSync } from "node:fs";
import { constants } from "node:os";
import { jsonFlag, labFlag } from "../flags.ts";
import { table } from "../table.ts";
import { probe } from "./lab-probe.ts";

interface NameFlags {
  readonly name: string;
}
interface UpFlags extends NameFlags {
  readonly platform?: LabOptions["platform"];
  readonly servers?: number;
  readonly without?: readonly "ceph"[];
  readonly bare: boolean;
  readonly json: boolean;
}

const up = buildCommand<UpFlags, [file?: string], Context>({
  docs: {
    brief: "Makes a whole cluster on this machine, or completes one",
    fullDescription:
      "Three servers (system containers), their wires, two providers and a client host; on them Open vSwitch, OVN, LXD or Incus,\n" +
      "Ceph, routers, services and trivet's agents. Needs root and `scripts/lab-packages`. Interrupted, it goes on when run again.\n" +
      "After a cluster.yaml it has that cluster's servers, networks and instances, and says what it has otherwise.",
  },
  parameters: {
    flags: {
      name: labFlag,
      platform: { kind: "enum", values: ["lxd", "incus"], brief: "What the servers run; lxd", optional: true },
      servers: { kind: "parsed", parse: Number, brief: "How many servers; 3", placeholder: "count", optional: true },
      without: { kind: "enum", values: ["ceph"], variadic: true, optional: true, brief: "Leave a layer out" },
      bare: { kind: "boolean", brief: "Stop at installed servers with sshd", default: false },
      json: jsonFlag,
    },
    positional: {
      kind: "tuple",
      parameters: [{ parse: String, brief: "A cluster.yaml", placeholder: "file", optional: true }],
    },
  },
  async func({ name, platform, servers, without = [], bare, json }, file) {
    const { labOfCluster, lineProgress, requireLab, terminalProgress, up } = await import("@trivet/lab");
    requireLab();
    const withoutCeph = without.includes("ceph");
    const given = {
      ...(platform === undefined ? {} : { platform }),
      ...(servers === undefined ? {} : { servers }),
    };
    const asked = { platform: "lxd", servers: 3, ceph: !withoutCeph, ...given } as const;
    const after = file === undefined ? undefined : labOfCluster(file, { ...given, withoutCeph });
    const options =
      after === undefined
        ? { ...asked, name, bare }
        : {
            platform: after.platform,
            servers: after.plan.servers.length,
            ceph: after.ceph,
            plan: after.plan,
            name,
            bare,
          };
    if (!json) for (const difference of after?.differences ?? []) this.print(`in the lab, ${difference}`);
    endsAtSignals(`the same command goes on from here, \`trivet lab down --name ${name}\` removes it`);
    const started = performance.now();
    const terminal = this.process.stdout.isTTY === true;
    const progress = terminal ? terminalProgress() : lineProgress((line) => this.print(line));
    const lab = await up(options, json ? undefined : progress);
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const memory = await lab.memory();
    if (json)
      return this.printJson({
        name,
        platform: options.platform,
        servers: lab.servers.map((server) => server.name),
        seconds,
        memory,
        differences: after?.differences ?? [],
      });
    this.print(
      `lab ${name} is up after ${seconds} s, with ${(memory / 2 ** 30).toFixed(1)} GiB of memory: ` +
        `trivet lab status, trivet lab exec ${lab.first.name} -- bash`,
    );
  },
});

/** Ctrl-C and a supervisor's signal end the command at once, with what to do now and the status that shells expect. */
function endsAtSignals(remedy: string): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      // Not process.stderr: the renderer of the steps holds it back.
      writeSync(2, `\ntrivet: interrupted: ${remedy}\n`);
      process.exit(128 + constants.signals[signal]);
    });
}

const down = buildCommand<NameFlags, [], Context>({
  docs: { brief: "Removes a lab and checks that nothing is left of it" },
  parameters: { flags: { name: labFlag } },
  async func({ name }) {
    const { down, requireLab } = await import("@trivet/lab");
    requireLab();
    await down(name);
    this.print(`lab ${name} is gone`);
  },
});

const status = buildCommand<NameFlags & { readonly json: boolean }, [], Context>({
  docs: { brief: "Shows the state of every layer; exit 0 healthy, 1 degraded, 4 a layer is down" },
  parameters: { flags: { name: labFlag, json: jsonFlag } },
  async func({ name, json }) {
    const { Lab, status } = await import("@trivet/lab");
    const layers = await status(Lab.open(name));
    if (layers.some((layer) => layer.state === "down")) this.exit(4);
    else if (layers.some((layer) => layer.state === "degraded")) this.exit(1);
    if (json) return this.printJson(layers);
    const colour = { ok: "green", degraded: "yellow", down: "red" } as const;
    const rows = layers.map(({ layer, state, detail }) => [layer, this.paint(colour[state], state), detail]);
    this.print(table(["LAYER", "STATE", "DETAIL"], rows));
  },
});

const list = buildCommand<{ readonly json: boolean }, [], Context>({
  docs: { brief: "Lists the labs on this machine" },
  parameters: { flags: { json: jsonFlag } },
  async func({ json }) {
    const { Lab, Places } = await import("@trivet/lab");
    const labs = Places.labs().flatMap((name) => Lab.find(name)?.topology.options ?? []);
    if (json) return this.printJson(labs);
    this.print(
      table(
        ["LAB", "PLATFORM", "SERVERS"],
        labs.map(({ name, platform, servers }) => [name, platform, String(servers)]),
      ),
    );
  },
});

const exec = buildCommand<NameFlags, [string, ...string[]], Context>({
  docs: { brief: "Runs a command in a server: trivet lab exec langara -- lxc list" },
  parameters: {
    flags: { name: labFlag },
    positional: {
      kind: "array",
      minimum: 2,
      parameter: { parse: String, brief: "The server, and the command with its arguments", placeholder: "word" },
    },
  },
  async func({ name }, server, ...command) {
    const { Lab, attach } = await import("@trivet/lab");
    this.exit(await attach(Lab.open(name).server(server).argv(command)));
  },
});

const ssh = buildCommand<NameFlags, [string, ...string[]], Context>({
  docs: { brief: "Opens an ssh session to a server over INFRA-HOSTS" },
  parameters: {
    flags: { name: labFlag },
    positional: {
      kind: "array",
      minimum: 1,
      parameter: { parse: String, brief: "The server, and a command for it", placeholder: "word" },
    },
  },
  async func({ name }, server, ...command) {
    const { Lab, attach } = await import("@trivet/lab");
    this.exit(await attach(Lab.open(name).sshArgv(server, command)));
  },
});

const words = (brief: string, maximum: number) => ({
  kind: "array" as const,
  maximum,
  parameter: { parse: String, brief, placeholder: "word" },
});

const fail = buildCommand<NameFlags & { readonly json: boolean }, string[], Context>({
  docs: { brief: "Breaks something: trivet lab fail power orilla; `trivet lab fail list` says what there is" },
  parameters: { flags: { name: labFlag, json: jsonFlag }, positional: words("The kind of fault and its target", 3) },
  async func({ name, json }, kind = "list", ...target) {
    const { FAULTS, Lab, activeFaults, fail } = await import("@trivet/lab");
    const lab = Lab.open(name);
    if (kind !== "list") return await fail(lab, kind, target.join(" "));
    const active = activeFaults(lab);
    const rows = Object.entries(FAULTS).map(([kind, { simulates, targets }]) => ({
      kind,
      simulates,
      targets: targets(lab),
      active: active.filter((fault) => fault.kind === kind).map((fault) => fault.target),
    }));
    if (json) return this.printJson(rows);
    const cells = rows.map((row) => [row.kind, row.targets.join(" "), row.active.join(" ") || "-", row.simulates]);
    this.print(table(["FAULT", "TARGETS", "ACTIVE", "IN THE RACK"], cells));
  },
});

const heal = buildCommand<NameFlags, string[], Context>({
  docs: { brief: "Undoes a fault, or all of them" },
  parameters: { flags: { name: labFlag }, positional: words("The kind of fault and its target; all unless told", 3) },
  async func({ name }, kind, ...target) {
    const { Lab, heal } = await import("@trivet/lab");
    const healed = await heal(Lab.open(name), kind === undefined ? undefined : { kind, target: target.join(" ") });
    this.print(
      healed.length === 0 ? "nothing to heal" : `healed ${healed.map((f) => `${f.kind} ${f.target}`).join(", ")}`,
    );
  },
});

export const lab = buildRouteMap({
  routes: { up, down, status, list, exec, ssh, probe, fail, heal },
  docs: { brief: "A whole highly available cluster on this machine, for real" },
});
