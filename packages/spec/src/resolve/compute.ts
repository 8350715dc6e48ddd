import type { Context } from "../context.ts";
import type { Instance, Project, StoragePool, Vlan } from "../model.ts";
import type { Path } from "../source/document.ts";
import { isKnown, resolveNetworks } from "./network.ts";

type InstanceFile = Context["file"]["projects"][string]["instances"][string];

const GIB = 2 ** 30;

export function resolveProjects(context: Context, vlans: readonly Vlan[], storage: readonly StoragePool[]): Project[] {
  const servers = new Set(Object.keys(context.file.servers));
  const pools = storage.map(({ name }) => name);
  return Object.entries(context.file.projects).map(([name, own]) => {
    const networks = resolveNetworks(context, name, vlans);
    const acls = Object.entries(own.acls).map(([acl, body]) => Object.assign({ name: acl }, body));
    const known = {
      servers,
      pools,
      networks: networks.map((each) => each.name),
      acls: new Set(acls.map((each) => each.name)),
      vlans: vlans.map((each) => each.name),
    };
    const aclsOf = (path: Path, names: readonly string[]) =>
      names.filter(
        (acl, index) => known.acls.has(acl) || isKnown(context, [...path, index], "ACL", acl, [...known.acls]),
      );
    return {
      name,
      description: own.description,
      networks: networks.map((network) =>
        Object.assign(network, { acls: aclsOf(["projects", name, "networks", network.name, "acls"], network.acls) }),
      ),
      acls,
      instances: Object.entries(own.instances).map(([instance, body]) =>
        resolveInstance(context, name, instance, body, known, aclsOf),
      ),
    };
  });
}

interface Known {
  readonly servers: ReadonlySet<string>;
  readonly pools: readonly string[];
  readonly networks: readonly string[];
  readonly vlans: readonly string[];
}

function resolveInstance(
  context: Context,
  project: string,
  name: string,
  own: InstanceFile,
  known: Known,
  aclsOf: (path: Path, names: readonly string[]) => string[],
): Instance {
  const path = ["projects", project, "instances", name];
  if (own.on !== undefined && !known.servers.has(own.on))
    isKnown(context, [...path, "on"], "server", own.on, [...known.servers]);
  if (own.pool !== undefined) isKnown(context, [...path, "pool"], "storage pool", own.pool, known.pools);
  for (const [device, vlan] of Object.entries(own.bridges ?? {}))
    isKnown(context, [...path, "bridges", device], "VLAN", vlan, known.vlans);
  return {
    ref: `${project}/${name}`,
    project,
    name,
    type: own.type,
    image: own.image,
    memory: own.memory ?? GIB,
    cores: own.cores ?? 1,
    disk: own.disk ?? 10 * GIB,
    pool: own.pool ?? known.pools[0],
    network: networkOf(context, path, name, own, known.networks),
    bridges: own.bridges ?? {},
    addresses: own.addresses,
    routes: own.routes,
    acls: aclsOf([...path, "acls"], own.acls),
    on: own.on,
    evacuate: own.evacuate,
    stateful: own.stateful,
    devices: own.devices,
  };
}

function networkOf(
  context: Context,
  path: Path,
  name: string,
  own: InstanceFile,
  networks: readonly string[],
): string | undefined {
  if (own.network !== undefined) {
    isKnown(context, [...path, "network"], "network", own.network, networks);
    return own.network;
  }
  if (networks.length === 1) return networks[0];
  if (networks.length > 1)
    context.report(path, {
      code: "network-ambiguous",
      message: `${name} could be on any of ${networks.join(", ")}`,
      remedy: "add network: with one of them",
      key: true,
    });
  else if (own.bridges === undefined)
    context.report(path, {
      code: "network-missing",
      message: `${name} is on no network, and its project has none`,
      remedy: "add one under networks:",
      key: true,
    });
  return undefined;
}
