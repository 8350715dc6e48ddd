import { Name, type ServerOptions, readZoneFile } from "@trivet/dns";
import type { DnsConfig } from "../config/dns-schema.ts";
import type { ResolveConfig } from "./config.ts";
import { reverseOrigin } from "./reverse.ts";

/** What decides the zones' content. */
export function resolveConfig({ zones, reverse, nameservers, hostmaster, catalog, ttl }: DnsConfig): ResolveConfig {
  const first = zones[0]?.zone ?? nameservers[0] ?? Name.root;
  return {
    forward: zones.map(({ zone, records, projects, networks, ...rest }) => ({
      ...rest,
      origin: zone,
      records: [...readZoneFile(`$TTL ${ttl}\n${records}`, { origin: zone })],
      ...(projects === undefined ? {} : { projects }),
      ...(networks === undefined ? {} : { networks }),
    })),
    reverse: reverse.map(({ prefix, zone }) => ({ prefix, origin: zone ?? reverseOrigin(prefix) })),
    nameservers,
    hostmaster: hostmaster ?? first.child("hostmaster"),
    ttl,
    ...(catalog === undefined ? {} : { catalog }),
  };
}

/** Where the anycast addresses are answered. */
export function anycastPort({ listen }: DnsConfig): number {
  return listen[0]?.port ?? 53;
}

/**
 * How the server answers.
 *
 * @param anycast the anycast addresses that this server has
 */
export function serverOptions(config: DnsConfig, identity: string, anycast: readonly string[]): ServerOptions {
  const { listen, keys, transfers, notify, workers } = config;
  return {
    listen: [...listen, ...anycast.map((address) => ({ address, port: anycastPort(config) }))],
    workers,
    identity,
    keys: keys.map(({ name, algorithm, secret = "" }) => ({ name: name.toString(), algorithm, secret })),
    transfers: transfers.map(({ zones, from, key }) => ({
      ...(zones === undefined ? {} : { zones: zones.map(String) }),
      ...(from === undefined ? {} : { from: from.map(String) }),
      ...(key === undefined ? {} : { key: key.toString() }),
    })),
    notify: notify.map(({ address, port, source, key, zones }) => ({
      address,
      port,
      ...(source === undefined ? {} : { source }),
      ...(key === undefined ? {} : { key: key.toString() }),
      ...(zones === undefined ? {} : { zones: zones.map(String) }),
    })),
  };
}
