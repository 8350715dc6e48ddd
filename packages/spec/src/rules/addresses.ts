import { Address, type Prefix, PrefixSet } from "@trivet/ip";
import type { Context } from "../context.ts";
import type { Cluster, Vlan } from "../model.ts";
import type { Path } from "../source/document.ts";

/** Every address lies in its network and is used once; no two networks overlap; OVN's ranges hold nothing else. */
export function checkAddresses(context: Context, cluster: Cluster): void {
  checkOverlaps(context, cluster);
  const used = new Map<string, string>();
  const claim = (address: Address, who: string, path: Path) => {
    const other = used.get(address.toString());
    if (other === undefined) used.set(address.toString(), who);
    else
      context.report(path, {
        code: "address-twice",
        message: `${address.toString()} for ${who} is already the address of ${other}`,
        remedy: "give one of them another",
      });
  };
  for (const vlan of cluster.vlans) checkGateways(context, vlan, claim);
  checkServers(context, cluster, claim);
  for (const router of cluster.routing?.routers ?? []) {
    for (const { vlan, role, addresses } of router.interfaces) {
      const path = ["routing", "routers", router.name, ...(role === "wan" ? ["wan"] : [])];
      for (const { address } of addresses) {
        inside(context, address, vlanOf(cluster, vlan), `${router.name} on ${vlan}`, path);
        claim(address, `${router.name} on ${vlan}`, path);
      }
    }
  }
  checkRanges(context, cluster, used);
}

type Claim = (address: Address, who: string, path: Path) => void;

function vlanOf(cluster: Cluster, name: string): Vlan | undefined {
  return cluster.vlans.find((vlan) => vlan.name === name);
}

function inside(context: Context, address: Address, vlan: Vlan | undefined, who: string, path: Path): void {
  const subnets = vlan?.subnets.filter(({ family }) => family === address.family) ?? [];
  if (vlan === undefined || subnets.some(({ prefix }) => prefix.contains(address))) return;
  outside(
    context,
    address,
    `the network ${vlan.name}`,
    subnets.map(({ prefix }) => prefix),
    who,
    path,
  );
}

function outside(
  context: Context,
  address: Address,
  where: string,
  prefixes: readonly Prefix[],
  who: string,
  path: Path,
): void {
  const has = prefixes.length === 0 ? `which has no IPv${address.family}` : prefixes.join(", ");
  context.report(path, {
    code: "address-outside",
    message: `${address.toString()} for ${who} is outside ${where}, ${has}`,
    remedy: "choose one inside, or correct the network",
  });
}

function checkGateways(context: Context, vlan: Vlan, claim: Claim): void {
  const { file } = context;
  const written = file.vlans[vlan.name];
  const given = typeof written === "object" ? (written.gateway ?? []) : [];
  for (const [index, address] of given.entries())
    inside(context, address, vlan, "the gateway", ["vlans", vlan.name, "gateway", index]);
  if (vlan.role === "underlay") return;
  for (const { gateway, prefix } of vlan.subnets)
    if (prefix.contains(gateway))
      claim(gateway, `the gateway of ${vlan.name}`, ["vlans", vlan.name, ...(given.length > 0 ? ["gateway"] : [])]);
}

function checkServers(context: Context, cluster: Cluster, claim: Claim): void {
  const hosts =
    cluster.vlans.find(({ role }) => role === "hosts") ?? cluster.vlans.find(({ role }) => role === "uplink");
  const bmc = cluster.vlans.find(({ role }) => role === "bmc");
  for (const server of cluster.servers) {
    const path: Path = ["servers", server.name];
    for (const [index, address] of server.hosts.entries()) {
      const at = [...path, "addresses", index];
      inside(context, address, hosts, server.name, at);
      claim(address, server.name, at);
    }
    for (const [index, address] of server.mesh.entries()) {
      const at = [...path, "mesh", index];
      const prefixes = cluster.mesh?.prefixes ?? [];
      if (!prefixes.some((prefix) => prefix.contains(address)))
        outside(context, address, "the mesh", prefixes, server.name, at);
      claim(address, `${server.name} on the mesh`, at);
    }
    if (server.bmc?.address !== undefined) {
      const at = [...path, "bmc", "address"];
      inside(context, server.bmc.address, bmc, `${server.name}'s BMC`, at);
      claim(server.bmc.address, `${server.name}'s BMC`, at);
    }
    if (server.address === undefined)
      context.report(path, {
        code: "address-missing",
        message: `${server.name} has no address: neither mesh, underlay nor hosts has a subnet with room for it`,
        remedy: "add addresses: here, or ipv6: to the hosts network or to the top-level addresses:",
        key: true,
      });
  }
  for (const each of cluster.switches) {
    if (each.address === undefined) continue;
    const at = ["switches", each.name, "address"];
    inside(context, each.address, bmc, each.name, at);
    claim(each.address, each.name, at);
  }
}

function checkRanges(context: Context, cluster: Cluster, used: ReadonlyMap<string, string>): void {
  for (const vlan of cluster.vlans) {
    for (const [index, { first, last }] of vlan.ranges.entries()) {
      const path = ["vlans", vlan.name, "ranges", index];
      for (const end of [first, last]) inside(context, end, vlan, "OVN's range", path);
      for (const [text, who] of used) {
        if (text.includes(":") !== (first.family === 6)) continue;
        const taken = vlan.subnets.flatMap(({ prefix }) => (prefix.contains(first) ? [prefix] : []))[0];
        const address = Address.parse(text);
        if (taken === undefined || !taken.contains(address) || address.compare(first) < 0 || address.compare(last) > 0)
          continue;
        context.report(path, {
          code: "range-overlap",
          message: `OVN's range ${first.toString()}-${last.toString()} holds ${text}, the address of ${who}`,
          remedy: "move the range, or the address",
        });
      }
    }
  }
}

interface Placed {
  readonly prefix: Prefix;
  readonly name: string;
  readonly path: Path;
}

function checkOverlaps(context: Context, cluster: Cluster): void {
  const all: Placed[] = [
    ...(cluster.mesh?.prefixes ?? []).map((prefix) => ({
      prefix,
      name: "the mesh",
      path: ["mesh", `ipv${prefix.family}`],
    })),
    ...cluster.vlans.flatMap((vlan) =>
      vlan.subnets.map(({ prefix, family }) => ({
        prefix,
        name: vlan.name,
        path: ["vlans", vlan.name, `ipv${family}`],
      })),
    ),
    ...cluster.projects.flatMap((project) =>
      project.networks.flatMap((network) =>
        network.subnets.map(({ prefix, family }) => ({
          prefix,
          name: `network ${project.name}/${network.name}`,
          path: ["projects", project.name, "networks", network.name, `ipv${family}`],
        })),
      ),
    ),
  ];
  // In order, a prefix can overlap only one before it that is still open.
  all.sort((a, b) => a.prefix.compare(b.prefix));
  let open: Placed | undefined;
  for (const each of all) {
    if (open?.prefix.contains(each.prefix)) {
      context.report(each.path, {
        code: "subnet-overlap",
        message: `${each.prefix.toString()} of ${each.name} overlaps ${open.prefix.toString()} of ${open.name}`,
        remedy: "write down another for one of them",
      });
    } else open = each;
  }
  checkRouted(context, cluster);
}

/** Instances' public subnets must be among what the provider routes here. */
function checkRouted(context: Context, cluster: Cluster): void {
  const ours = new PrefixSet(cluster.addresses);
  for (const project of cluster.projects) {
    for (const network of project.networks) {
      const path = ["projects", project.name, "networks", network.name];
      if (network.subnets.length === 0)
        context.report(path, {
          code: "network-without-subnet",
          message: `the network ${network.name} has no subnet`,
          remedy: "add ipv6: or ipv4: here, or ipv6: to the top-level addresses:",
          key: true,
        });
      for (const { prefix, family } of network.subnets) {
        if ((network.nat && family === 4) || ours.covers(prefix)) continue;
        context.report([...path, `ipv${family}`], {
          code: "not-yours",
          message: `${prefix.toString()} of ${network.name} is not among your addresses, ${cluster.addresses.join(", ") || "of which there are none"}`,
          remedy: "choose one inside, or add nat: true",
        });
      }
    }
  }
}
