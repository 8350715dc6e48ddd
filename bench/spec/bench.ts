// Whole commands, from the start of the process to its end: `--help`, and check and render of the hive example; bundled as it is
// packed. And check of a made-up cluster of 50 servers and 5,000 instances, and `whatif` of the hive.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { BenchOptions, Report } from "../report.ts";
import { large } from "./large.ts";

const root = join(import.meta.dirname, "../..");
const HIVE = join(root, "examples/hive/cluster.yaml");

export async function run({ runs, progress }: BenchOptions): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "trivet-bench-spec-"));
  try {
    progress("bundling");
    await build({
      entryPoints: { trivet: join(root, "packages/cli/src/main.ts") },
      outdir: folder,
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      platform: "node",
      target: "node24",
      external: ["koffi"],
      banner: {
        js: 'import { createRequire as __require } from "node:module"; const require = __require(import.meta.url);',
      },
      logLevel: "error",
    });
    writeFileSync(join(folder, "package.json"), '{"type": "module"}');
    const big = join(folder, "cluster.yaml");
    writeFileSync(big, large(50, 5000));
    const bundled = join(folder, "trivet.js");
    const source = join(root, "packages/cli/src/main.ts");
    const out = join(folder, "out");
    const figures: Record<string, number> = {};
    const measure = (name: string, entry: string, ...commands: string[][]) => {
      progress(name);
      const samples = Array.from({ length: runs }, () => {
        const started = performance.now();
        for (const argv of commands) command(entry, argv);
        return performance.now() - started;
      }).sort((a, b) => a - b);
      figures[name] = samples[Math.floor(samples.length / 2)] ?? Number.NaN;
      return figures[name];
    };
    const bare = measure("bare Node", "-e", [""]);
    const help = measure("--help", bundled, ["--help"]);
    const both = measure("check + render of the hive", bundled, ["check", HIVE], ["render", HIVE, "--out", out]);
    const whatif = measure("whatif of the hive, all pairs", bundled, ["whatif", HIVE]);
    const check = measure("check of 50 servers, 5,000 instances", bundled, ["check", big]);
    const helpSource = measure("--help, from source", source, ["--help"]);
    const bothSource = measure(
      "check + render of the hive, from source",
      source,
      ["check", HIVE],
      ["render", HIVE, "--out", out],
    );
    return {
      title: "trivet's commands on cluster.yaml",
      method: `Median of ${runs} runs of whole commands, each a process of its own, one after the other. Bundled as \`npm run pack\` does, unless said.`,
      tables: [
        {
          title: "Milliseconds",
          columns: ["command", "ms"],
          rows: [
            ["node -e ''", bare.toFixed(0)],
            ["trivet --help", help.toFixed(0)],
            ["trivet --help, from source", helpSource.toFixed(0)],
            ["trivet check && trivet render, hive", both.toFixed(0)],
            ["trivet check && trivet render, hive, from source", bothSource.toFixed(0)],
            ["trivet whatif, hive, all pairs", whatif.toFixed(0)],
            ["trivet check, 50 servers and 5,000 instances", check.toFixed(0)],
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

function command(entry: string, argv: readonly string[]): void {
  const env = { ...process.env, HIVE_BGP_PASSWORD: "bench", TRIVET_AGENT_PASSWORD: "bench" };
  const { status, stderr } = spawnSync(process.execPath, [entry, ...argv], { env, encoding: "utf8", timeout: 60_000 });
  if (status !== 0) throw new Error(`trivet ${argv.join(" ")} ended with ${status}: ${stderr}`);
}
