import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeBmcFiles } from "../bmc/files.ts";
import { CommandError, run } from "../host/run.ts";
import { ip } from "../runtime/fabric.ts";
import type { Lab } from "../runtime/lab.ts";
import type { Step } from "./step.ts";

const PART = "bmc";
// Bundled, a process of its own needs a file of its own.
const PROGRAM = fileURLToPath(
  import.meta.url.endsWith(".ts") ? new URL("../bmc/main.ts", import.meta.url) : new URL("lab-bmc.js", import.meta.url),
);

/** The servers' BMCs: one process with an address each, in a namespace plugged into INFRA-BMC. */
export const bmcStep: Step = {
  key: "bmc",
  title: "BMCs",
  always: true,
  async run(lab) {
    await plug(lab);
    await makeBmcFiles(lab);
    const { stdout } = await run(["ip", "netns", "pids", lab.places.namespace(PART)]);
    if (stdout.trim() === "") await start(lab);
  },
};

async function plug(lab: Lab): Promise<void> {
  const namespace = lab.places.namespace(PART);
  if (!existsSync(`/run/netns/${namespace}`)) await run(["ip", "netns", "add", namespace]);
  const { stdout } = await run(["ip", "-netns", namespace, "-br", "link"]);
  if (!stdout.includes("infra-bmc"))
    await ip(lab.places.namespace("fabric"), [
      `link add ${PART} type veth peer name infra-bmc netns ${namespace}`,
      `link set ${PART} master infra-bmc up`,
    ]);
  await ip(namespace, [
    "link set lo up",
    "link set infra-bmc up",
    ...lab.topology.servers.map(({ bmc }) => `address replace ${bmc}/24 dev infra-bmc`),
  ]);
}

async function start(lab: Lab): Promise<void> {
  const [program, ...args] = lab.argv(PART, [process.execPath, PROGRAM, lab.name]);
  const log = join(lab.places.logs, "bmc.log");
  const file = openSync(log, "a", 0o600);
  const child = spawn(program, args, { stdio: ["ignore", file, file, "ipc"], detached: true, cwd: "/" });
  const failed = once(child, "exit").then(([code, signal]: unknown[]) => {
    throw new CommandError([program, ...args].join(" "), String(code ?? signal), `see ${log}`);
  });
  closeSync(file);
  await Promise.race([once(child, "message"), failed]);
  child.removeAllListeners("exit").unref();
}
