import { Address, type Prefix } from "@trivet/ip";
import type { Context } from "../context.ts";
import type { Card, Disk, Link, Server, Switch } from "../model.ts";
import { HOST, host } from "../plan.ts";
import type { ClusterFile } from "../schema/cluster.ts";
import type { Path } from "../source/document.ts";
import { suggest } from "../source/suggest.ts";

type ServerFile = ClusterFile["servers"][string];
type LinkFile = NonNullable<ServerFile["links"]>[string];

/** What a server's hardware needs to know of the networks. */
interface Networks {
  readonly hosts: readonly Prefix[];
  readonly underlay: readonly Prefix[];
  readonly bmc: readonly Prefix[];
  readonly mesh: readonly Prefix[];
  readonly meshMtu: number;
  /** The largest MTU of the VLANs that a link carries. */
  mtuOf(link: string): number;
}

/** Where a part of a server's hardware is written: on the server itself, else in its model. */
export function hardwarePath(file: ClusterFile, server: string, ...rest: (string | number)[]): Path {
  const own = file.servers[server];
  const [section, entry, ...deeper] = rest;
  const lookUp = (from: unknown, keys: readonly (string | number)[]): unknown =>
    keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], from);
  const keys = [section, entry, ...deeper].filter((key) => key !== undefined);
  if (own?.model === undefined || lookUp(own, keys.slice(0, 3)) !== undefined) return ["servers", server, ...keys];
  return lookUp(file.models[own.model], keys.slice(0, 1)) === undefined
    ? ["servers", server, ...keys]
    : ["models", own.model, ...keys];
}

export function resolveServers(context: Context, networks: Networks): Server[] {
  const { file } = context;
  const merged = Object.entries(file.servers).map(([name, own]) => ({ name, own: withModel(context, name, own) }));
  const numbered = merged
    .map(({ name, own }, index) => ({
      name,
      own,
      number: numberOf(context, name, own, merged.length === 1 ? 1 : undefined) ?? index,
    }))
    .sort((a, b) => a.number - b.number);
  const names = numbered.map(({ name }) => name);
  return numbered.map(({ name, own, number }) => {
    const at = (networks: readonly Prefix[]) => networks.flatMap((prefix) => host(prefix, HOST.server + number) ?? []);
    const hosts = own.addresses ?? at(networks.hosts);
    const underlay = at(networks.underlay);
    const mesh = own.mesh ?? at(networks.mesh);
    const bmc = own.bmc?.address ?? networks.bmc.flatMap((prefix) => host(prefix, HOST.bmc + number) ?? [])[0];
    const links = resolveLinks(context, name, number, own, names, networks);
    const power = need(context, name, own, "power");
    const memory = need(context, name, own, "memory");
    return {
      name,
      number,
      memory: memory ?? 0,
      cores: own.cores ?? 4,
      power: power ?? [],
      cards: resolveCards(context, name, own),
      links: (need(context, name, own, "links"), links),
      disks: resolveDisks(context, name, own),
      macs: own.macs ?? {},
      bmc: bmc === undefined && own.bmc === undefined ? undefined : { address: bmc, host: own.bmc?.host },
      hosts,
      mesh,
      underlay,
      address: preferred(mesh) ?? preferred(underlay) ?? preferred(hosts),
      failureDomain: own.failureDomain,
    };
  });
}

export function resolveSwitches(file: ClusterFile): Switch[] {
  return Object.entries(file.switches).map(([name, own]) => ({
    name,
    power: own.power,
    mlag: own.mlag,
    mtu: own.mtu,
    address: own.address,
  }));
}

function preferred(addresses: readonly Address[]): Address | undefined {
  return addresses.find((address) => address.family === 6) ?? addresses[0];
}

/** The server's hardware over its model's: maps are joined entry by entry, key by key. */
function withModel(context: Context, name: string, own: ServerFile): ServerFile {
  if (own.model === undefined) return own;
  const model = context.file.models[own.model];
  if (model === undefined) {
    const near = suggest(own.model, Object.keys(context.file.models));
    context.report(["servers", name, "model"], {
      code: "unknown-model",
      message: `there is no model ${own.model}`,
      remedy: near === undefined ? "describe it under models:" : `did you mean ${near}?`,
    });
    return own;
  }
  const join = <T extends object>(below: Record<string, T> = {}, above: Record<string, T> = {}) => {
    const result: Record<string, T> = { ...below };
    for (const [key, value] of Object.entries(above)) result[key] = { ...below[key], ...defined(value) };
    return result;
  };
  return {
    ...model,
    ...defined(own),
    cards: join(model.cards, own.cards),
    links: join(model.links, own.links),
    disks: join(model.disks, own.disks),
  };
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

function numberOf(context: Context, name: string, own: ServerFile, otherwise: number | undefined): number | undefined {
  const digits = /(\d{1,2})$/.exec(name)?.[1];
  const number = own.number ?? (digits === undefined ? otherwise : Number(digits));
  if (number === undefined)
    context.report(["servers", name], {
      code: "number-missing",
      message: `the name ${name} ends in no number to make its addresses from`,
      remedy: "add number: with a number no other server has",
      key: true,
    });
  return number;
}

function need<K extends "power" | "memory" | "links" | "cards">(
  context: Context,
  name: string,
  own: ServerFile,
  key: K,
): ServerFile[K] {
  if (own[key] === undefined) missing(context, ["servers", name, key]);
  return own[key];
}

function missing(context: Context, path: Path): undefined {
  const key = String(path.at(-1));
  context.report(path, {
    code: "missing-key",
    message: `"${key}" is missing in ${path.slice(0, -1).join(".")}, and in its model`,
    remedy: `add ${key}:`,
    key: true,
  });
  return undefined;
}

function resolveCards(context: Context, server: string, own: ServerFile): Card[] {
  return Object.entries(need(context, server, own, "cards") ?? {}).map(([name, card]) => ({
    name,
    ports: card.ports ?? missing(context, hardwarePath(context.file, server, "cards", name, "ports")) ?? [],
    speed: card.speed ?? 1000,
    mtu: card.mtu,
  }));
}

function resolveDisks(context: Context, server: string, own: ServerFile): Disk[] {
  return Object.entries(own.disks ?? {}).map(([name, disk]) => ({
    name,
    class: disk.class ?? missing(context, hardwarePath(context.file, server, "disks", name, "class")) ?? "ssd",
    size: disk.size ?? missing(context, hardwarePath(context.file, server, "disks", name, "size")) ?? 0,
    device: disk.device,
    serial: disk.serial,
    boot: disk.boot ?? false,
    osd: disk.osd ?? true,
    affinity: disk.affinity ?? 1,
  }));
}

function resolveLinks(
  context: Context,
  server: string,
  number: number,
  own: ServerFile,
  servers: readonly string[],
  networks: Networks,
): Link[] {
  const others = servers.filter((name) => name !== server);
  let meshed = 0;
  return Object.entries(own.links ?? {}).flatMap(([name, link], index) => {
    const path = (key: string) => hardwarePath(context.file, server, "links", name, key);
    const { ports, to } = link;
    if (ports === undefined || to === undefined) {
      if (ports === undefined) missing(context, path("ports"));
      if (to === undefined) missing(context, path("to"));
      return [];
    }
    const peer = peerOf(context, server, name, to, path("to"), others, to === "mesh" ? others[meshed++] : undefined);
    if (peer === undefined) return [];
    const direct = "server" in peer;
    return {
      name,
      device: ports.length === 1 ? (ports[0] ?? name) : name,
      ports,
      bonded: ports.length > 1,
      mtu: link.mtu ?? (direct ? networks.meshMtu : networks.mtuOf(name)),
      mode: link.mode ?? "802.3ad",
      lacpRate: link.lacpRate ?? "fast",
      miiMonitor: link.miiMonitor ?? 100,
      hash: link.hash ?? "layer3+4",
      peer,
      linkLocal: direct ? linkLocal(link, number, index) : undefined,
    };
  });
}

function linkLocal(link: LinkFile, number: number, index: number): Link["linkLocal"] {
  if (link.linkLocal !== undefined) return { address: link.linkLocal, assigned: false };
  return { address: Address.parse(`fe80::${HOST.server + number}:${index + 1}`), assigned: true };
}

function peerOf(
  context: Context,
  server: string,
  link: string,
  to: string | string[],
  path: Path,
  others: readonly string[],
  next: string | undefined,
): Link["peer"] | undefined {
  const { switches } = context.file;
  if (to === "mesh") {
    if (next !== undefined) return { server: next, link };
    context.report(path, {
      code: "mesh-links",
      message: `${server} has more mesh links than there are other servers (${others.length})`,
      remedy: "remove one, or say where it goes",
    });
    return undefined;
  }
  if (typeof to === "string" && others.includes(to)) return { server: to, link };
  const wanted = typeof to === "string" ? [to] : to;
  const unknown = wanted.filter((name) => switches[name] === undefined);
  if (unknown.length === 0) return { switches: wanted };
  const near = suggest(unknown[0] ?? "", [...Object.keys(switches), ...others, "mesh"]);
  context.report(path, {
    code: "unknown-link-target",
    message: `${unknown.join(" and ")} is neither a switch nor another server`,
    remedy: near === undefined ? "describe it under switches:" : `did you mean ${near}?`,
  });
  return undefined;
}
