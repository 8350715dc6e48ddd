import { TOOL } from "../build/platform.ts";
import { ip } from "../runtime/fabric.ts";
import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";
import { serverNics } from "../runtime/lxc-config.ts";
import { NETWORKS } from "../topology/topology.ts";
import { osds } from "../topology/ceph.ts";

/** A fault of one kind: what it is in a real rack, how it is made here and undone. */
export interface Fault {
  /** What a target is, and which there are. */
  readonly targets: (lab: Lab) => readonly string[];
  readonly simulates: string;
  readonly inject: (lab: Lab, target: string) => Promise<void>;
  readonly heal: (lab: Lab, target: string) => Promise<void>;
}

const servers = (lab: Lab): string[] => lab.servers.map(({ name }) => name);

/** A systemd unit of a server that is stopped. */
function service(simulates: string, units: (lab: Lab) => string): Fault {
  return {
    targets: servers,
    simulates,
    inject: async (lab, target) => void (await lab.server(target).sh(`systemctl stop ${units(lab)}`)),
    heal: async (lab, target) => void (await lab.server(target).sh(`systemctl start ${units(lab)}`)),
  };
}

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

export const FAULTS = {
  power: {
    targets: servers,
    simulates: "both power supplies pulled: every process of the server ends at once",
    inject: async (lab, target) => await lab.server(target).kill(),
    heal: async (lab, target) => {
      if (!(await lab.server(target).running())) await lab.server(target).start();
    },
  },
  reboot: {
    targets: servers,
    simulates: "an operator's reboot",
    inject: async (lab, target) => void (await lab.server(target).sh("systemctl reboot")),
    heal: async (lab, target) => await lab.server(target).booted(),
  },
  link: wires(
    "a cable of the mesh cut: both ends lose their link",
    (lab) => lab.topology.cables.map(({ ends }) => ends.join("-")),
    (lab, target) => {
      const cable = lab.topology.cables.find(({ ends }) => ends.join("-") === target);
      return lab.topology.servers.flatMap((server, i) =>
        cable?.ends.includes(server.name) === true ? [`s${i}-${cable.bridge}`] : [],
      );
    },
  ),
  "switch-port": wires("a server's cables to the switch pulled, its mesh still there", servers, (lab, target) => {
    const plan = lab.server(target).plan;
    return serverNics(plan, lab.topology)
      .filter(({ name }) => !name.startsWith("mesh-"))
      .map(({ port }) => port);
  }),
  network: wires(
    "a VLAN removed from the switch",
    () => NETWORKS,
    (_lab, target) => [target],
  ),
  mesh: wires("a server cut off from the mesh: the others form the majority", servers, (lab, target) =>
    lab.topology.servers.flatMap((server, i) =>
      lab.topology.cables
        .filter(({ ends }) => ends.includes(target) && ends.includes(server.name))
        .map(({ bridge }) => `s${i}-${bridge}`),
    ),
  ),
  lxd: service(
    "the LXD or Incus daemon dead, its instances running",
    (lab) => TOOL[lab.topology.options.platform].units,
  ),
  "ovn-central": service("a member of OVN's databases dead", () => "ovn-central"),
  mon: {
    targets: servers,
    simulates: "a Ceph monitor dead",
    inject: async (lab, target) => void (await lab.server(target).sh(`systemctl stop ceph-mon@${target}`)),
    heal: async (lab, target) => void (await lab.server(target).sh(`systemctl start ceph-mon@${target}`)),
  },
  osd: {
    targets: (lab) => osds(lab.topology).map(({ id }) => String(id)),
    simulates: "a disk dead",
    inject: async (lab, target) => await osd(lab, target, "kill -s KILL"),
    heal: async (lab, target) => await osd(lab, target, "start"),
  },
  router: {
    targets: (lab) => lab.topology.servers.map(({ router }) => router.name),
    simulates: "a router instance killed",
    inject: async (lab, target) => await router(lab, target, "stop -f"),
    heal: async (lab, target) => await router(lab, target, "start"),
  },
  provider: wires(
    "one of the provider's core routers gone from WAN-HIVE",
    (lab) => lab.topology.providers.map(({ name }) => name),
    (_lab, target) => [target],
  ),
  agent: {
    targets: servers,
    simulates: "trivet's agent killed, and not restarted",
    inject: async (lab, target) => {
      await lab.server(target).sh("systemctl mask --runtime trivet-agent; systemctl kill -s KILL trivet-agent");
    },
    heal: async (lab, target) => {
      await lab
        .server(target)
        .sh(
          "systemctl unmask --runtime trivet-agent; systemctl reset-failed trivet-agent || true; systemctl start trivet-agent",
        );
    },
  },
} as const satisfies Record<string, Fault>;

export type FaultKind = keyof typeof FAULTS;

/** @throws LabError when there is no such kind of fault, or it has no such target in this lab */
export function findFault(lab: Lab, kind: string, target: string): Fault {
  const fault: Fault | undefined = Object.hasOwn(FAULTS, kind) ? FAULTS[kind as FaultKind] : undefined;
  if (fault === undefined)
    throw new LabError(`no fault ${JSON.stringify(kind)}`, `there are ${Object.keys(FAULTS).join(", ")}`);
  const targets = fault.targets(lab);
  if (!targets.includes(target))
    throw new LabError(`fault ${kind} cannot hit ${JSON.stringify(target)}`, `it can hit ${targets.join(", ")}`);
  return fault;
}

async function osd(lab: Lab, id: string, verb: string): Promise<void> {
  const plan = osds(lab.topology).find((one) => String(one.id) === id);
  if (!lab.topology.options.ceph || plan === undefined) throw new LabError(`no OSD ${id}`, "this lab has no Ceph");
  const restart = verb === "start" ? "systemctl unmask --runtime" : "systemctl mask --runtime";
  await lab.server(plan.server).sh(`${restart} ceph-osd@${id}; systemctl ${verb} ceph-osd@${id}`);
}

async function router(lab: Lab, name: string, verb: string): Promise<void> {
  const { client } = TOOL[lab.topology.options.platform];
  // The router's own server may be off: any that is on will do.
  for (const server of lab.servers) {
    if (!(await server.running())) continue;
    await server.sh(`timeout 60 ${client} ${verb} ${name}`);
    return;
  }
}
