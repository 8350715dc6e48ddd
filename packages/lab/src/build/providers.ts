import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../host/run.ts";
import { ip } from "../runtime/fabric.ts";
import type { Lab } from "../runtime/lab.ts";
import { providerRouter, worldRouter } from "../topology/router-config.ts";
import { CLIENT_SOURCES } from "../topology/topology.ts";
import type { Step } from "./step.ts";

const DAEMONS = ["zebra", "staticd", "bfdd", "bgpd"] as const;

/** Two provider routers and, beyond them, the client host: FRR in a namespace each. */
export const providersStep: Step = {
  key: "providers",
  title: "Providers and client",
  always: true,
  async run(lab) {
    await ip(lab.places.namespace("client"), [
      ...CLIENT_SOURCES.ipv4.map((address) => `address replace ${address}/32 dev lo`),
      ...CLIENT_SOURCES.ipv6.map((address) => `address replace ${address}/128 dev lo nodad`),
    ]);
    const configs = [
      ...lab.topology.providers.map((provider) => [provider.name, providerRouter(provider, lab.topology)] as const),
      ["client", worldRouter(lab.topology)] as const,
    ];
    for (const [part, config] of configs) {
      for (const key of ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"])
        await lab.exec(part, ["sysctl", "-qw", `${key}=${part === "client" ? 0 : 1}`]);
      // Flows, not destinations, are spread over equal paths, by a hash reckoned anew (policy 3): all is one kernel, with one key for it,
      // so the client leaves the source's address out, the providers the protocol, and the routers nothing.
      const fields = part === "client" ? 0x36 : 0x33;
      for (const family of ["ipv4", "ipv6"])
        for (const setting of ["policy=3", `fields=${fields}`])
          await lab.exec(part, ["sysctl", "-qw", `net.${family}.fib_multipath_hash_${setting}`]);
      await startFrr(lab, part, config);
    }
  },
};

/** The folder of a namespace's FRR: its configuration, and its vty and zebra sockets. */
export function frrFolder(lab: Lab, part: string): string {
  return join(lab.places.runtime, part);
}

/** Asks a provider's or the client's FRR, as `vtysh -c` does. */
export async function vtysh(lab: Lab, part: string, command: string): Promise<string> {
  const { stdout } = await run(["vtysh", "--vty_socket", frrFolder(lab, part), "-c", command]);
  return stdout;
}

async function startFrr(lab: Lab, part: string, config: string): Promise<void> {
  const folder = frrFolder(lab, part);
  mkdirSync(folder, { recursive: true });
  await run(["chown", "frr:frr", folder]);
  const file = join(folder, "frr.conf");
  writeFileSync(file, config);
  for (const daemon of DAEMONS) {
    const pidFile = join(folder, `${daemon}.pid`);
    if (alive(pidFile, daemon)) continue;
    const common = ["-d", "-f", "/dev/null", "-i", pidFile, "--vty_socket", folder, "-z", join(folder, "zserv.api")];
    const own = daemon === "bfdd" ? ["--bfdctl", join(folder, "bfdd.sock")] : [];
    // Beside a whole lab and whatever else the machine does, bfdd would be late.
    const first = ["nice", "-n", "-15"];
    await lab.exec(part, [...first, `/usr/lib/frr/${daemon}`, ...common, ...own, "-A", "127.0.0.1"]);
  }
  await run(["vtysh", "--vty_socket", folder, "-f", file]);
}

function alive(pidFile: string, program: string): boolean {
  if (!existsSync(pidFile)) return false;
  const comm = `/proc/${readFileSync(pidFile, "utf8").trim()}/comm`;
  return existsSync(comm) && readFileSync(comm, "utf8").trim() === program;
}
