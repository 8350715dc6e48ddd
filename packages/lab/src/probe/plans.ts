import { isIPv6 } from "node:net";
import { Prefix } from "@trivet/ip";
import type { Lab } from "../runtime/lab.ts";
import { LabError } from "../runtime/lab-error.ts";
import { publicAddresses } from "../status/addresses.ts";
import type { ServicePlan } from "../topology/plan.ts";
import { CLIENT_SOURCES, GATEWAY, WORKSTATION } from "../topology/topology.ts";
import type { FlowPlan } from "./flow.ts";

/** Flows to an anycast address for each instance behind it. */
const FLOWS_PER_INSTANCE = 2;

/** The flows that begin in each of the lab's namespaces. */
export type Plans = Readonly<Record<"client" | "fabric", readonly FlowPlan[]>>;

/** Asks the lab for the addresses that are not planned, and plans the flows to all its services. */
export async function flowPlans(lab: Lab): Promise<Plans> {
  const { services } = lab.topology.plan;
  const dynamic = services.filter(hasNoAddress);
  const projects = [...new Set(dynamic.map(({ project }) => project))];
  const known = new Map<string, string>();
  for (const project of projects)
    for (const [name, address] of await publicAddresses(lab, project)) known.set(`${project}/${name}`, address);
  const own = dynamic.map((service) => {
    const address = known.get(`${service.project}/${service.name}`);
    if (address === undefined)
      throw new LabError(`${service.name} has no address`, "`trivet lab status` says what the lab lacks");
    return { service, address };
  });
  const [workstation = ""] = WORKSTATION["infra-hosts"].split("/");
  return {
    client: serviceFlows(services, own),
    fabric: [
      { kind: "echo", name: "gateway/ipv4/1", source: workstation, target: GATEWAY.hosts4, instance: "gateway" },
    ],
  };
}

/**
 * The flows to services from the client host: to name servers by DNS, from several ports where they share an address; to the others
 * by ICMP, from several addresses, so that the flows' ways through providers and routers differ.
 *
 * @param own public IPv6 addresses of services to which no prefix is routed
 */
export function serviceFlows(
  services: readonly ServicePlan[],
  own: readonly { readonly service: ServicePlan; readonly address: string }[],
): FlowPlan[] {
  const routed = services.flatMap((service) =>
    service.external
      .map((text) => Prefix.parse(text))
      .filter(isHost)
      .map(({ address }) => ({ service, address: address.toString() })),
  );
  const targets = Map.groupBy([...routed, ...own], ({ address }) => address);
  const names = new Set<string>();
  return [...targets].flatMap(([target, behind]) => {
    const instances = behind.map(({ service }) => service);
    const family = isIPv6(target) ? "ipv6" : "ipv4";
    const short = `${groupName(instances)}/${family}`;
    const prefix = names.has(short) ? `${groupName(instances)}/${target}` : short;
    names.add(prefix);
    const dns = instances.every(({ kind }) => kind === "dns");
    const [source] = CLIENT_SOURCES[family];
    const sources = dns
      ? Array.from({ length: instances.length * FLOWS_PER_INSTANCE }, () => source)
      : CLIENT_SOURCES[family];
    return sources.map((source, i) => ({
      kind: dns ? ("dns" as const) : ("echo" as const),
      name: `${prefix}/${i + 1}`,
      source,
      target,
      instance: groupName(instances),
    }));
  });
}

/** Its only public address is what its network gave it. */
function hasNoAddress({ kind, external }: ServicePlan): boolean {
  return (
    kind === "web" &&
    !external.map((text) => Prefix.parse(text)).some((prefix) => isHost(prefix) && prefix.family === 6)
  );
}

function isHost({ length, family }: Prefix): boolean {
  return length === (family === 4 ? 32 : 128);
}

/** `web01` alone is web01; dns01, dns02 and dns03 are dns. */
function groupName(instances: readonly ServicePlan[]): string {
  const names = instances.map(({ name }) => name);
  const [first = ""] = names;
  return names.length === 1 ? first : first.replace(/\d+$/, "");
}
