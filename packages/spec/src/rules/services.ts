import { Address, type Prefix } from "@trivet/ip";
import type { Context } from "../context.ts";
import type { Cluster, Instance } from "../model.ts";
import { isKnown } from "../resolve/network.ts";
import type { Path } from "../source/document.ts";

type Records = NonNullable<Cluster["dns"]>["zones"][string]["records"];

/** Services run on instances that exist and that their addresses lead to; zones hold what DNS allows. */
export function checkServices(context: Context, cluster: Cluster): void {
  const { dns, services, monitoring } = cluster;
  const instances = new Map(
    cluster.projects.flatMap((project) => project.instances.map((each) => [each.ref, each] as const)),
  );
  const refs = [...instances.keys()];
  const run = (path: Path, names: readonly string[] = []): Instance[] =>
    names.flatMap((name, index) => {
      const instance = instances.get(name);
      if (instance === undefined) isKnown(context, [...path, index], "instance", name, refs);
      return instance ?? [];
    });
  const routed = (path: Path, addresses: readonly Address[], on: readonly Instance[]) => {
    for (const [index, address] of addresses.entries()) {
      const without = on.filter(
        ({ routes, addresses: own }) =>
          !routes.some((route) => route.contains(address)) && !own.some((each) => each.equals(address)),
      );
      if (without.length > 0)
        context.report([...path, index], {
          code: "address-not-routed",
          message: `${address.toString()} leads to no service on ${without.map(({ name }) => name).join(", ")}: it is not among the instance's routes`,
          remedy: "add it to routes: of each",
        });
    }
  };
  const serve = (path: Path, service: { instances: readonly string[]; addresses: readonly Address[] } | undefined) => {
    if (service !== undefined)
      routed([...path, "addresses"], service.addresses, run([...path, "instances"], service.instances));
  };
  serve(["dns", "nameservers"], dns?.nameservers);
  serve(["dns", "resolvers"], dns?.resolvers);
  serve(["services", "haproxy"], services.haproxy);
  for (const [name, site] of Object.entries(services.haproxy?.sites ?? {}))
    run(["services", "haproxy", "sites", name, "backends"], site.backends);
  run(["services", "proxy", "instances"], services.proxy?.instances);
  run(["services", "nat64", "instances"], services.nat64?.instances);
  run(["monitoring", "instances"], monitoring?.instances);
  for (const [index, name] of (monitoring?.snmp ?? []).entries())
    isKnown(
      context,
      ["monitoring", "snmp", index],
      "switch",
      name,
      cluster.switches.map((each) => each.name),
    );
  const pool = services.nat64?.pool;
  if (pool !== undefined) ours(context, cluster, pool);
  for (const [zone, { records }] of Object.entries(dns?.zones ?? {})) checkRecords(context, zone, records);
}

function ours(context: Context, cluster: Cluster, pool: Prefix): void {
  if (!cluster.addresses.some((prefix) => prefix.contains(pool)))
    context.report(["services", "nat64", "pool"], {
      code: "not-yours",
      message: `${pool.toString()} is not among your addresses, ${cluster.addresses.join(", ") || "of which there are none"}`,
      remedy: "choose a part of your IPv4 addresses",
    });
}

const VALUES: Partial<Record<Records[number]["type"], { good: (value: string) => boolean; like: string }>> = {
  A: { good: (value) => Address.tryParse(value)?.family === 4, like: "192.0.2.1" },
  AAAA: { good: (value) => Address.tryParse(value)?.family === 6, like: "2001:db8::1" },
  MX: { good: (value) => /^\d{1,5} \S+$/.test(value), like: "10 mail.example.net." },
  SRV: { good: (value) => /^\d{1,5} \d{1,5} \d{1,5} \S+$/.test(value), like: "0 5 443 host.example.net." },
  CAA: { good: (value) => /^\d{1,3} [a-z0-9]+ "?[^"]*"?$/.test(value), like: '0 issue "ca.example.net"' },
  CNAME: { good: isHostName, like: "host.example.net." },
  NS: { good: isHostName, like: "ns1.example.net." },
  PTR: { good: isHostName, like: "host.example.net." },
};

function isHostName(value: string): boolean {
  return /^([A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$/.test(value);
}

function checkRecords(context: Context, zone: string, records: Records): void {
  const path = ["dns", "zones", zone, "records"];
  const types = new Map<string, Set<string>>();
  for (const { name, type } of records) types.set(name, (types.get(name) ?? new Set()).add(type));
  for (const [index, { name, type, value }] of records.entries()) {
    const rule = VALUES[type];
    if (rule?.good(value) === false)
      context.report([...path, index, "value"], {
        code: "record-value",
        message: `${value} is no value of type ${type}`,
        remedy: `write it like ${rule.like}`,
      });
    if (type === "CNAME" && (name === "@" || (types.get(name)?.size ?? 0) > 1))
      context.report([...path, index], {
        code: "record-conflict",
        message: `${name === "@" ? zone : name} has a CNAME beside other records, which DNS forbids (RFC 1034 §3.6.2)`,
        remedy: "use A and AAAA records instead",
      });
  }
}
