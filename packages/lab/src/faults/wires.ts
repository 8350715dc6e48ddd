import { CommandError, run } from "../host/run.ts";
import { ip } from "../runtime/fabric.ts";
import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";
import { serverNics } from "../runtime/lxc-config.ts";
import { NETWORKS } from "../topology/topology.ts";
import { type Fault, servers } from "./fault.ts";

/** Ends of wires, in the fabric, that lose their link. */
function wires(
  simulates: string,
  targets: (lab: Lab) => readonly string[],
  ports: (lab: Lab, target: string) => readonly string[],
): Fault {
  const set = async (lab: Lab, target: string, state: "up" | "down"): Promise<void> => {
    await ip(
      lab.places.namespace("fabric"),
      ports(lab, target).map((port) => `link set ${port} ${state}`),
    );
  };
  return {
    targets,
    simulates,
    inject: async (lab, target) => await set(lab, target, "down"),
    heal: async (lab, target) => await set(lab, target, "up"),
  };
}

export const link = wires(
  "a cable of the mesh cut: both ends lose their link",
  (lab) => lab.topology.cables.map(({ ends }) => ends.join("-")),
  (lab, target) => {
    const cable = lab.topology.cables.find(({ ends }) => ends.join("-") === target);
    return lab.topology.servers.flatMap((server, i) =>
      cable?.ends.includes(server.name) === true ? [`s${i}-${cable.bridge}`] : [],
    );
  },
);

export const switchPort = wires(
  "a server's cables to the switch pulled, its mesh still there",
  servers,
  (lab, target) =>
    serverNics(lab.server(target).plan, lab.topology)
      .filter(({ name }) => !name.startsWith("mesh-"))
      .map(({ port }) => port),
);

export const network = wires(
  "a VLAN removed from the switch",
  () => NETWORKS,
  (_lab, target) => [target],
);

export const mesh = wires("a server cut off from the mesh: the others form the majority", servers, (lab, target) =>
  lab.topology.servers.flatMap((server, i) =>
    lab.topology.cables
      .filter(({ ends }) => ends.includes(target) && ends.includes(server.name))
      .map(({ bridge }) => `s${i}-${bridge}`),
  ),
);

export const provider = wires(
  "one of the provider's core routers gone from WAN-HIVE",
  (lab) => lab.topology.providers.map(({ name }) => name),
  (_lab, target) => [target],
);

/** Frames between groups of servers are dropped on every bridge, silently: all links stay up, and the providers reach every group. */
export const partition: Fault = {
  simulates: "the mesh and the switch split: no frame passes between the groups, though all links stay up",
  targets: (lab) =>
    lab.servers.map(
      ({ name }) =>
        `${name}|${servers(lab)
          .filter((other) => other !== name)
          .join(",")}`,
    ),
  read: (lab, target) =>
    groups(lab, target)
      .map((group) => group.join(","))
      .join("|"),
  inject: async (lab, target) => {
    const index = (name: string): number => servers(lab).indexOf(name);
    const sides = groups(lab, target);
    const rules = sides.flatMap((side) =>
      sides
        .filter((other) => other !== side)
        .flatMap((other) =>
          side.flatMap((a) => other.map((b) => `iifname "s${index(a)}-*" oifname "s${index(b)}-*" drop`)),
        ),
    );
    const name = table(lab, target);
    const chain = ["chain forward {", "type filter hook forward priority 0", ...rules, "}"].join("\n");
    await nft(lab, `${deleted(name)}\ntable bridge ${name} {\n${chain}\n}`);
  },
  heal: async (lab, target) => await nft(lab, deleted(table(lab, target))),
};

/** @throws LabError when a server is in no group, or in two */
function groups(lab: Lab, target: string): string[][] {
  const found = target.split("|").map((group) => group.split(",").map((name) => lab.server(name.trim()).name));
  const all = found.flat();
  if (found.length < 2 || all.length !== lab.servers.length || new Set(all).size !== all.length)
    throw new LabError(
      `partition ${JSON.stringify(target)}`,
      `name every server once, groups separated by "|", as in ${partition.targets(lab)[0]}`,
    );
  const order = servers(lab);
  return found
    .map((group) => group.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)))
    .toSorted((a, b) => order.indexOf(a[0] ?? "") - order.indexOf(b[0] ?? ""));
}

function table(lab: Lab, target: string): string {
  const sides = groups(lab, target).map((group) => group.map((name) => servers(lab).indexOf(name)).join(""));
  return `partition_${sides.join("_")}`;
}

/** Named first, so that it exists when it is deleted. */
function deleted(name: string): string {
  return `table bridge ${name}\ndelete table bridge ${name}`;
}

async function nft(lab: Lab, ruleset: string): Promise<void> {
  try {
    await run(lab.argv("fabric", ["nft", "-f", "-"]), { input: `${ruleset}\n` });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new LabError("no partition on this machine", `its kernel or nftables refuses: ${error.stderr.trim()}`);
  }
}
