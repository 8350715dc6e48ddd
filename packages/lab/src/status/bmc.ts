import { bmcFiles, readCredentials } from "../bmc/files.ts";
import { CommandError } from "../host/run.ts";
import type { Lab } from "../runtime/lab.ts";
import { SYSTEM } from "../bmc/resources.ts";
import type { LayerStatus } from "./status.ts";

/** What every BMC says of its server, and how to ask it. */
export async function bmcs(lab: Lab): Promise<Omit<LayerStatus, "layer">> {
  const files = bmcFiles(lab);
  const states = await Promise.all(
    lab.topology.servers.map(async ({ name, bmc }) => [name, await powerState(lab, bmc)] as const),
  );
  const silent = states.filter(([, state]) => state === undefined);
  const { user, password } = readCredentials(files);
  const addresses = lab.topology.servers.map(({ bmc }) => bmc).join(" ");
  return {
    state: silent.length === 0 ? "ok" : silent.length < states.length ? "degraded" : "down",
    detail: [
      ...states.map(([name, state]) => `${name} ${state ?? "does not answer"}`),
      `https at ${addresses}`,
      `user ${user}, password ${password}`,
    ].join(", "),
  };
}

async function powerState(lab: Lab, address: string): Promise<string | undefined> {
  try {
    const { stdout } = await lab.exec("fabric", bmcCurl(lab, address, SYSTEM));
    return (JSON.parse(stdout) as { readonly PowerState: string }).PowerState;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** The command line that asks a BMC, from where the workstation is; `args` are further ones of curl. */
export function bmcCurl(lab: Lab, address: string, path: string, ...args: string[]): string[] {
  const { certificate, netrc } = bmcFiles(lab);
  const trust = ["--cacert", certificate, "--netrc-file", netrc];
  return ["curl", "-sSf", "-m", "10", ...trust, ...args, `https://${address}${path}`];
}
