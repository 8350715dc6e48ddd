import { ANYCAST, type Lab, type LabOptions, announcedRoutes, expectedRoutes, up } from "@trivet/lab";
import { eventually } from "@trivet/testing";

/** What the machine must have for them. */
export const NEEDS = { programs: ["lxc-start", "mmdebstrap", "ethtool", "vtysh", "bgpd", "dig", "curl", "ping"] };

/** The shared lab, healthy: made by the first who asks. */
export async function sharedLab(platform: LabOptions["platform"] = "lxd"): Promise<Lab> {
  const run = process.env["TRIVET_LAB_RUN"] ?? "keep";
  const lab = await up({
    name: `e${platform === "lxd" ? "" : "2"}${run}`,
    platform,
    servers: 3,
    ceph: false,
    bare: false,
  });
  await healthy(lab);
  return lab;
}

/** Waits until every router has exactly the routes of a healthy lab, and each name server answers on the anycast address. */
export async function healthy(lab: Lab): Promise<void> {
  const expected = expectedRoutes(lab.topology).join("\n");
  for (const { router } of lab.topology.servers)
    await eventually(
      `${router.name} has the routes of a healthy lab`,
      async () => (await table(lab, router.name)).join("\n") === expected,
      60_000,
    );
  // Flows are spread: sooner or later every server answers.
  for (const address of [ANYCAST.ipv4, ANYCAST.ipv6]) {
    const seen = new Set<string>();
    await eventually(
      `all name servers answer on ${address}`,
      async () => seen.add(await whoAnswers(lab, address)).size === lab.servers.length,
      60_000,
    );
  }
}

/** The name server that answers on an address, as it tells. */
export async function whoAnswers(lab: Lab, address: string): Promise<string> {
  return await client(lab, "dig", "+short", "+tries=1", "+time=2", `@${address}`, "CH", "TXT", "id.server");
}

/** What a router has learnt from the agents, as `prefix server`. */
export async function table(lab: Lab, router = "frr01"): Promise<string[]> {
  return (await announcedRoutes(lab, router)).map(({ prefix, server }) => `${prefix} ${server}`);
}

/** Runs a command on the client host, beyond the providers. */
export async function client(lab: Lab, ...argv: string[]): Promise<string> {
  const { stdout } = await lab.exec("client", argv, { timeout: 20_000 });
  return stdout.trim();
}
