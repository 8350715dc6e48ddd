import { TOOL } from "../build/platform.ts";
import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";
import { monitors, osds } from "../topology/ceph.ts";
import { type Fault, servers } from "./fault.ts";

/** systemd units of a server that are stopped. */
function service(
  simulates: string,
  targets: (lab: Lab) => readonly string[],
  units: (lab: Lab, target: string) => string,
): Fault {
  return {
    targets,
    simulates,
    inject: async (lab, target) => void (await lab.server(target).sh(`systemctl stop ${units(lab, target)}`)),
    heal: async (lab, target) => void (await lab.server(target).sh(`systemctl start ${units(lab, target)}`)),
  };
}

export const lxd = service(
  "the LXD or Incus daemon dead, its instances running",
  servers,
  (lab) => TOOL[lab.topology.options.platform].units,
);

export const ovnCentral = service(
  "a member of OVN's databases dead",
  (lab) => servers(lab).slice(0, 3),
  () => "ovn-central",
);

export const mon = service(
  "a Ceph monitor dead",
  (lab) => (lab.topology.options.ceph ? monitors(lab.topology).map(({ name }) => name) : []),
  (_lab, target) => `ceph-mon@${target}`,
);

export const osd: Fault = {
  simulates: "a disk dead",
  targets: (lab) => (lab.topology.options.ceph ? osds(lab.topology).map(({ id }) => String(id)) : []),
  inject: async (lab, target) => await killed(lab, osdServer(lab, target), `ceph-osd@${target}`),
  heal: async (lab, target) => await restarted(lab, osdServer(lab, target), `ceph-osd@${target}`),
};

export const agent: Fault = {
  simulates: "trivet's agent killed, and not restarted",
  targets: servers,
  inject: async (lab, target) => await killed(lab, target, "trivet-agent"),
  heal: async (lab, target) => await restarted(lab, target, "trivet-agent"),
};

export const router: Fault = {
  simulates: "a router instance killed",
  targets: (lab) => lab.topology.servers.map(({ router }) => router.name),
  inject: async (lab, target) => await instance(lab, target, "stop -f"),
  heal: async (lab, target) => await instance(lab, target, "start"),
};

async function killed(lab: Lab, server: string, unit: string): Promise<void> {
  await lab.server(server).sh(`systemctl mask --runtime ${unit}; systemctl kill -s KILL ${unit}`);
}

async function restarted(lab: Lab, server: string, unit: string): Promise<void> {
  await lab
    .server(server)
    .sh(`systemctl unmask --runtime ${unit}; systemctl reset-failed ${unit} || true; systemctl start ${unit}`);
}

function osdServer(lab: Lab, id: string): string {
  const plan = osds(lab.topology).find((one) => String(one.id) === id);
  if (plan === undefined) throw new LabError(`no OSD ${id}`, "`trivet lab fail list` shows those there are");
  return plan.server;
}

async function instance(lab: Lab, name: string, verb: "stop -f" | "start"): Promise<void> {
  const { client } = TOOL[lab.topology.options.platform];
  const wanted = verb === "start" ? "RUNNING" : "STOPPED";
  // The instance's own server may be off: any that is on will do.
  for (const server of lab.servers) {
    if (!(await server.responds())) continue;
    await server.sh(
      `[ "$(${client} list '^${name}$' -f csv -c s)" = ${wanted} ] || timeout 60 ${client} ${verb} ${name}`,
    );
    return;
  }
}
