import { ip } from "../runtime/fabric.ts";
import { serverNics } from "../runtime/lxc-config.ts";
import { type Fault, servers } from "./fault.ts";

export const power: Fault = {
  targets: servers,
  simulates: "both power supplies pulled: every process of the server ends at once, its links go down",
  inject: async (lab, target) => await lab.server(target).kill(),
  heal: async (lab, target) => {
    if (!(await lab.server(target).running())) await lab.server(target).start();
  },
};

export const reboot: Fault = {
  targets: servers,
  simulates: "an operator's reboot",
  inject: async (lab, target) => void (await lab.server(target).sh("systemctl reboot")),
  heal: async (lab, target) => await lab.server(target).booted(),
};

/**
 * One kernel serves all servers, so it is not the kernel that stops: all processes are frozen, and so that the kernel does not answer
 * for them (ping, TCP acknowledgements), no frame passes the ports any more, whose links stay up.
 */
export const crash: Fault = {
  targets: servers,
  simulates: "a kernel panic: the server hangs with its links up and answers nothing; healed by a power cycle",
  inject: async (lab, target) => {
    const server = lab.server(target);
    const ports = serverNics(server.plan, lab.topology).map(({ port }) => port);
    await ip(
      lab.places.namespace("fabric"),
      ports.map((port) => `link set ${port} nomaster`),
    );
    await server.freeze();
  },
  heal: async (lab, target) => {
    const server = lab.server(target);
    if (await server.running()) await server.kill();
    await server.start();
  },
};
