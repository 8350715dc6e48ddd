import type { Lab } from "../runtime/lab.ts";
import type { Server } from "../runtime/server.ts";
import type { ServerPlan } from "../topology/topology.ts";
import type { Step } from "./step.ts";

/** Open vSwitch reads the kernel's routes anew whenever any link of its server changes, and knows no tunnel of its own meanwhile. */
const TOLD_ROUTES = `OVS_CTL_OPTS="--ovs-vswitchd-options=--disable-system-route"\n`;

/**
 * Whether Open vSwitch can do with the routes it is told. OVN 25.03, other than 23.03, binds each tunnel to its server's own address, which
 * Open vSwitch then wants among its routes as a local one, and only those which it reads itself are.
 */
function toldRoutes({ topology: { suite } }: Lab): boolean {
  return suite === "bookworm";
}

const AFTER_START = "/usr/local/sbin/after-ovs";
const AFTER_START_UNIT = `[Service]\nExecStartPost=${AFTER_START}\n`;

/** Seconds until networkd has given a port its address, at most; without it that tunnel stays down, which `lab status` shows. */
const ROUTE_PATIENCE = 60;

/**
 * What Open vSwitch is told after each start. It turns its bridges' own ports off while it sets them up, sometimes after networkd has
 * turned them on, which then waits for them for ever. The routes to `told`, the other ends of its tunnels, it is told once, as soon as
 * networkd has given these ports the addresses by which it looks them up.
 */
function afterStart(told: readonly ServerPlan[]): string {
  const ways = told.map((peer) => `way br-mesh-${peer.short} ${peer.mesh}\n`);
  return `#!/bin/sh
for br in $(ovs-vsctl list-br | grep -vx br-int); do ip link set $br up; done
way() {
  ovs-vsctl br-exists $1 || return
  for attempt in $(seq ${ROUTE_PATIENCE * 10}); do
    why=$(ovs-appctl ovs/route/add $2/32 $1 2>&1) && return
    sleep 0.1
  done
  echo "no tunnel to $2: $why" >&2
}
${ways.join("")}exit 0
`;
}

/** OVN 23.03's controller may crash while the databases are empty (SIGSEGV, seen), faster than systemd lets it start again. */
const KEEP_TRYING = `[Unit]
StartLimitIntervalSec=0
[Service]
RestartSec=1
`;

/**
 * Milliseconds until a switch sees that a MAC has moved, where packets match a flow that it has cached already. 500 is its default: so long
 * would packets go to a dead gateway's port now and then.
 */
const RELEARN_MS = 100;

/** Open vSwitch in userspace (this machine's kernel need not have it), with the mesh and the uplink plugged in. */
export const switchStep: Step = {
  key: "ovs",
  title: "Open vSwitch",
  async run(lab) {
    await Promise.all(
      lab.servers.map(async (server) => {
        const peers = lab.topology.servers.filter((s) => s.name !== server.name);
        const bridges = [
          ...peers.map(({ short }) => [`br-mesh-${short}`, `mesh-${short}`]),
          ["br-uplink", "infra-uplink"],
        ];
        const netdev = "datapath_type=netdev";
        const told = toldRoutes(lab);
        if (told) await server.write("/etc/default/openvswitch-switch", TOLD_ROUTES);
        await server.write(AFTER_START, afterStart(told ? peers : []), 0o755);
        await server.write("/etc/systemd/system/ovs-vswitchd.service.d/after-start.conf", AFTER_START_UNIT);
        await server.sh(`
          systemctl daemon-reload
          systemctl enable --now openvswitch-switch
          ovs-vsctl ${bridges
            .map(
              ([br, nic]) =>
                `--may-exist add-br ${br} -- set bridge ${br} ${netdev} -- --may-exist add-port ${br} ${nic}`,
            )
            .join(" -- ")}
          ovs-vsctl set open . external-ids:system-id=${server.name} external-ids:ovn-bridge-datapath-type=netdev \\
            external-ids:ovn-encap-type=geneve external-ids:ovn-encap-ip=${server.plan.mesh} \\
            external-ids:ovn-remote=${database(lab, 6642)} other_config:max-revalidator=${RELEARN_MS}
          ${AFTER_START}
        `);
      }),
    );
  },
};

/**
 * Milliseconds without a word from the leader after which a raft member stands for election. OVN's 1,000 is too short where a busy
 * machine's processes wait that long for their turn: leaders would come and go. A dead leader holds up changes, not packets, for so long.
 */
const ELECTION_MS = 4000;

/** OVN's databases as a raft of three, northd, and a controller on every server. */
export const ovnStep: Step = {
  key: "ovn",
  title: "OVN databases and controllers",
  async run(lab) {
    const [first, ...others] = lab.servers as [Server, ...Server[]];
    await startCentral(lab, first, "bootstrap");
    await Promise.all(others.slice(0, 2).map(async (server) => await startCentral(lab, server, "join")));
    // Restarted with a lost database, the first server must join too, not found a second cluster.
    await first.write("/etc/default/ovn-central", central(lab, first, "join"));
    await Promise.all(
      lab.servers.map(async (server) => {
        await server.write("/etc/systemd/system/ovn-controller.service.d/keep-trying.conf", KEEP_TRYING);
        await server.sh("systemctl daemon-reload; systemctl enable --now ovn-host");
      }),
    );
  },
};

/** Where OVN's clients find a database: all its servers. */
export function database(lab: Lab, port: 6641 | 6642): string {
  return lab.topology.servers
    .slice(0, 3)
    .map((s) => `tcp:${s.mesh}:${port}`)
    .join(",");
}

async function startCentral(lab: Lab, server: Server, role: "bootstrap" | "join"): Promise<void> {
  await server.write("/etc/default/ovn-central", central(lab, server, role));
  const joined = ["nb OVN_Northbound", "sb OVN_Southbound"]
    .map((db) => db.split(" "))
    .map(
      ([db, name]) =>
        `ovn-appctl -t /var/run/ovn/ovn${db}_db.ctl cluster/status ${name} | grep -q 'Status: cluster member'`,
    )
    .join(" && ");
  await server.sh(`
    systemctl enable --now ovn-central
    until ${joined}; do sleep 0.2; done 2>/dev/null
  `);
}

function central(lab: Lab, { plan }: Server, role: "bootstrap" | "join"): string {
  const remote = role === "bootstrap" ? lab.topology.servers[1] : lab.topology.servers.find((s) => s !== plan);
  const options = ["nb", "sb"].flatMap((db) => [
    `--db-${db}-addr=${plan.mesh}`,
    `--db-${db}-cluster-local-addr=${plan.mesh}`,
    `--db-${db}-create-insecure-remote=yes`,
    `--db-${db}-election-timer=${ELECTION_MS}`,
    `--ovn-northd-${db}-db=${database(lab, db === "nb" ? 6641 : 6642)}`,
    ...(role === "join" ? [`--db-${db}-cluster-remote-addr=${remote?.mesh}`] : []),
  ]);
  return `OVN_CTL_OPTS="${options.join(" ")}"\n`;
}
