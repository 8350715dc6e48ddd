import { buildCommand } from "@stricli/core";
import type { Consequence } from "@trivet/audit";
import type { Context } from "../context.ts";
import { jsonFlag } from "../flags.ts";
import { table } from "../table.ts";

interface Flags {
  readonly json: boolean;
  readonly lose?: readonly string[];
  readonly all: boolean;
}

/** Lines of a ranking that are shown without --all. */
const SHOWN = 12;

export const whatif = buildCommand<Flags, [string], Context>({
  docs: {
    brief: "Says what survives when parts of the cluster fail",
    fullDescription: "Without --lose it ranks all single failures, then all pairs, by what they take down.",
    customUsage: [
      "[file] [--all] [--json]",
      { input: "cluster.yaml --lose sw01 --lose langara/nvme", brief: "What is left without these" },
    ],
  },
  parameters: {
    flags: {
      lose: {
        kind: "parsed",
        parse: String,
        brief: "A part that fails: a server, switch, feed, line, SERVER/DISK, SERVER/PORT …",
        placeholder: "name",
        optional: true,
        variadic: true,
      },
      all: { kind: "boolean", brief: "Show all of the ranking", default: false },
      json: jsonFlag,
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "The cluster's file", parse: String, placeholder: "file", default: "cluster.yaml" }],
    },
  },
  async func({ json, lose: names, all }, path) {
    const [{ readCluster }, { lose, whatIf }] = await Promise.all([import("@trivet/spec"), import("@trivet/audit")]);
    const cluster = readCluster(path);
    if (names !== undefined && names.length > 0) {
      const result = lose(cluster, names);
      if (json) return this.printJson(view(result));
      return printOutcome(this, result);
    }
    const { singles, pairs, singlePoints, pairsTried } = whatIf(cluster);
    if (json)
      return this.printJson({
        singlePointsOfFailure: singlePoints.map((point) => Object.assign(view(point), { remedy: point.remedy })),
        singles: singles.map(view),
        pairs: pairs.map(view),
        pairsTried,
      });
    this.print(
      this.paint("bold", singlePoints.length === 0 ? "No single failure ends a service." : "Single points of failure:"),
    );
    for (const { lost, down, remedy } of singlePoints)
      this.print(`  ${this.paint("red", lost[0]?.label ?? "")}: ends ${down.join(", ")}\n    = ${remedy}`);
    const rest = singles.filter(
      ({ down, outcome, degraded }) =>
        down.length === 0 && degraded.length + outcome.moved.length + outcome.stopped.length > 0,
    );
    this.print(`\n${this.paint("bold", "Other single failures, the worst first:")}`);
    this.print(ranking(rest, all));
    this.print(
      `\n${this.paint("bold", `Pairs that end what neither ends alone (${pairs.length} of ${pairsTried}), the worst first:`)}`,
    );
    this.print(ranking(pairs, all));
    return undefined;
  },
});

function ranking(list: readonly Consequence[], all: boolean): string {
  const shown = all ? list : list.slice(0, SHOWN);
  const rows = shown.map(({ lost, down, degraded, outcome }) => [
    `  ${lost.map(({ label }) => label).join(" + ")}`,
    down.length > 0 ? brief(down) : "-",
    down.length > 0 ? "" : brief(degraded),
    String(outcome.moved.length),
    String(outcome.stopped.length),
  ]);
  const more = list.length > shown.length ? `\n  and ${list.length - shown.length} more (--all)` : "";
  return `${table(["  FAILURE", "ENDS", "WEAKENS", "MOVED", "STOPPED"], rows)}${more}`;
}

function brief(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ");
}

function printOutcome(context: Context, { lost, outcome }: Consequence): void {
  const colours = { up: "green", degraded: "yellow", down: "red" } as const;
  context.print(context.paint("bold", `Without ${lost.map(({ label }) => label).join(" and ")}:`));
  context.print(
    table(
      ["  SERVICE", "STATE", "WHY"],
      outcome.services.map(({ name, status, reason }) => [`  ${name}`, context.paint(colours[status], status), reason]),
    ),
  );
  if (outcome.moved.length > 0) context.print(`\nStart again elsewhere: ${outcome.moved.join(", ")}`);
  if (outcome.stopped.length > 0)
    context.print(
      `\nDo not run:\n${table(
        ["  INSTANCE", "WHY"],
        outcome.stopped.map(({ instance, reason }) => [`  ${instance}`, reason]),
      )}`,
    );
  if (outcome.shortage.memory > 0)
    context.print(`\n${(outcome.shortage.memory / 2 ** 30).toFixed(1)} GiB of memory are missing.`);
}

function view({ lost, down, degraded, outcome }: Consequence): object {
  return { lost: lost.map(({ name }) => name), down, degraded, ...outcome };
}
