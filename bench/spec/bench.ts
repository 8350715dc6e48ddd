// Whole commands, from the start of the process to its end: `--help`, and check and render of the hive example; bundled as it is
// packed. And check of a made-up cluster of 50 servers and 5,000 instances, and `whatif` of the hive.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../scripts/bundle.ts";
import type { BenchOptions, Report } from "../report.ts";
import { large } from "./large.ts";

const root = join(import.meta.dirname, "../..");
const HIVE = join(root, "examples/hive/cluster.yaml");

/** A command takes a fraction of a second: more of them make a steadier median. */
const SAMPLES = 11;

export async function run({ progress }: BenchOptions): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "trivet-bench-spec-"));
  try {
    progress("bundling");
    await bundle(folder);
    writeFileSync(join(folder, "package.json"), '{"type": "module"}');
    const big = join(folder, "cluster.yaml");
    writeFileSync(big, large(50, 5000));
    const bundled = join(folder, "trivet.js");
    const source = join(root, "packages/cli/src/main.ts");
    const out = join(folder, "out");
    const figures: Record<string, number> = {};
    const measure = (name: string, entry: string, ...commands: string[][]) => {
      progress(name);
      const samples = Array.from({ length: SAMPLES + 1 }, () => {
        // Every run writes the whole tree.
        rmSync(out, { recursive: true, force: true });
        const started = performance.now();
        for (const argv of commands) command(entry, argv, folder);
        return performance.now() - started;
      });
      // The first run after an installation compiles; V8's code is kept for the next.
      const usual = samples.slice(1).sort((a, b) => a - b);
      figures[name] = usual[Math.floor(usual.length / 2)] ?? Number.NaN;
      return figures[name];
    };
    const hive = [
      ["check", HIVE],
      ["render", HIVE, "--out", out],
    ];
    const bare = measure("bare Node", "-e", [""]);
    const help = measure("--help", bundled, ["--help"]);
    const both = measure("check + render of the hive", bundled, ...hive);
    const whatif = measure("whatif of the hive, all pairs", bundled, ["whatif", HIVE]);
    const check = measure("check of 50 servers, 5,000 instances", bundled, ["check", big]);
    const helpSource = measure("--help, from source", source, ["--help"]);
    const bothSource = measure("check + render of the hive, from source", source, ...hive);
    const row = (name: string, ms: number, starts: number): string[] => [
      name,
      ms.toFixed(0),
      Math.max(0, ms - starts * bare).toFixed(0),
    ];
    return {
      title: "trivet's commands on cluster.yaml",
      method: `Median of ${SAMPLES} runs of whole commands, each a process of its own, one after the other, after one that is not counted. Bundled as \`npm run pack\` does, unless said. The last column is without what Node alone takes to start.`,
      tables: [
        {
          title: "Milliseconds",
          columns: ["command", "ms", "without Node's start"],
          rows: [
            row("node -e ''", bare, 1),
            row("trivet --help", help, 1),
            row("trivet --help, from source", helpSource, 1),
            row("trivet check && trivet render, hive", both, 2),
            row("trivet check && trivet render, hive, from source", bothSource, 2),
            row("trivet whatif, hive, all pairs", whatif, 1),
            row("trivet check, 50 servers and 5,000 instances", check, 1),
          ],
        },
      ],
      goals: [
        { name: "start-up of `--help`", measured: help, limit: 150, unit: "ms", kind: "at most" },
        { name: "check and render of the hive", measured: both, limit: 400, unit: "ms", kind: "at most" },
        { name: "whatif of the hive, all pairs", measured: whatif, limit: 2000, unit: "ms", kind: "at most" },
        { name: "check of 50 servers and 5,000 instances", measured: check, limit: 3000, unit: "ms", kind: "at most" },
      ],
      data: figures,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function command(entry: string, argv: readonly string[], home: string): void {
  const env = { ...process.env, HIVE_BGP_PASSWORD: "bench", TRIVET_AGENT_PASSWORD: "bench", XDG_CACHE_HOME: home };
  const { status, stderr } = spawnSync(process.execPath, [entry, ...argv], { env, encoding: "utf8", timeout: 60_000 });
  if (status !== 0) throw new Error(`trivet ${argv.join(" ")} ended with ${status}: ${stderr}`);
}
