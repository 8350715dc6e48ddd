import { type Address, Prefix } from "@trivet/ip";
import { type Cluster, ClusterError, type LoadedCluster, type Path, SpecError, loadCluster } from "@trivet/spec";
import { type LabPlan, type OvnNetwork, SERVER_NAMES, type ServicePlan } from "./plan.ts";
import { type Platform, PUBLIC, topology } from "./topology.ts";

/** What a lab becomes that is made after a cluster.yaml. */
export interface ClusterLab {
  readonly platform: Platform;
  readonly ceph: boolean;
  readonly plan: LabPlan;
  /** What the lab has otherwise than the file, a sentence each. */
  readonly differences: readonly string[];
}

/** What was asked for beside the file. */
interface Asked {
  readonly platform?: Platform;
  readonly servers?: number;
  readonly withoutCeph: boolean;
}

/** Private IPv4 of networks that have none: the lab's instances answer over both families. */
const SPARE4 = "10.72";
/** Where the lab's own wiring lies. */
const OWN4 = ["10.60.0.0/24", "10.10.100.0/24", "10.10.101.0/24", "10.10.102.0/24", "10.90.0.0/16", "10.72.0.0/16"].map(
  (text) => Prefix.parse(text),
);

/**
 * Plans a lab after a cluster.yaml: its servers, platform, networks and instances. Addresses of the provider's become those of the
 * lab, so that nothing real is ever used.
 *
 * @throws SpecError, with the place, on what contradicts itself, the flags, or what a lab is
 */
export function labOfCluster(path: string, asked: Asked): ClusterLab {
  const loaded = loadCluster(path);
  if (!loaded.ok) throw new ClusterError(loaded.diagnostics);
  const { cluster } = loaded;
  checkAsked(loaded, asked);
  const servers = cluster.servers.map(({ name }) => name);
  const publics = cluster.addresses.map(translation);
  const networks = planNetworks(loaded, publics);
  return {
    platform: cluster.platform,
    ceph: cluster.ceph !== undefined && !asked.withoutCeph,
    plan: { servers, routers: routerNames(cluster), networks, services: planServices(loaded, networks, publics) },
    differences: differences(loaded, publics, networks, asked),
  };
}

function checkAsked(loaded: LoadedCluster, { platform, servers }: Asked): void {
  const { cluster } = loaded;
  const count = cluster.servers.length;
  if (platform !== undefined && platform !== cluster.platform)
    refuse(loaded, ["platform"], `the cluster runs ${cluster.platform}, not ${platform}`, "leave --platform out");
  if (servers !== undefined && servers !== count)
    refuse(loaded, ["servers"], `these are ${count} servers, not ${servers}`, "leave --servers out");
  if (count < 3 || count > SERVER_NAMES.length)
    refuse(loaded, ["servers"], `a lab has 3 to ${SERVER_NAMES.length} servers, not ${count}`, "keep some of them");
}

function refuse(loaded: LoadedCluster, at: Path, message: string, remedy: string): never {
  throw new SpecError([{ code: "lab", severity: "error", message, remedy, ...loaded.locate(at) }]);
}

/** One router on each server, under the file's names where the file has it so. */
function routerNames({ servers, routing }: Cluster): string[] {
  const own = servers.map(({ name }) => routing?.routers.filter((router) => router.on === name) ?? []);
  const alike = own.every((routers) => routers.length === 1);
  return own.map((routers, i) => (alike ? (routers[0]?.name ?? "") : `frr0${i + 1}`));
}

interface Translation {
  readonly from: Prefix;
  readonly to: Prefix;
}

/** What the provider routes to the cluster, and what the lab's provider routes in its place: the same numbers, from its start. */
function translation(from: Prefix): Translation {
  return { from, to: Prefix.parse(from.family === 6 ? PUBLIC.ipv6 : PUBLIC.ipv4) };
}

/** A prefix of the file in the lab; `undefined` when its provider does not route it to the cluster, or the lab's not so many. */
function translate(publics: readonly Translation[], prefix: Prefix): Prefix | undefined {
  const found = publics.find(({ from }) => from.contains(prefix));
  if (found === undefined) return undefined;
  const offset = prefix.address.toBigInt() - found.from.address.toBigInt();
  return offset + prefix.size > found.to.size ? undefined : Prefix.of(found.to.at(offset), prefix.length);
}

function planNetworks(loaded: LoadedCluster, publics: readonly Translation[]): OvnNetwork[] {
  const all = loaded.cluster.projects.flatMap(({ networks }) => networks);
  return all.map((network, i) => {
    const at = ["projects", network.project, "networks", network.name];
    // All networks of a lab are in one project.
    if (all.some((other, j) => j < i && other.name === network.name))
      refuse(loaded, at, `two projects have a network ${network.name}`, "give it another name in the lab's file");
    const [subnet4, subnet6] = [4, 6].map((family) => network.subnets.find((subnet) => subnet.family === family));
    const public6 = subnet6?.prefix.length === 64 ? translate(publics, subnet6.prefix) : undefined;
    if (public6 === undefined)
      return refuse(
        loaded,
        at,
        `${network.name} has no public IPv6 /64`,
        "a lab's networks have one each: remove `ipv6:`",
      );
    const usable = subnet4?.prefix.length === 24 && network.nat && !OWN4.some((own) => own.overlaps(subnet4.prefix));
    return {
      name: network.name,
      gateway4: usable ? String(subnet4.gateway) : `${SPARE4}.${i + 1}.1`,
      subnet6: String(public6.address),
    };
  });
}

function planServices(
  loaded: LoadedCluster,
  networks: readonly OvnNetwork[],
  publics: readonly Translation[],
): ServicePlan[] {
  const { cluster } = loaded;
  const instances = cluster.projects.flatMap((project) => project.instances);
  const names = new Set(cluster.dns?.nameservers?.instances);
  const used = new Map<string, number>();
  return instances.flatMap((instance, i): ServicePlan[] => {
    const network = networks.find(({ name }) => name === instance.network);
    if (network === undefined) return [];
    const subnet4 = Prefix.parse(network.gateway4.replace(/\d+$/, "0/24"));
    const next = (used.get(network.name) ?? 10) + 1;
    used.set(network.name, next);
    const fixed = instance.addresses.find((address) => subnet4.contains(address));
    const external = instance.routes.flatMap((route, n) => {
      if (!publics.some(({ from }) => from.contains(route))) return [];
      const at = ["projects", instance.project, "instances", instance.name, "routes", n];
      const prefix = translate(publics, route);
      const what = `${String(route)} is none of the first addresses that the provider routes, which are all a lab has`;
      return String(prefix ?? refuse(loaded, at, what, "it has a /27 and a /48: choose another in the lab's file"));
    });
    return [
      {
        name: instance.name,
        project: instance.project,
        server: instance.on ?? cluster.servers[i % cluster.servers.length]?.name ?? "",
        network: network.name,
        ipv4: String(fixed ?? subnet4.at(next)),
        kind: names.has(instance.ref) ? "dns" : "web",
        external,
      },
    ];
  });
}

function differences(
  { cluster }: LoadedCluster,
  publics: readonly Translation[],
  networks: readonly OvnNetwork[],
  { withoutCeph }: Asked,
): string[] {
  const instances = cluster.projects.flatMap((project) => project.instances);
  const links = cluster.servers.flatMap((server) => server.links);
  const moved4 = cluster.projects
    .flatMap((project) => project.networks)
    .filter(({ name, subnets }) => {
      const gateway = subnets.find(({ family }) => family === 4)?.gateway;
      return gateway !== undefined && String(gateway) !== networks.find((network) => network.name === name)?.gateway4;
    });
  const list = (refs: readonly { ref: string }[]): string => refs.map(({ ref }) => ref).join(", ");
  const said: (readonly [boolean, string])[] = [
    ...publics.map(
      ({ from, to }) => [!from.equals(to), `${String(from)} becomes ${String(to)}, address by address`] as const,
    ),
    [!hasLabAddresses(cluster), "servers and routers have the lab's own addresses, and the lab's own provider"],
    [
      links.some(({ bonded }) => bonded) || cluster.vlans.some(({ id }) => id !== undefined),
      "each network and cable is an interface of its own: no bonds, no VLAN tags",
    ],
    [
      links.filter(({ peer }) => "server" in peer).length !== cluster.servers.length * (cluster.servers.length - 1),
      "a mesh cable runs between every two servers",
    ],
    [
      !routerNames(cluster).every((name) => cluster.routing?.routers.some((router) => router.name === name)),
      "each server has a router, frr01 and so on",
    ],
    [moved4.length > 0, `private IPv4 of the lab's own, behind NAT: ${moved4.map(({ name }) => name).join(", ")}`],
    ...without(
      "virtual machines are containers",
      instances.filter(({ type }) => type === "vm"),
    ),
    ...without(
      "left out, as they are on no OVN network",
      instances.filter(({ network }) => network === undefined),
    ),
    ...without(
      "further interfaces are left out",
      instances.filter(({ bridges }) => Object.keys(bridges).length > 0),
    ),
    [cluster.projects.some(({ acls }) => acls.length > 0), "ACLs are not applied"],
    [
      cluster.storage.some(({ driver }) => driver !== "dir"),
      "instances are on the local pool `local`, as the kernel may have neither RBD nor CephFS",
    ],
    [cluster.ceph !== undefined && !withoutCeph, "Ceph has the lab's own disks and pools"],
    [instances.length > 0, "instances are small containers that answer DNS or HTTP, without limits"],
  ];
  return said.flatMap(([applies, what]) => (applies ? [what] : []));

  function without(what: string, which: readonly { ref: string }[]): [boolean, string][] {
    return [[which.length > 0, `${what}: ${list(which)}`]];
  }
}

function hasLabAddresses(cluster: Cluster): boolean {
  const names = cluster.servers.map(({ name }) => name);
  const plan: LabPlan = { servers: names, routers: routerNames(cluster), networks: [], services: [] };
  const lab = topology({ name: "lab", platform: "lxd", servers: names.length, ceph: false, bare: true, plan });
  const written = (addresses: readonly Address[]): string => addresses.map(String).toSorted().join();
  return (
    cluster.servers.every((server, i) => {
      const own = lab.servers[i];
      return (
        own !== undefined &&
        written(server.mesh) === own.mesh &&
        written(server.hosts) === [own.hosts4, own.hosts6].toSorted().join() &&
        String(server.bmc?.address) === own.bmc
      );
    }) &&
    lab.servers.every(({ router }) => {
      const found = cluster.routing?.routers.find(({ name }) => name === router.name);
      const own = [router.wan4, router.wan6, router.uplink4, router.uplink6, router.hosts4, router.hosts6];
      return (
        found?.priority === router.vrrpPriority &&
        written(found.interfaces.flatMap((each) => each.addresses.map(({ address }) => address))) ===
          own.toSorted().join()
      );
    })
  );
}
