import { TOOL } from "../build/platform.ts";
import { CommandError } from "../host/run.ts";
import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";

interface Instance {
  readonly name: string;
  readonly state: {
    readonly network: Readonly<
      Record<string, { readonly addresses: readonly { address: string; family: string; scope: string }[] }>
    > | null;
  } | null;
}

/**
 * The public IPv6 addresses that a project's instances got from their OVN networks, by name: what the first server says that answers.
 *
 * @throws CommandError when none does
 */
export async function publicAddresses(lab: Lab, project: string): Promise<ReadonlyMap<string, string>> {
  const { client } = TOOL[lab.topology.options.platform];
  let failed: Error = new LabError(`no server of lab ${lab.name} is on`, "`trivet lab up` powers them on");
  for (const server of lab.servers) {
    if (!(await server.running())) continue;
    try {
      return addresses(await server.sh(`timeout 20 ${client} query '/1.0/instances?recursion=2&project=${project}'`));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failed = error;
    }
  }
  throw failed;
}

function addresses(text: string): Map<string, string> {
  return new Map(
    (JSON.parse(text) as Instance[]).flatMap(({ name, state }) => {
      const all = state?.network?.["eth0"]?.addresses ?? [];
      const own = all.find(({ family, scope }) => family === "inet6" && scope === "global");
      return own === undefined ? [] : [[name, own.address] as const];
    }),
  );
}
