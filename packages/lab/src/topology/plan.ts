/** What a lab holds that a cluster.yaml may choose: data, kept with the lab. The rest is every lab's own (`topology.ts`). */
export interface LabPlan {
  readonly servers: readonly string[];
  /** The router on each server. */
  readonly routers: readonly string[];
  readonly networks: readonly OvnNetwork[];
  readonly services: readonly ServicePlan[];
}

/** An OVN network with a public IPv6 subnet; its private IPv4 is NATed, public IPv4 is routed to single instances. */
export interface OvnNetwork {
  readonly name: string;
  /** In a /24. */
  readonly gateway4: string;
  /** A /64, without its length. */
  readonly subnet6: string;
}

export interface ServicePlan {
  readonly name: string;
  readonly project: string;
  readonly server: string;
  readonly network: string;
  /** In its network's /24. */
  readonly ipv4: string;
  readonly kind: "dns" | "web";
  /** Prefixes of its own, routed to it; several services with the same make it anycast. */
  readonly external: readonly string[];
}

/** Names of servers, as many as a lab may have. */
export const SERVER_NAMES: readonly string[] = ["langara", "abydos", "orilla", "edora", "tollana"];

/** What every instance of the anycast name service answers on. */
export const ANYCAST = { ipv4: "203.0.113.5", ipv6: "2001:db8:1000:53::53" } as const;
/** The one service with a public IPv4 address of its own. */
export const MAIL = { ipv4: "203.0.113.10", ipv6: "2001:db8:1000:25::25" } as const;

/** The plan of a lab that was asked for without a cluster.yaml; examples/lab/cluster.yaml describes that of three servers. */
export function builtInPlan(count: number): LabPlan {
  const servers = SERVER_NAMES.slice(0, count);
  const network = (name: string, n: number): OvnNetwork => ({
    name,
    gateway4: `10.71.${n}.1`,
    subnet6: `2001:db8:1000:1${n}::`,
  });
  const numbered = <T>(make: (server: string, number: number) => T): T[] =>
    servers.map((server, i) => make(server, i + 1));
  return {
    servers,
    routers: numbered((_, n) => `frr0${n}`),
    networks: [network("web", 10), network("mail", 25), ...numbered((_, n) => network(`dns${n}`, 30 + n))],
    services: [
      ...numbered((server, n): ServicePlan => ({
        name: `dns0${n}`,
        project: "dns",
        server,
        network: `dns${n}`,
        ipv4: `10.71.${30 + n}.10`,
        kind: "dns",
        external: [`${ANYCAST.ipv4}/32`, `${ANYCAST.ipv6}/128`],
      })),
      ...numbered((server, n): ServicePlan => ({
        name: `web0${n}`,
        project: "web",
        server,
        network: "web",
        ipv4: `10.71.10.${10 + n}`,
        kind: "web",
        external: [],
      })),
      {
        name: "mx01",
        project: "default",
        server: servers[1] ?? "",
        network: "mail",
        ipv4: "10.71.25.10",
        kind: "web",
        external: [`${MAIL.ipv4}/32`, `${MAIL.ipv6}/128`],
      },
    ],
  };
}
