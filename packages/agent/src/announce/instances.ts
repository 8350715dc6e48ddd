import { Address, AddressError, Prefix, parseInterface } from "@trivet/ip";
import type { Config, Instance } from "@trivet/lxd";
import { addressesOf, nicsOf } from "../inventory/addresses.ts";
import { type Network, type Snapshot, isLocal, isRunning, networkFor } from "../inventory/snapshot.ts";
import type { Candidate, Findings, NextHop, Problem, Refusal, Source, SourceKind } from "./candidate.ts";
import type { Filters } from "./filters.ts";
import { BAD_NEXTHOP, nextHopOf } from "./next-hop.ts";
import { OPTED_OUT } from "./networks.ts";
import { list, readUserKeys } from "./user-keys.ts";

/**
 * What one instance announces: the `ipvN.routes.external` of its NICs, their `user.bgp.routes` (`PREFIX_NEXTHOP,...`, for NICs directly
 * on an uplink), and its own addresses where that is wanted. Only the server where it runs announces it.
 */
export function findInInstance(
  snapshot: Pick<Snapshot, "networks" | "projects" | "server" | "clustered">,
  instance: Instance,
  filters: Filters,
  wantAddresses: boolean,
): Findings {
  const at = { project: instance.project, network: "", instance: instance.name };
  const keys = readUserKeys(instance.expanded_config, at);
  const problems: Problem[] = [...keys.problems];
  const candidates: Candidate[] = [];
  const general =
    (keys.announce ? undefined : OPTED_OUT) ?? filters.project(instance.project) ?? whereabouts(snapshot, instance);

  const propose = (
    source: Source,
    prefix: Prefix,
    nextHop: NextHop | "bad-nexthop",
    where: Refusal | undefined,
  ): void => {
    const refusal = general ?? where ?? (nextHop === "bad-nexthop" ? BAD_NEXTHOP : undefined) ?? filters.allow(prefix);
    candidates.push({
      prefix,
      source,
      nextHop: nextHop === "bad-nexthop" ? { origin: "self" } : nextHop,
      ...(keys.attributes === undefined ? {} : { attributes: keys.attributes }),
      ...(refusal === undefined ? {} : { refusal }),
    });
  };

  for (const [device, nic] of nicsOf(instance)) {
    const network = networkFor(snapshot, instance.project, nic["network"] ?? "");
    const name = nic["network"] ?? nic["parent"] ?? "";
    const source = (kind: SourceKind): Source => ({ ...at, kind, network: name, device });
    const where = network === undefined ? filters.parent(snapshot.networks, name) : filters.network(network);
    const report = (key: string, value: string, why: string): void => {
      problems.push({ source: { ...at, network: name, device }, key, value, why });
    };

    if (network !== undefined) {
      for (const prefix of externalRoutes(nic, report))
        propose(source("external-route"), prefix, nextHopOf(snapshot.networks, network, prefix.family), where);
      for (const address of wantedAddresses(
        instance,
        device,
        nic,
        network,
        keys.addresses ?? (wantAddresses || undefined),
      ))
        propose(
          source("instance-address"),
          Prefix.host(address),
          nextHopOf(snapshot.networks, network, address.family),
          where,
        );
    }
    for (const { prefix, nextHop } of userRoutes(nic, report)) propose(source("user-route"), prefix, nextHop, where);
  }
  return { candidates, problems };
}

function whereabouts(snapshot: Pick<Snapshot, "server" | "clustered">, instance: Instance): Refusal | undefined {
  if (!isLocal(snapshot, instance)) return { code: "elsewhere", why: `the instance is on ${instance.location}` };
  if (!isRunning(instance)) return { code: "not-running", why: `the instance is ${instance.status.toLowerCase()}` };
  return undefined;
}

/** @param wanted as the configuration and the instance say; if neither does, the network may: `bgp.ipvN.instances` of Incus 7.2 */
function wantedAddresses(
  instance: Instance,
  device: string,
  nic: Config,
  network: Network,
  wanted: boolean | undefined,
): Address[] {
  const families = ([4, 6] as const).filter(
    (family) => wanted ?? network.config[`bgp.ipv${family}.instances`] === "true",
  );
  if (families.length === 0) return [];
  return addressesOf(instance, device, nic, network).filter(({ family }) => families.includes(family));
}

type Report = (key: string, value: string, why: string) => void;

function externalRoutes(nic: Config, report: Report): Prefix[] {
  return (["ipv4.routes.external", "ipv6.routes.external"] as const).flatMap((key) =>
    list(nic[key] ?? "").flatMap((text) => attempt(() => parseInterface(text).prefix, key, text, report)),
  );
}

function userRoutes(nic: Config, report: Report): { prefix: Prefix; nextHop: NextHop }[] {
  const key = "user.bgp.routes";
  return list(nic[key] ?? "").flatMap((text) =>
    attempt(
      () => {
        const [prefix = "", hop, ...more] = text.split("_");
        if (hop === undefined || more.length > 0) throw new AddressError(text, "is not PREFIX_NEXTHOP");
        const parsed = Prefix.parse(prefix);
        const address = Address.parse(hop);
        if (address.family !== parsed.family) throw new AddressError(text, "mixes IPv4 and IPv6");
        return { prefix: parsed, nextHop: { address, origin: "route" } };
      },
      key,
      text,
      report,
    ),
  );
}

function attempt<T>(parse: () => T, key: string, value: string, report: Report): T[] {
  try {
    return [parse()];
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    report(key, value, error.message);
    return [];
  }
}
