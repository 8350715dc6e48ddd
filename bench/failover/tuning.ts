import { type Lab, agentConfig, vtysh } from "@trivet/lab";
import { packetsFirst } from "./packets-first.ts";

/** Milliseconds between two BFD packets of agents and routers, and between two of VRRP; three lost ones are a failure. */
export const EVERY = Number(process.env["TRIVET_BENCH_BFD"] ?? 80);
/** The same of OVN's tunnels, whose packets the switch forwards among all others. */
export const TUNNELS = 100;

/**
 * Gives everything that notices a failure a setting that is fast and still has room for a busy machine: BFD of agents and routers, and
 * of routers and providers, at {@link EVERY} × 3; VRRP at the same; OVN's tunnels at {@link TUNNELS} × 3. Routers that restarted have
 * forgotten it: call it again.
 */
export async function tune(lab: Lab, withAgents: boolean): Promise<void> {
  const { servers, providers } = lab.topology;
  for (const part of [...providers.map(({ name }) => name), "client"]) {
    const config = await vtysh(lab, part, "show running-config");
    await vtysh(lab, part, fastBfd(config).join("\n"));
  }
  for (const { name, router } of servers) {
    const vrrp = `grep -q 'advert_int ${EVERY / 1000}$' /etc/keepalived.conf || {
      sed -i 's/advert_int .*/advert_int ${EVERY / 1000}/' /etc/keepalived.conf; killall keepalived; }`;
    const config = `${await inRouter(lab, name, router.name, "vtysh -c 'show running-config'")}\n${withAgents ? " neighbor AGENTS bfd" : ""}`;
    await inRouter(lab, name, router.name, `vtysh <<'END'\n${fastBfd(config).join("\n")}\nEND\n${vrrp}`);
  }
  const options = `options:bfd-min-rx=${TUNNELS} options:bfd-min-tx=${TUNNELS} options:bfd-mult=3`;
  await lab.first.sh(`ovn-nbctl --db="$(lxc config get network.ovn.northbound_connection)" set NB_Global . ${options}`);
  packetsFirst(lab);
}

/** The agents' part of {@link tune}, which outlives restarts of theirs and of the servers. */
export async function tuneAgents(lab: Lab): Promise<void> {
  const timers = `transmitInterval: ${EVERY}, receiveInterval: ${EVERY}`;
  const ways = lab.topology.servers.map(({ name, mesh, hosts4 }) => `${name}: [${mesh}, ${hosts4}]`);
  for (const server of lab.servers) {
    const config = agentConfig(server.plan, lab.topology).replaceAll("holdTime: 9", `bfd: { ${timers} }`);
    const gateway = `gateway: { ${timers}, servers: { ${ways.join(", ")} } }\n`;
    await server.write("/etc/trivet/agent.yaml", config + gateway, 0o600);
    await server.sh("systemctl enable -q trivet-agent; systemctl restart trivet-agent");
  }
  packetsFirst(lab);
}

/** Runs a script in a router. */
export async function inRouter(lab: Lab, server: string, router: string, script: string): Promise<string> {
  const { stdout } = await lab
    .server(server)
    .exec(["timeout", "30", "lxc", "exec", router, "--", "sh", "-c", script], { timeout: 40_000 });
  return stdout;
}

/** What makes the BFD of all sessions of a running configuration fast. */
function fastBfd(config: string): string[] {
  const neighbors = new Set([...config.matchAll(/^ neighbor (\S+) bfd\b/gm)].map(([, name = ""]) => name));
  return [
    "configure terminal",
    "bfd",
    "profile fast",
    `transmit-interval ${EVERY}`,
    `receive-interval ${EVERY}`,
    "exit",
    "exit",
    /^router bgp \d+/m.exec(config)?.[0] ?? "",
    ...[...neighbors].map((each) => `neighbor ${each} bfd profile fast`),
  ];
}
