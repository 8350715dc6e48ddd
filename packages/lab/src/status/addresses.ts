import { TOOL } from "../build/platform.ts";
import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";

interface InstanceState {
  readonly network: Readonly<
    Record<string, { readonly addresses: readonly { address: string; family: string; scope: string }[] }>
  > | null;
}

/**
 * The public IPv6 address that an instance got from its OVN network, as the platform tells.
 *
 * @throws LabError when it has none
 */
export async function publicAddress(lab: Lab, { name, project }: { name: string; project: string }): Promise<string> {
  const { client } = TOOL[lab.topology.options.platform];
  for (const server of lab.servers) {
    if (!(await server.running())) continue;
    const text = await server.sh(`timeout 15 ${client} query '/1.0/instances/${name}/state?project=${project}'`);
    const { network } = JSON.parse(text) as InstanceState;
    const own = network?.["eth0"]?.addresses.find(({ family, scope }) => family === "inet6" && scope === "global");
    if (own !== undefined) return own.address;
    break;
  }
  throw new LabError(`${name} has no public address`, "`trivet lab status` says what is wrong with the lab");
}
