import type { Cluster, Instance } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, bracketed, textFile } from "../file.ts";

/** Where an instance answers: its fixed address, else the name LXD gives it. */
function endpoint(cluster: Cluster, ref: string): string {
  const instance = find(cluster, ref);
  const [address] = instance?.addresses ?? [];
  if (address !== undefined) return bracketed(address);
  const network = cluster.projects
    .find(({ name }) => name === instance?.project)
    ?.networks.find(({ name }) => name === instance?.network);
  return `${instance?.name ?? ref}.${network?.zone ?? cluster.domain}`;
}

function find(cluster: Cluster, ref: string): Instance | undefined {
  return cluster.projects.flatMap(({ instances }) => instances).find((each) => each.ref === ref);
}

export function haproxy(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  const { haproxy: settings } = cluster.services;
  if (settings === undefined) return [];
  const addresses = settings.addresses.length > 0 ? settings.addresses.map(bracketed) : ["[::]"];
  const resolvers = cluster.dns?.resolvers?.addresses ?? [];
  const sites = Object.entries(settings.sites);
  const resolve = resolvers.length > 0 ? " resolvers cluster init-addr none" : " init-addr libc,none";
  const label = (site: string) => site.replaceAll(/[^\w-]/g, "_");
  const bind = (port: number, tls = "") =>
    addresses.map(
      (address) =>
        `  bind ${address === "[::]" ? ":::" : `${address}:`}${port}${address === "[::]" ? " v4v6" : ""}${tls}`,
    );
  return [
    textFile("proxy/haproxy.cfg", options, "HAProxy, on each of the proxies.", [
      "global",
      "  log stdout format raw local0",
      "  maxconn 20000",
      "  stats socket /run/haproxy/admin.sock mode 660 level admin",
      "  ssl-default-bind-options ssl-min-ver TLSv1.2",
      "",
      "defaults",
      "  mode http",
      "  log global",
      "  option httplog",
      "  option dontlognull",
      "  option forwardfor",
      "  option redispatch",
      "  retries 2",
      "  timeout connect 5s",
      "  timeout client 60s",
      "  timeout server 60s",
      "  timeout http-request 10s",
      "",
      ...(resolvers.length > 0
        ? [
            "resolvers cluster",
            ...resolvers.map((address, index) => `  nameserver dns${index + 1} ${bracketed(address)}:53`),
            "  hold valid 10s",
            "",
          ]
        : []),
      "frontend metrics",
      "  bind :::8405 v4v6",
      "  http-request use-service prometheus-exporter if { path /metrics }",
      "",
      "frontend web",
      ...bind(80),
      ...bind(443, ` ssl crt ${settings.certificate} alpn h2,http/1.1`),
      "  http-request redirect scheme https unless { ssl_fc }",
      ...sites.map(([site]) => `  use_backend ${label(site)} if { hdr(host),field(1,:) -i ${site} }`),
      ...sites.flatMap(([site, { backends, port, check }]) =>
        [
          "",
          `backend ${label(site)}`,
          "  balance leastconn",
          `  option httpchk GET ${check}`,
          `  http-check send hdr Host ${site}`,
        ].concat(
          backends.map(
            (ref) =>
              `  server ${ref.split("/")[1] ?? ref} ${endpoint(cluster, ref)}:${port} check inter 2s fall 3 rise 2${resolve}`,
          ),
        ),
      ),
    ]),
  ];
}

export function egress(cluster: Cluster, options: RenderOptions): RenderedFile[] {
  const { proxy } = cluster.services;
  if (proxy === undefined) return [];
  return [
    textFile("proxy/squid.conf", options, "squid: the way out.", [
      `http_port ${proxy.port}`,
      ...cluster.addresses.map((prefix) => `acl cluster src ${prefix.toString()}`),
      ...proxy.allow.map((domain) => `acl allowed dstdomain ${domain}`),
      "acl tls port 443",
      "acl web port 80 443",
      "http_access deny !web",
      "http_access deny CONNECT !tls",
      ...(proxy.allow.length > 0 ? ["http_access allow cluster allowed"] : []),
      "http_access deny all",
      "via off",
      "forwarded_for delete",
    ]),
  ];
}
