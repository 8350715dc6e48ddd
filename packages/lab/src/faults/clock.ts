import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";
import type { Server } from "../runtime/server.ts";
import { monitors, osds } from "../topology/ceph.ts";
import { type Fault, servers } from "./fault.ts";

const DROP_IN = "60-clock.conf";
/** Debian's libfaketime, of whatever architecture. */
const LIBRARY = "/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketimeMT.so.1";

/**
 * One kernel has one clock, so the daemons that go by the time of day are restarted with a library between them and it: Ceph's and
 * trivet's agent. LXD and Incus cannot be deceived: programs in Go ask the kernel past every library.
 */
export const clock: Fault = {
  simulates: "a server whose clock is wrong (Ceph's daemons and trivet's agent there are restarted by it)",
  targets: (lab) => servers(lab).map((name) => `${name} +300s`),
  read: (lab, target) => {
    const { server, seconds } = parse(lab, target);
    return `${server.name} ${seconds < 0 ? "" : "+"}${seconds}s`;
  },
  inject: async (lab, target) => {
    const { server, seconds } = parse(lab, target);
    const units = clockedUnits(lab, server);
    const environment = [
      `LD_PRELOAD=${LIBRARY}`,
      `FAKETIME=${seconds < 0 ? "" : "+"}${seconds}`,
      "FAKETIME_DONT_FAKE_MONOTONIC=1",
      "FAKETIME_NO_CACHE=1",
    ];
    await server.sh(`
      test -e ${LIBRARY}
      for unit in ${units.join(" ")}; do
        mkdir -p /run/systemd/system/$unit.service.d
        printf '[Service]\\nEnvironment=%s %s %s %s\\n' ${environment.map((pair) => `"${pair}"`).join(" ")} \\
          >/run/systemd/system/$unit.service.d/${DROP_IN}
      done
      systemctl daemon-reload
      systemctl restart ${units.join(" ")}`);
  },
  heal: async (lab, target) => {
    const { server } = parse(lab, target);
    // A power cut ended it already.
    if (!(await server.responds())) return;
    await server.sh(`
      ls /run/systemd/system/*.service.d/${DROP_IN} >/dev/null 2>&1 || exit 0
      rm /run/systemd/system/*.service.d/${DROP_IN}
      systemctl daemon-reload
      systemctl restart ${clockedUnits(lab, server).join(" ")}`);
  },
};

function parse(lab: Lab, target: string): { server: Server; seconds: number } {
  const [, name = "", offset] = /^(\S+) ([+-]\d{1,9})s$/.exec(target) ?? [];
  if (offset === undefined)
    throw new LabError(
      `clock ${JSON.stringify(target)}`,
      "name a server and an offset in seconds, as in langara +300s",
    );
  return { server: lab.server(name), seconds: Number(offset) };
}

function clockedUnits(lab: Lab, { name }: Server): string[] {
  if (!lab.topology.options.ceph) return ["trivet-agent"];
  const daemons = monitors(lab.topology).some((server) => server.name === name) ? ["mon", "mgr", "mds"] : [];
  return [
    ...daemons.map((daemon) => `ceph-${daemon}@${name}`),
    ...osds(lab.topology).flatMap(({ id, server }) => (server === name ? [`ceph-osd@${id}`] : [])),
    "trivet-agent",
  ];
}
