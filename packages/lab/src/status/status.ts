import { CommandError } from "../host/run.ts";
import { TOOL } from "../build/platform.ts";
import { vtysh } from "../build/providers.ts";
import { LabError } from "../runtime/lab-error.ts";
import type { Lab } from "../runtime/lab.ts";
import type { Server } from "../runtime/server.ts";
import { osds } from "../topology/ceph.ts";
import { bmcs } from "./bmc.ts";
import { tunnels } from "./tunnels.ts";
import { GATEWAY } from "../topology/topology.ts";
import { routers, services } from "../topology/workload.ts";

export interface LayerStatus {
  readonly layer: string;
  readonly state: "ok" | "degraded" | "down";
  /** One line: what is there, and what is missing. */
  readonly detail: string;
}

/** The state of every layer, asked of the layers themselves, through a server that is on. */
export async function status(lab: Lab): Promise<LayerStatus[]> {
  const on: Server[] = [];
  for (const server of lab.servers) if (await server.responds()) on.push(server);
  const servers = count(
    "servers",
    "on",
    lab.servers.length,
    on.map(({ name }) => name),
    lab.servers.map(({ name }) => name),
  );
  const { bare, ceph } = lab.topology.options;
  const [any] = on;
  const metal = layer("bmc", async () => await bmcs(lab));
  if (bare) return [servers, await metal];
  const outside = layer("providers", async () => await providers(lab));
  if (any === undefined) return [servers, await metal, await outside];
  return [
    servers,
    ...(await Promise.all([
      metal,
      outside,
      layer("ovn northbound", async () => await raft(lab, on, "nb", "OVN_Northbound")),
      layer("ovn southbound", async () => await raft(lab, on, "sb", "OVN_Southbound")),
      layer("ovn controllers", async () => await controllers(lab, on)),
      layer("ovn tunnels", async () => await tunnels(lab, on)),
      layer(lab.topology.options.platform, async () => await members(lab, any)),
      layer("instances", async () => await instances(lab, any)),
      layer("vrrp", async () => await vrrp(lab, on)),
      layer("agents", async () => await agents(lab, on)),
      ...(ceph ? [layer("ceph", async () => await cephHealth(lab, any))] : []),
    ])),
  ];
}

async function layer(name: string, ask: () => Promise<Omit<LayerStatus, "layer">>): Promise<LayerStatus> {
  try {
    return { ...(await ask()), layer: name };
  } catch (error) {
    if (error instanceof LabError) return { layer: name, state: "down", detail: error.message };
    if (!(error instanceof CommandError)) throw error;
    const last = error.stderr.trim().split("\n").at(-1) ?? "";
    return { layer: name, state: "down", detail: `no answer: ${last.replace(/^\++ /, "")}` };
  }
}

function count(
  layer: string,
  what: string,
  wanted: number,
  found: readonly string[],
  all: readonly string[],
): LayerStatus {
  const missing = all.filter((name) => !found.includes(name));
  const detail = `${found.length} of ${wanted} ${what}${missing.length > 0 ? `, not ${missing.join(", ")}` : ""}`;
  return { layer, state: missing.length === 0 ? "ok" : found.length === 0 ? "down" : "degraded", detail };
}

async function providers(lab: Lab): Promise<Omit<LayerStatus, "layer">> {
  const answers = await Promise.all(
    lab.topology.providers.map(async ({ name }) => {
      const summary = JSON.parse(await vtysh(lab, name, "show bgp summary json")) as Record<string, { peers: Peers }>;
      const states = Object.values(summary).flatMap(({ peers }) => Object.values(peers).map((peer) => peer.state));
      return { name, up: states.filter((state) => state === "Established").length, all: states.length };
    }),
  );
  const complete = answers.every(({ up, all }) => up === all);
  return {
    state: complete ? "ok" : answers.some(({ up }) => up > 0) ? "degraded" : "down",
    detail: answers.map(({ name, up, all }) => `${name}: ${up} of ${all} sessions`).join(", "),
  };
}

type Peers = Readonly<Record<string, { readonly state: string }>>;

async function raft(lab: Lab, on: readonly Server[], db: string, name: string): Promise<Omit<LayerStatus, "layer">> {
  const central = on.filter((server) => lab.servers.indexOf(server) < 3);
  const roles = await Promise.all(
    central.map(async (server) => {
      const command = `ovn-appctl -t /var/run/ovn/ovn${db}_db.ctl cluster/status ${name} 2>/dev/null || true`;
      return [server.name, /^Role: (\w+)/m.exec(await server.sh(command))?.[1]] as const;
    }),
  );
  const members = roles.filter(([, role]) => role === "leader" || role === "follower");
  const leader = roles.find(([, role]) => role === "leader")?.[0];
  const state = leader === undefined ? "down" : members.length < 3 ? "degraded" : "ok";
  return { state, detail: `${members.length} of 3 members, leader ${leader ?? "none"}` };
}

async function controllers(lab: Lab, on: readonly Server[]): Promise<Omit<LayerStatus, "layer">> {
  const found = await Promise.all(
    on.map(async (server) => {
      const answer = await server.sh("ovn-appctl -t ovn-controller connection-status 2>&1 || true");
      return [server.name, answer.trim()] as const;
    }),
  );
  const connected = found.flatMap(([name, state]) => (state === "connected" ? [name] : []));
  const all = lab.servers.map(({ name }) => name);
  return count("", "connected", all.length, connected, all);
}

async function members(lab: Lab, server: Server): Promise<Omit<LayerStatus, "layer">> {
  const { client } = TOOL[lab.topology.options.platform];
  const text = await server.sh(`timeout 15 ${client} query '/1.0/cluster/members?recursion=1'`);
  const list = JSON.parse(text) as { server_name: string; status: string }[];
  const online = list.filter((member) => member.status === "Online").map((member) => member.server_name);
  return count(
    "",
    "members online",
    list.length,
    online,
    list.map((member) => member.server_name),
  );
}

async function instances(lab: Lab, server: Server): Promise<Omit<LayerStatus, "layer">> {
  const { client } = TOOL[lab.topology.options.platform];
  const text = await server.sh(`timeout 15 ${client} query '/1.0/instances?recursion=1&all-projects=true'`);
  const list = JSON.parse(text) as { name: string; status: string }[];
  const running = list.filter((instance) => instance.status === "Running").map((instance) => instance.name);
  const wanted = [...routers(lab.topology), ...services(lab.topology)].map(({ name }) => name);
  return count(
    "",
    "running",
    wanted.length,
    wanted.filter((name) => running.includes(name)),
    wanted,
  );
}

/** Each address that the routers share must be on exactly one of them. */
async function vrrp(lab: Lab, on: readonly Server[]): Promise<Omit<LayerStatus, "layer">> {
  const { client } = TOOL[lab.topology.options.platform];
  const holders: Record<"uplink" | "hosts", string[]> = { uplink: [], hosts: [] };
  const silent: string[] = [];
  for (const server of on) {
    const router = server.plan.router.name;
    const text = await server.sh(`timeout -k 1 20 ${client} exec ${router} -- /usr/bin/ip -4 -br address || true`);
    if (text === "") silent.push(router);
    for (const [network, address] of [
      ["uplink", GATEWAY.uplink4],
      ["hosts", GATEWAY.hosts4],
    ] as const)
      if (text.includes(` ${address}/`)) holders[network].push(router);
  }
  const sane = Object.values(holders).every((names) => names.length === 1);
  const detail = Object.entries(holders).map(([network, names]) => `${network}: ${names.join(" and ") || "none"}`);
  const unknown = silent.length === 0 ? "" : `; ${silent.join(", ")} could not be asked`;
  return {
    state: !sane ? "down" : silent.length > 0 ? "degraded" : "ok",
    detail: `master on ${detail.join(", ")}${unknown}`,
  };
}

async function agents(lab: Lab, on: readonly Server[]): Promise<Omit<LayerStatus, "layer">> {
  const answers = await Promise.all(
    on.map(async (server) => {
      const text = await server.sh(
        "curl -sf -m 5 --unix-socket /run/trivet/agent.sock http://agent/v1/status || echo '{}'",
      );
      const { ready = false, sessions = [] } = JSON.parse(text) as { ready?: boolean; sessions?: { state: string }[] };
      const up = sessions.filter((session) => session.state === "established").length;
      return {
        name: server.name,
        ready,
        text: `${server.name} ${up}/${sessions.length}`,
        whole: up === sessions.length,
      };
    }),
  );
  const ready = answers.filter((answer) => answer.ready);
  const ok = ready.length === lab.servers.length && ready.every((answer) => answer.whole);
  return {
    state: ok ? "ok" : ready.length > 0 ? "degraded" : "down",
    detail: `${ready.length} of ${lab.servers.length} ready, sessions: ${answers.map((answer) => answer.text).join(", ")}`,
  };
}

async function cephHealth(lab: Lab, server: Server): Promise<Omit<LayerStatus, "layer">> {
  const answer = JSON.parse(await server.sh("timeout 15 ceph status -f json")) as {
    health: { status: string; checks: Record<string, unknown> };
    quorum_names: string[];
    osdmap: { num_up_osds: number };
  };
  const checks = Object.keys(answer.health.checks);
  const up = `${answer.osdmap.num_up_osds} of ${osds(lab.topology).length} OSDs up`;
  return {
    state: answer.health.status === "HEALTH_OK" ? "ok" : answer.health.status === "HEALTH_WARN" ? "degraded" : "down",
    detail: [answer.health.status, `quorum ${answer.quorum_names.join(" ")}`, up, ...checks].join(", "),
  };
}
