import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../../../..");
const source = "packages/cli/src/main.ts";

/**
 * The trivet program that runs in the lab's servers: this one, with this Node. Servers see its folder, read-only, as `/srv/trivet`,
 * and Node as `/srv/node`. `unit` is the agent's systemd unit, as users install it.
 */
export const PROGRAM = existsSync(join(root, source))
  ? {
      root,
      node: process.execPath,
      entry: `/srv/trivet/${source}`,
      unit: join(root, "packages/agent/system/trivet-agent.service"),
    }
  : // Bundled, this file is the program itself.
    {
      root: import.meta.dirname,
      node: process.execPath,
      entry: `/srv/trivet/${import.meta.filename.split("/").at(-1)}`,
      unit: resolve(import.meta.dirname, "../../systemd/trivet-agent.service"),
    };
