import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export interface Requirements {
  /** Programs that must be on the PATH (or in the folders where Debian keeps daemons). */
  readonly programs?: readonly string[];
}

const DAEMON_FOLDERS = ["/usr/sbin", "/sbin", "/usr/lib/frr"];

/**
 * What this machine lacks to run a lab.
 *
 * @returns one sentence a missing thing, each with its remedy; empty when nothing is missing
 */
export function missingRequirements({ programs = [] }: Requirements = {}): string[] {
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push("root is needed: run it with sudo");
  const absent = programs.filter((program) => findProgram(program) === undefined);
  if (absent.length > 0)
    missing.push(`not installed: ${absent.join(", ")}; \`sudo scripts/lab-packages\` installs all that the lab needs`);
  return missing;
}

/** The path of a program, or `undefined`. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...DAEMON_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
