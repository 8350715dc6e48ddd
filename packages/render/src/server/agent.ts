import type { Cluster, Router, Routing, Server } from "@trivet/spec";
import { HOST } from "@trivet/spec";
import { nat64Prefixes } from "../services/nat64.ts";
import { type RenderOptions, type RenderedFile, textFile, yamlFile } from "../file.ts";

const PASSWORD_FILE = "/etc/trivet/bgp.password";

/** The trivet agent: whom it announces to, and what it may. */
export function agent(cluster: Cluster, server: Server, options: RenderOptions): RenderedFile[] {
  const { routing } = cluster;
  const uplink = cluster.vlans.find(({ role }) => role === "uplink");
  if (routing === undefined || uplink === undefined) return [];
  const folder = `servers/${server.name}`;
  const { asn, password } = routing.agents;
  const config = {
    asn,
    server: server.name,
    routerId: server.hosts.find(({ family }) => family === 4)?.toString() ?? `100.64.0.${HOST.server + server.number}`,
    allow: [...cluster.addresses.map(String), ...nat64Prefixes(cluster)],
    uplinks: [uplink.name],
    peers: routing.routers.flatMap((router) =>
      sessions(cluster, router).map((address) => ({
        name: router.name,
        address: address.toString(),
        asn: routing.asn,
        passwordFile: password === undefined ? undefined : PASSWORD_FILE,
        bfd: timers(routing),
      })),
    ),
    gateway: { ...timers(routing), servers: ways(cluster) },
  };
  const files = [
    yamlFile(`${folder}/etc/trivet/agent.yaml`, options, `The trivet agent on ${server.name}.`, config),
    service(server, options),
  ];
  if (password !== undefined)
    files.push({ path: `${folder}${PASSWORD_FILE}`, mode: 0o600, text: `${options.secret(password)}\n` });
  return files;
}

/** What the routers have, too. */
function timers({ bfd: { interval, multiplier } }: Routing) {
  return { transmitInterval: interval, receiveInterval: interval, multiplier };
}

/** Two ways to each server: where LXD reaches it, and its own network on the switch. One alone the agent finds by itself. */
function ways({ servers }: Cluster) {
  const two = servers.map(({ name, address, hosts }) => {
    const other = hosts.find(({ family }) => family === address?.family) ?? hosts[0];
    return [name, [address, other].map(String)] as const;
  });
  const apart = servers.length > 1 && two.every(([, [one, other]]) => one !== other && other !== "undefined");
  return apart ? Object.fromEntries(two) : undefined;
}

/** Where agents and routers meet: on the hosts network, one session each, IPv6 if there is. */
export function sessions(cluster: Cluster, router: Router) {
  const home = cluster.vlans.some(({ role }) => role === "hosts") ? "hosts" : "uplink";
  const addresses = router.interfaces.find(({ role }) => role === home)?.addresses ?? [];
  const reachable = addresses.filter(({ address }) =>
    cluster.servers.some(({ hosts }) => hosts.some(({ family }) => family === address.family)),
  );
  const chosen = reachable.find(({ address }) => address.family === 6) ?? reachable[0];
  return chosen === undefined ? [] : [chosen.address];
}

/** The unit that comes with the agent (packages/agent/system), so that a rendered tree is all a server needs. */
function service(server: Server, options: RenderOptions): RenderedFile {
  return textFile(`servers/${server.name}/etc/systemd/system/trivet-agent.service`, options, "The trivet agent.", [
    "[Unit]",
    "Description=trivet agent: announces the routes of this LXD or Incus server over BGP",
    "Wants=network-online.target",
    "After=network-online.target lxd.service snap.lxd.daemon.service incus.service",
    "# Nothing else announces this server: it is never given up.",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "# Ready once LXD was read in full and its routes are announced; that may take as long as the cluster takes to come up.",
    "Type=notify",
    "TimeoutStartSec=infinity",
    "WatchdogSec=30",
    "ExecStart=/opt/trivet/lib/node /opt/trivet/lib/trivet/trivet.js agent --config /etc/trivet/agent.yaml",
    "ExecReload=/bin/kill -HUP $MAINPID",
    "TimeoutStopSec=10",
    "Restart=always",
    "RestartSec=1",
    "# A wrong configuration does not get better by trying again.",
    "RestartPreventExitStatus=1 2",
    "",
    "# The folder outlives a restart: by what is in it the agent knows that routers may still hold its routes.",
    "RuntimeDirectory=trivet",
    "RuntimeDirectoryPreserve=yes",
    "# The zones it answered, for the time until LXD was read, and for secondaries that missed changes.",
    "StateDirectory=trivet",
    "UMask=0077",
    "OOMScoreAdjust=-500",
    "",
    "# Root, because LXD's socket and the cluster's key are root's; without root's other powers but ports below 1024, ping, and",
    "# real time for BFD's thread: a server that is merely busy must not be taken for dead.",
    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_SYS_NICE",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "# Node tries calls it can do without.",
    "SystemCallErrorNumber=EPERM",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ]);
}
