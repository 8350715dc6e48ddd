import type { Cluster, Router, Server } from "@trivet/spec";
import { HOST } from "@trivet/spec";
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
    allow: cluster.addresses,
    uplinks: [uplink.name],
    peers: routing.routers.flatMap((router) =>
      sessions(cluster, router).map((address) => ({
        name: router.name,
        address: address.toString(),
        asn: routing.asn,
        passwordFile: password === undefined ? undefined : PASSWORD_FILE,
      })),
    ),
  };
  const files = [
    yamlFile(`${folder}/etc/trivet/agent.yaml`, options, `The trivet agent on ${server.name}.`, config),
    service(server, options),
  ];
  if (password !== undefined)
    files.push({ path: `${folder}${PASSWORD_FILE}`, mode: 0o600, text: `${options.secret(password)}\n` });
  return files;
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

function service(server: Server, options: RenderOptions): RenderedFile {
  return textFile(`servers/${server.name}/etc/systemd/system/trivet-agent.service`, options, "The trivet agent.", [
    "[Unit]",
    "Description=trivet agent",
    "Wants=network-online.target",
    "After=network-online.target lxd.service incus.service",
    "",
    "[Service]",
    "Type=notify",
    "NotifyAccess=all",
    "ExecStart=/usr/bin/trivet agent --config /etc/trivet/agent.yaml",
    "Restart=always",
    "RestartSec=1",
    "WatchdogSec=30",
    "RuntimeDirectory=trivet",
    "RuntimeDirectoryMode=0750",
    "AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_ADMIN CAP_NET_RAW",
    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_ADMIN CAP_NET_RAW CAP_DAC_OVERRIDE",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectControlGroups=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ]);
}
