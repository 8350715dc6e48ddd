// Makes a fresh clone runnable: installs the npm packages when node_modules is missing or older than the lockfile.
// Runs on whatever Node the machine has, before anything is installed, so it depends on nothing.
import { execFileSync } from "node:child_process";
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
  try {
    execFileSync("npm", ["ci", "--loglevel=error"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    console.error("trivet: `npm ci` failed; its own message is above. Mend that and run the command again.");
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}
