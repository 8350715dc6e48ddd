import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Whether an agent ran before in this boot of the server, as a file in /run tells; from now on one did.
 *
 * The server forwards packets without the agent, so the forwarding state outlives any agent (RFC 4724: the R and F bits) but not the
 * server's reboot, which empties /run and changes the kernel's boot id.
 */
export function ranSinceBoot(path: string): boolean {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const before = readIfThere(path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, boot);
  return before === boot;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
