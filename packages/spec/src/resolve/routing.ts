import type { InterfaceAddress } from "@trivet/ip";
import type { Context } from "../context.ts";
import type { Router, RouterInterface, Routing, Vlan } from "../model.ts";
import { HOST, host, vrrpPriority } from "../plan.ts";
import { isKnown } from "./network.ts";

export function resolveRouting(
  context: Context,
  servers: readonly string[],
  vlans: readonly Vlan[],
): Routing | undefined {
  const { file } = context;
  const own = file.routing;
  if (own === undefined) return undefined;
  const known = Object.keys(file.servers);
  const switches = Object.keys(file.switches);
  const lines = Object.entries(own.lines).map(([name, line]) => {
    isKnown(context, ["routing", "lines", name, "to"], "switch", line.to, switches);
    return { name, to: line.to, power: line.power ?? [] };
  });
  if (lines.length === 0) lines.push({ name: "uplink", to: switches[0] ?? "", power: [] });
  const names = lines.map(({ name }) => name);
  return {
    asn: own.asn,
    routers: Object.entries(own.routers)
      .map(([name, router], index, all): Router => {
        if (router.on !== undefined) isKnown(context, ["routing", "routers", name, "on"], "server", router.on, known);
        const number = router.number ?? Number(/(\d{1,2})$/.exec(name)?.[1] ?? index + 1);
        return {
          name,
          number,
          on: router.on ?? servers[index % Math.max(servers.length, 1)] ?? "",
          priority: router.priority ?? vrrpPriority(index, all.length),
          interfaces: vlans
            .filter(({ role }) => role !== "underlay" && role !== "bmc")
            .map((vlan) =>
              attach(vlan, number, own.interfaces?.[vlan.name], vlan.role === "wan" ? router.wan : undefined),
            ),
        };
      })
      .sort((a, b) => b.priority - a.priority),
    upstreams: Object.entries(own.upstreams).map(([name, upstream]) => {
      isKnown(context, ["routing", "upstreams", name, "line"], "line", upstream.line, names);
      return {
        name,
        asn: upstream.asn,
        addresses: upstream.addresses,
        line: upstream.line,
        password: upstream.password,
        bfd: upstream.bfd,
      };
    }),
    announce: own.announce ?? [file.addresses.ipv6, file.addresses.ipv4].filter((prefix) => prefix !== undefined),
    lines,
    vrrp: own.vrrp,
    advertisementInterval: own.advertisementInterval,
    bfd: own.bfd,
    trackUpstream: own.trackUpstream,
    agents: { asn: own.agents.asn ?? own.asn, password: own.agents.password },
    nullRoute: own.nullRoute,
    filters: own.filters,
  };
}

function attach(
  vlan: Vlan,
  number: number,
  name: string | undefined,
  given: readonly InterfaceAddress[] | undefined,
): RouterInterface {
  const planned = vlan.subnets.flatMap(({ prefix }) => {
    const address = host(prefix, HOST.router + number);
    return address === undefined ? [] : { address, prefix };
  });
  return { vlan: vlan.name, role: vlan.role, name: name ?? vlan.role, addresses: given ?? planned };
}
