// Every static check, one after the other; all of them run even when one fails.
import { spawnSync } from "node:child_process";

/** @type {[string, string, string[]][]} */
const checks = [
  ["types", "tsc", ["-b"]],
  ["lint", "oxlint", ["--type-aware", "--deny-warnings"]],
  ["format", "oxfmt", ["--check"]],
  ["rooms", "node", ["scripts/rooms.mjs"]],
  ["unused", "knip", ["--no-config-hints"]],
  ["cycles", "knip", ["--cycles", "--no-config-hints"]],
];

const only = process.argv.slice(2);
const failed = [];
for (const [name, command, args] of checks) {
  if (only.length > 0 && !only.includes(name)) continue;
  const started = performance.now();
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error)
    console.error(`check: cannot run ${command}: ${error.message}; run \`npm run check\`, not this script by itself`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`check: ${name}: ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`check: failed: ${failed.join(", ")}`);
  process.exit(1);
}
