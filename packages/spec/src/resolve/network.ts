import { Address, Prefix } from "@trivet/ip";
import type { Context } from "../context.ts";
import type { Mesh, Network, Ovn, Range, Subnet, Vlan } from "../model.ts";
import { HOST, host, namedSubnet, numberedSubnet, privateSubnet } from "../plan.ts";
import { ROLES } from "../schema/network.ts";
import type { ClusterFile } from "../schema/cluster.ts";
import type { Path } from "../source/document.ts";
import { suggest } from "../source/suggest.ts";

/** Subnet number of the mesh, which no VLAN should have: tag 1 is every switch's default. */
const MESH_SUBNET = 1;

export function resolveVlans(context: Context): Vlan[] {
  const { file } = context;
  const pool = file.addresses.ipv6;
  return Object.entries(file.vlans).flatMap(([name, written]) => {
    const own = typeof written === "number" ? { id: written, anycast: true } : written;
    const path: Path = ["vlans", name];
    const role = own.role ?? ROLES.find((each) => each === name.toLowerCase());
    if (role === undefined) {
      context.report(path, {
        code: "role-missing",
        message: `the network ${name} has no role`,
        remedy: `add role: with one of ${ROLES.join(", ")}`,
        key: true,
      });
      return [];
    }
    const planned = pool === undefined || own.id === undefined ? undefined : numberedSubnet(pool, own.id);
    const prefixes = [own.ipv6 ?? planned, own.ipv4].filter((prefix) => prefix !== undefined);
    const subnets = prefixes.flatMap((prefix): Subnet[] => {
      const gateway = own.gateway?.find((each) => each.family === prefix.family) ?? host(prefix, HOST.gateway);
      return gateway === undefined ? [] : [{ family: prefix.family, prefix, gateway }];
    });
    return {
      name,
      id: own.id,
      role,
      bridge: own.bridge ?? `br-${role}`,
      mtu: own.mtu ?? (role === "underlay" ? 9000 : 1500),
      link: own.link ?? defaultLink(file) ?? "",
      subnets,
      vrid: own.vrid ?? ((own.id ?? 50 + ROLES.indexOf(role)) % 255) + 1,
      ranges: role === "uplink" ? rangesOf(context, path, own.ranges, subnets) : [],
      anycast: own.anycast,
    };
  });
}

/** The first link of the first server that goes to a switch. */
function defaultLink(file: ClusterFile): string | undefined {
  const [server] = Object.values(file.servers);
  const links = { ...(server?.model === undefined ? {} : file.models[server.model]?.links), ...server?.links };
  for (const [name, own] of Object.entries(links)) {
    const to = own.to ?? (server?.model === undefined ? undefined : file.models[server.model]?.links?.[name]?.to);
    const [first] = Array.isArray(to) ? to : [to];
    if (first !== undefined && file.switches[first] !== undefined) return name;
  }
  return undefined;
}

function rangesOf(
  context: Context,
  path: Path,
  written: readonly string[] | undefined,
  subnets: readonly Subnet[],
): Range[] {
  if (written === undefined) return subnets.flatMap(upperHalf);
  return written.flatMap((text, index) => {
    const [first, last] = text.split("-").map((each) => Address.tryParse(each));
    if (first !== undefined && last !== undefined && first.family === last.family && first.compare(last) <= 0)
      return { first, last };
    context.report([...path, "ranges", index], {
      code: "range-invalid",
      message: `${text} is no range of addresses`,
      remedy: "write FIRST-LAST, with the smaller address first",
    });
    return [];
  });
}

/** What OVN may take by default: in IPv4 the upper half, in IPv6 from `::1000` to `::ffff`. */
function upperHalf({ prefix }: Subnet): Range[] {
  if (prefix.size < 8n) return [];
  if (prefix.family === 6) return prefix.size > 0x10000n ? [{ first: prefix.at(0x1000), last: prefix.at(0xffff) }] : [];
  return [{ first: prefix.at(prefix.size / 2n), last: prefix.at(prefix.size - 2n) }];
}

export function resolveMesh(file: ClusterFile): Mesh | undefined {
  const links = [...Object.values(file.models), ...Object.values(file.servers)].flatMap((each) =>
    Object.values(each.links ?? {}),
  );
  const direct = links.some(({ to }) => to === "mesh" || (typeof to === "string" && file.servers[to] !== undefined));
  if (file.mesh === undefined && !direct) return undefined;
  const planned = file.addresses.ipv6 === undefined ? undefined : numberedSubnet(file.addresses.ipv6, MESH_SUBNET);
  const prefixes = [file.mesh?.ipv6 ?? (file.mesh?.ipv4 === undefined ? planned : undefined), file.mesh?.ipv4];
  return { prefixes: prefixes.filter((prefix) => prefix !== undefined), mtu: file.mesh?.mtu ?? 9000 };
}

export function resolveOvn(context: Context, servers: readonly string[], vlans: readonly Vlan[]): Ovn | undefined {
  const { file } = context;
  if (file.ovn === undefined && !vlans.some(({ role }) => role === "uplink")) return undefined;
  return {
    central: knownServers(context, ["ovn", "central"], file.ovn?.central) ?? servers.slice(0, 3),
    bfd: file.ovn?.bfd ?? { minRx: 100, minTx: 100, multiplier: 3 },
    bootstrap: file.ovn?.bootstrap ?? false,
    ssl: file.ovn?.ssl ?? false,
  };
}

/** The servers of a list, each unknown one reported; `undefined` when there is no list. */
export function knownServers(context: Context, path: Path, names: readonly string[] | undefined): string[] | undefined {
  return names?.filter((name, index) =>
    isKnown(context, [...path, index], "server", name, Object.keys(context.file.servers)),
  );
}

/** Reports `name` as unknown unless it is one of `known`. */
export function isKnown(context: Context, path: Path, kind: string, name: string, known: readonly string[]): boolean {
  if (known.includes(name)) return true;
  const near = suggest(name, known);
  context.report(path, {
    code: `unknown-${kind.toLowerCase().replaceAll(" ", "-")}`,
    message: `there is no ${kind} ${name}`,
    remedy:
      near === undefined
        ? known.length > 0 && known.length < 12
          ? `there is ${known.join(", ")}`
          : "describe it, or name another"
        : `did you mean ${near}?`,
  });
  return false;
}

export function resolveNetworks(context: Context, project: string, vlans: readonly Vlan[]): Network[] {
  const { file } = context;
  const { networks = {}, instances = {} } = file.projects[project] ?? {};
  const only = Object.keys(networks).length === 1 ? Object.keys(networks)[0] : undefined;
  // An OVN router leads an IPv4 route to an instance by the instance's own IPv4 address.
  const routed = new Set(
    Object.values(instances).flatMap(({ network = only, routes }) =>
      routes.some(({ family }) => family === 4) ? network : [],
    ),
  );
  const uplinks = vlans.filter(({ role }) => role === "uplink").map(({ name }) => name);
  return Object.entries(networks).map(([name, own]): Network => {
    const path: Path = ["projects", project, "networks", name];
    const pool = file.addresses.ipv6;
    const planned = pool === undefined ? undefined : namedSubnet(pool, `${project}/${name}`);
    const inner = own.ipv4 === undefined && routed.has(name) ? privateSubnet(`${project}/${name}`) : undefined;
    const prefixes = [
      own.ipv6 === false ? undefined : (own.ipv6 ?? planned),
      own.ipv4 === false ? undefined : (own.ipv4 ?? inner),
    ];
    if (own.uplink !== undefined) isKnown(context, [...path, "uplink"], "uplink", own.uplink, uplinks);
    else if (uplinks.length === 0)
      context.report(path, {
        code: "uplink-missing",
        message: `the network ${name} has no uplink: no VLAN has the role uplink`,
        remedy: "add one under vlans:",
        key: true,
      });
    return {
      name,
      project,
      subnets: prefixes.flatMap((prefix) =>
        prefix instanceof Prefix
          ? { family: prefix.family, prefix, gateway: prefix.isHost ? prefix.address : prefix.at(1) }
          : [],
      ),
      nat: own.nat || inner !== undefined,
      uplink: own.uplink ?? uplinks[0] ?? "",
      acls: own.acls,
      default: own.default,
      zone: own.zone ?? file.domain,
      description: own.description,
    };
  });
}
