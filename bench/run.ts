// Runs the benchmarks: `npm run bench [-- NAME...] [--json] [--save] [--runs N] [--only PROGRAM]...`. A benchmark is a folder here
// with a `bench.ts` that exports `run`. `--save` writes results/NAME.md.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BenchOptions, type Report, format, held } from "./report.ts";

const here = import.meta.dirname;
const known = readdirSync(here).filter((name) => existsSync(join(here, name, "bench.ts")));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
    runs: { type: "string", default: "5" },
    only: { type: "string", multiple: true, default: [] },
  },
});
const unknown = positionals.filter((name) => !known.includes(name));
const runs = Number(values.runs);
if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
  const what =
    unknown.length > 0 ? `no benchmark is called ${unknown.join(", ")}` : `--runs ${values.runs} is no count`;
  console.error(`bench: ${what}; there are: ${known.join(", ")}`);
  process.exit(2);
}

const options: BenchOptions = { runs, only: values.only, progress: (line) => console.error(`bench: ${line}`) };
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`;
const load = (): string => (loadavg()[0] ?? 0).toFixed(1);
const reports: Record<string, Report> = {};
for (const name of positionals.length > 0 ? positionals : known) {
  const { run } = (await import(join(here, name, "bench.ts"))) as { run: (options: BenchOptions) => Promise<Report> };
  const before = load();
  const report = await run(options).catch((error: Error) => {
    console.error(`bench ${name}: ${error.message}`);
    process.exit(1);
  });
  reports[name] = report;
  const text = `${format(report)}\nMeasured on: ${machine}; load average ${before} before and ${load()} after.\n`;
  if (!values.json) console.log(text);
  if (values.save) writeFileSync(join(here, "results", `${name}.md`), text);
}
if (values.json) {
  const benches = Object.entries(reports).map(([name, { goals, data }]) => ({
    name,
    goals: goals.map((goal) => ({ ...goal, held: held(goal) })),
    data,
  }));
  console.log(JSON.stringify({ machine, benches }, undefined, 2));
}
