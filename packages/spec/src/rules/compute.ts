import { Address, AddressError, Prefix, PrefixSet } from "@trivet/ip";
import type { AclRule, Cluster, Instance, Network, Project } from "../model.ts";
import type { Context } from "../context.ts";
import type { Path } from "../source/document.ts";
import { suggest } from "../source/suggest.ts";

/** Instances, their networks and ACLs. */
export function checkCompute(context: Context, cluster: Cluster): void {
  const ours = new PrefixSet(cluster.addresses);
  const nat64 = cluster.services.nat64;
  if (nat64 !== undefined) ours.add(nat64.prefix ?? Prefix.parse("64:ff9b::/96"));
  const largest = Math.max(0, ...cluster.servers.map(({ memory }) => memory));
  const routes = new Map<string, Instance[]>();
  for (const project of cluster.projects) {
    checkAcls(context, project);
    const networks = new Map(project.networks.map((network) => [network.name, network]));
    const taken = new Map<string, string>();
    for (const instance of project.instances) {
      const path = ["projects", project.name, "instances", instance.name];
      checkInstance(context, instance, networks, path, largest, taken);
      for (const [index, route] of instance.routes.entries()) {
        const key = route.toString();
        routes.set(key, [...(routes.get(key) ?? []), instance]);
        if (!ours.covers(route))
          context.report([...path, "routes", index], {
            code: "not-yours",
            message: `${text(route)} is not among your addresses, ${cluster.addresses.join(", ") || "of which there are none"}`,
            remedy: "choose one inside, or add it to the top-level addresses:",
          });
      }
    }
  }
  checkAnycast(context, cluster, routes);
}

function text(prefix: Prefix): string {
  return prefix.isHost ? prefix.address.toString() : prefix.toString();
}

function checkInstance(
  context: Context,
  instance: Instance,
  networks: ReadonlyMap<string, Network>,
  path: Path,
  largest: number,
  taken: Map<string, string>,
): void {
  const say = (key: Path, code: string, message: string, remedy: string) =>
    context.report([...path, ...key], { code, message, remedy });
  if (largest > 0 && instance.memory > largest)
    say(["memory"], "instance-too-large", `${instance.name} wants more memory than any server has`, "lower it");
  if (instance.devices.length > 0 && instance.on === undefined)
    say(
      ["devices"],
      "device-without-server",
      `${instance.name} needs hardware, but no server is named that has it`,
      "add on: with the server",
    );
  const network = instance.network === undefined ? undefined : networks.get(instance.network);
  for (const [index, address] of instance.addresses.entries()) {
    const at = ["addresses", index];
    if (network !== undefined && !network.subnets.some(({ prefix }) => prefix.contains(address)))
      say(
        at,
        "address-outside",
        `${address.toString()} for ${instance.name} is outside its network ${network.name}, ${network.subnets.map(({ prefix }) => prefix.toString()).join(", ")}`,
        "choose one inside",
      );
    const key = `${instance.network} ${address.toString()}`;
    const other =
      taken.get(key) ??
      (network?.subnets.some(({ gateway }) => gateway.equals(address)) ? "the network's gateway" : undefined);
    if (other !== undefined)
      say(
        at,
        "address-twice",
        `${address.toString()} for ${instance.name} is already the address of ${other}`,
        "give one of them another",
      );
    else taken.set(key, instance.name);
  }
}

/** Several instances with one route are an anycast service: each on its own network, below an uplink that lets them. */
function checkAnycast(context: Context, cluster: Cluster, routes: ReadonlyMap<string, readonly Instance[]>): void {
  const networks = new Map<string, Network>(
    cluster.projects.flatMap((project) =>
      project.networks.map((network) => [`${project.name}/${network.name}`, network] as const),
    ),
  );
  for (const holders of routes.values()) {
    if (holders.length < 2) continue;
    const seen = new Map<string, string>();
    for (const instance of holders) {
      const path = ["projects", instance.project, "instances", instance.name, "routes"];
      const key: string = `${instance.project}/${instance.network}`;
      const uplink = cluster.vlans.find(({ name }) => name === networks.get(key)?.uplink);
      if (uplink?.anycast === false)
        context.report(path, {
          code: "anycast-forbidden",
          message: `${instance.name} shares an address with ${holders
            .filter((each) => each !== instance)
            .map(({ name }) => name)
            .join(", ")}, which its uplink ${uplink.name} forbids`,
          remedy: `set anycast: true on ${uplink.name}, or give it another address`,
        });
      const other = seen.get(key);
      if (other !== undefined)
        context.report(path, {
          code: "anycast-one-network",
          message: `${instance.name} and ${other} share an address on the same network ${instance.network}, whose router would send it to one of them only`,
          remedy: "put each on a network of its own",
        });
      else seen.set(key, instance.name);
    }
  }
}

function checkAcls(context: Context, project: Project): void {
  const known = new Set(project.acls.map(({ name }) => name));
  for (const acl of project.acls) {
    for (const direction of ["ingress", "egress"] as const) {
      for (const [index, rule] of acl[direction].entries()) {
        const path = ["projects", project.name, "acls", acl.name, direction, index];
        const families = new Set<number>(rule.protocol === "icmp4" ? [4] : rule.protocol === "icmp6" ? [6] : []);
        for (const side of ["source", "destination"] as const)
          checkSelector(context, rule[side], [...path, side], known, families);
        checkRule(context, rule, path, families);
      }
    }
  }
}

function checkSelector(
  context: Context,
  selector: string | undefined,
  path: Path,
  known: ReadonlySet<string>,
  families: Set<number>,
): void {
  for (const part of selector?.split(",") ?? []) {
    const word = part.trim();
    if (word === "@internal" || word === "@external" || known.has(word)) continue;
    const family = familyOf(word);
    if (family !== undefined) {
      families.add(family);
      continue;
    }
    const near = suggest(word, [...known, "@internal", "@external"]);
    context.report(path, {
      code: "acl-selector",
      message: `${word || "nothing"} names neither an ACL of this project nor an address`,
      remedy:
        near === undefined
          ? "write an address, a prefix, a range, an ACL, @internal or @external"
          : `did you mean ${near}?`,
    });
  }
}

function familyOf(word: string): number | undefined {
  try {
    const [first = "", last] = word.includes("/") ? [word] : word.split("-");
    if (word.includes("/")) return Prefix.parse(first).family;
    const family = Address.parse(first).family;
    return last === undefined || Address.parse(last).family === family ? family : undefined;
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}

function checkRule(context: Context, rule: AclRule, path: Path, families: ReadonlySet<number>): void {
  if (rule.port !== undefined && rule.protocol !== "tcp" && rule.protocol !== "udp")
    context.report([...path, "port"], {
      code: "acl-rule",
      message: "ports are given for a protocol that has none",
      remedy: "add protocol: tcp or udp",
    });
  if (families.size > 1)
    context.report(path, {
      code: "acl-rule",
      message: "the rule mixes IPv4 and IPv6, so no packet matches it",
      remedy: "write one rule for each family",
    });
}
