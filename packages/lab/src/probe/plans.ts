import { Address } from "@trivet/ip";
import type { Lab } from "../runtime/lab.ts";
import { publicAddress } from "../status/addresses.ts";
import { CLIENT_SOURCES, GATEWAY, WORKSTATION } from "../topology/topology.ts";
import { ANYCAST, MAIL, services } from "../topology/workload.ts";
import type { FlowPlan } from "./flow.ts";

/** Flows to each anycast address: two to each instance of three. */
const ANYCAST_FLOWS = 6;

/** The flows that begin in each of the lab's namespaces. */
export type Plans = Readonly<Record<"client" | "fabric", readonly FlowPlan[]>>;

/**
 * The flows to every service of a lab: to the anycast name service by DNS, from several ports; to each web server and the mail server
 * by ICMP, from several addresses, so that their ways through providers and routers differ; and from INFRA-HOSTS to the gateway that
 * the routers hold by VRRP.
 */
export async function flowPlans(lab: Lab): Promise<Plans> {
  const anycast = (["ipv4", "ipv6"] as const).flatMap((family) =>
    Array.from({ length: ANYCAST_FLOWS }, (_, i) =>
      plan("dns", `dns/${family}/${i + 1}`, CLIENT_SOURCES[family][0], ANYCAST[family], "dns"),
    ),
  );
  const web = services(lab.topology).filter(({ name }) => name.startsWith("web"));
  const echoes = [
    ...(await Promise.all(
      web.map(async (instance) => ({
        name: instance.name,
        family: "ipv6" as const,
        target: await publicAddress(lab, instance),
      })),
    )),
    { name: "mx01", family: "ipv4" as const, target: MAIL.ipv4 },
    { name: "mx01", family: "ipv6" as const, target: MAIL.ipv6 },
  ].flatMap(({ name, family, target }) =>
    CLIENT_SOURCES[family].map((source, i) => plan("echo", `${name}/${family}/${i + 1}`, source, target, name)),
  );
  const [workstation = ""] = WORKSTATION["infra-hosts"].split("/");
  return {
    client: [...anycast, ...echoes],
    fabric: [plan("echo", "gateway/ipv4/1", workstation, GATEWAY.hosts4, "gateway")],
  };
}

function plan(kind: FlowPlan["kind"], name: string, source: string, target: string, instance: string): FlowPlan {
  return { kind, name, source, target: Address.parse(target).toString(), instance };
}
