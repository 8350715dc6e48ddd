// Makes a fresh clone runnable: installs the npm packages when node_modules is missing or older than the lockfile.
// Runs on whatever Node the machine has, before anything is installed, so it depends on nothing.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".trivet-lock");
const major = Number(process.versions.node.split(".")[0]);

if (major < 20) {
  console.error(
    `trivet: Node.js ${process.versions.node} is too old to install the project; any release from 20 on will do (trivet then runs on its own pinned Node).`,
  );
  process.exit(1);
}

const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const have = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";

if (have !== wanted) {
  console.error("trivet: installing the npm packages (once for each change of package-lock.json) ...");
  // `npm ci` refuses a lockfile that lacks optional packages for other platforms, which registry mirrors often do not carry; `npm
  // install` takes the same locked versions and does not mind.
  if (!npm("ignore", "ci", "--loglevel=silent") && !npm("inherit", "install", "--no-save", "--loglevel=error")) {
    console.error("trivet: `npm install` failed; its own message is above. Mend that and run the command again.");
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

function npm(stderr, ...args) {
  return spawnSync("npm", args, { cwd: root, stdio: ["ignore", "ignore", stderr] }).status === 0;
}
