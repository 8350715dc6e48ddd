import { readFileSync } from "node:fs";
import { run } from "../host/run.ts";
import type { Suite } from "./packages.ts";

/**
 * Where this machine gets its own packages, as apt source lines for a suite: the same mirrors, the other release.
 *
 * @returns no lines when the machine is not Debian, whose mirrors then hold no Debian suite: mmdebstrap knows a default
 */
export async function aptSources(suite: Suite): Promise<string[]> {
  const os = osRelease(readFileSync("/etc/os-release", "utf8"));
  const own = os["VERSION_CODENAME"];
  if (os["ID"] !== "debian" || own === undefined) return [];
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
  const command = ["apt-get", "indextargets", "--format", format, "Created-By: Packages", "Component: main"] as const;
  const { stdout } = await run(command);
  return sourceLines(stdout, own, suite);
}

/** Source lines from `URI RELEASE COMPONENT` lines; of the machine's releases only `own`, its updates and its security fixes count. */
export function sourceLines(targets: string, own: string, suite: Suite): string[] {
  const wanted = new Set([own, `${own}-updates`, `${own}-security`]);
  const lines = targets
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, release]) => wanted.has(release ?? ""))
    .map(([uri, release, component]) => `deb ${uri} ${release?.replace(own, suite)} ${component}`);
  return [...new Set(lines)];
}

function osRelease(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/^(\w+)=(?:"(.*)"|(.*))$/gm)];
  return Object.fromEntries(pairs.map(([, key, quoted, bare]) => [key, quoted ?? bare ?? ""]));
}
