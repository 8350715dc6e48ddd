import {
  ANYCAST,
  type Lab,
  type LabOptions,
  announcedRoutes,
  down,
  expectedRoutes,
  heal,
  labOfCluster,
  up,
} from "@trivet/lab";
import { join } from "node:path";
import { eventually } from "@trivet/testing";

const EXAMPLE = join(import.meta.dirname, "../examples/lab/cluster.yaml");

/** trivet from source, on this machine. */
export const TRIVET = [process.execPath, join(import.meta.dirname, "../packages/cli/src/main.ts")] as const;

/** What the machine must have for them. */
export const NEEDS = { programs: ["lxc-start", "mmdebstrap", "ethtool", "vtysh", "bgpd", "dig", "curl", "ping"] };

/** The shared lab, healthy: made by the first who asks. */
export async function sharedLab(platform: LabOptions["platform"] = "lxd"): Promise<Lab> {
  const run = process.env["TRIVET_LAB_RUN"] ?? "keep";
  const lab = await up({
    name: `e${platform === "lxd" ? "" : "2"}${run}`,
    platform,
    servers: 3,
    // Once is enough, and its daemons take their time.
    ceph: platform === "incus",
    bare: false,
    // The same lab either way: once as it is built in, once after the cluster.yaml that describes it.
    ...(platform === "lxd" ? { plan: labOfCluster(EXAMPLE, { platform, withoutCeph: true }).plan } : {}),
  });
  // A run that was killed may have left a fault in a kept lab.
  await heal(lab);
  await healthy(lab);
  return lab;
}

/** A platform's client, and the units that are its daemon. */
export interface Tools {
  readonly cli: "lxc" | "incus";
  readonly units: string;
}

export const LXD: Tools = { cli: "lxc", units: "lxd.socket lxd.service" };
export const INCUS: Tools = { cli: "incus", units: "incus.socket incus.service" };

/** Takes a shared lab down before the run's end, unless it is to be kept. */
export async function endOf(lab: Lab | undefined): Promise<void> {
  if (lab !== undefined && process.env["TRIVET_LAB_KEEP"] !== "1") await down(lab.places.lab);
}

/**
 * Waits until every router has exactly the routes of a healthy lab, and packets reach every name server. Three minutes: a server that
 * has just booted starts LXD, OVN and its agent before it announces.
 */
export async function healthy(lab: Lab): Promise<void> {
  const expected = expectedRoutes(lab.topology);
  for (const { router } of lab.topology.servers) {
    let last: string[] = [];
    const asExpected = async (): Promise<boolean> => {
      last = await table(lab, router.name);
      return last.join("\n") === expected.join("\n");
    };
    await eventually(`${router.name} has the routes of a healthy lab`, asExpected, 180_000).catch((error: unknown) => {
      const missing = expected.filter((route) => !last.includes(route)).join(", ");
      const unexpected = last.filter((route) => !expected.includes(route)).join(", ");
      throw new Error(`${router.name}: missing ${missing || "nothing"}, unexpected ${unexpected || "nothing"}`, {
        cause: error,
      });
    });
  }
  // Each by its own address: which of the three an anycast flow meets is the routers' choice of hash.
  for (const { name } of lab.servers) await nameServerReached(lab, name);
  for (const address of [ANYCAST.ipv4, ANYCAST.ipv6])
    await eventually(
      `a name server answers on ${address}`,
      async () => /^"dns0\d"$/.test(await whoAnswers(lab, address)),
      60_000,
    );
}

/** Waits until packets from the world reach a server's name server, by its own address. */
export async function nameServerReached(lab: Lab, server: string): Promise<void> {
  await eventually(
    `packets reach the name server on ${server}`,
    async () => await client(lab, "ping", "-c", "1", "-W", "1", (await ownAddress(lab, server)) ?? ""),
    60_000,
  );
}

/** The public IPv6 address that a server's name server has from its OVN network. */
async function ownAddress(lab: Lab, server: string): Promise<string | undefined> {
  const { cli } = lab.topology.options.platform === "lxd" ? LXD : INCUS;
  const number = lab.topology.servers.findIndex(({ name }) => name === server) + 1;
  const state = await lab.first.sh(`${cli} query /1.0/instances/dns0${number}/state?project=dns`);
  const { network } = JSON.parse(state) as {
    network: Record<string, { addresses: { address: string; scope: string; family: string }[] }>;
  };
  return network["eth0"]?.addresses.find(({ family, scope }) => family === "inet6" && scope === "global")?.address;
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
