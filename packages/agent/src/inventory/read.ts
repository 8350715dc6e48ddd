import {
  type CallOptions,
  type ClusterMember,
  type Config,
  type Instance,
  type InstanceState,
  type LxdClient,
  LxdError,
  type Network as LxdNetwork,
  type NetworkLease,
  type NetworkLoadBalancer,
  NotFoundError,
  type Project,
} from "@trivet/lxd";
import type { DnsZone, LoadBalancer, Network } from "./snapshot.ts";

/** Milliseconds for what is nice to know (an OVN gateway's place, a backend's health) and depends on more than LXD. */
const EXTRA_TIMEOUT = 3_000;

/** Who this server is, and all servers. */
export interface Membership {
  readonly server: string;
  readonly clustered: boolean;
  readonly members: readonly ClusterMember[];
  /** SHA-256 fingerprints of the certificates that LXD trusts with everything. */
  readonly trusted: readonly string[];
  /** `user.trivet.*` of the daemon's own configuration. */
  readonly notes?: Config;
}

/** Reads LXD for the inventory: each method one part or one thing, whole, or an `LxdError`. */
export class Reader {
  readonly #lxd: LxdClient;
  readonly #call: CallOptions;

  constructor(lxd: LxdClient, call: CallOptions) {
    this.#lxd = lxd;
    this.#call = call;
  }

  /** @param before stands in for what is only nice to know and cannot be read */
  async membership(before?: Membership): Promise<Membership> {
    const { environment, config } = await this.#lxd.server(this.#call);
    const clustered = environment?.server_clustered ?? false;
    const [members, certificates] = await Promise.all([
      clustered ? this.#lxd.members.list(this.#call) : [],
      orUnknown(this.#lxd.certificates.list({ ...this.#call, timeout: EXTRA_TIMEOUT })),
    ]);
    const trusted = certificates?.filter(({ type, restricted }) => type !== "metrics" && !restricted);
    return {
      server: environment?.server_name ?? "none",
      clustered,
      members,
      trusted: trusted?.map(({ fingerprint }) => fingerprint) ?? before?.trusted ?? [],
      notes: Object.fromEntries(Object.entries(config ?? {}).filter(([key]) => key.startsWith("user.trivet."))),
    };
  }

  async projects(): Promise<Project[]> {
    return await this.#lxd.projects.list(this.#call);
  }

  async instances(): Promise<Instance[]> {
    return await this.#lxd.instances.list({ ...this.#call, allProjects: true });
  }

  /** @returns nothing when there is no such instance */
  async instance(project: string, name: string): Promise<Instance | undefined> {
    return await orNothing(this.#lxd.instances.get(name, { ...this.#call, project }));
  }

  /** The addresses that a network's DHCP gave the instances of one project, on all servers. */
  async leases(network: { project: string; name: string }, project: string): Promise<NetworkLease[]> {
    return await this.#lxd.networks.leases(network.name, { ...this.#call, timeout: EXTRA_TIMEOUT, project });
  }

  /** The interfaces of a running instance, on whichever server, as the guest has them. */
  async interfaces(project: string, name: string): Promise<NonNullable<InstanceState["network"]>> {
    const state = await this.#lxd.instances.state(name, { ...this.#call, timeout: EXTRA_TIMEOUT, project });
    return state.network ?? {};
  }

  /** All managed networks. @param before what is known; it stands in for what is only nice to know and cannot be read */
  async networks(server: Server, before: ReadonlyMap<string, Network>): Promise<Network[]> {
    const all = await this.#lxd.networks.list({ ...this.#call, allProjects: true });
    const managed = all.filter((network) => network.managed);
    return await fewAtOnce(managed, async (network) => {
      const project = network.project ?? "default";
      return await this.#complete(network, project, server, before.get(`${project}/${network.name}`));
    });
  }

  /** All DNS zones with their records; none where the daemon has no zones. */
  async zones(): Promise<DnsZone[]> {
    const all = await this.#lxd.zones.list({ ...this.#call, allProjects: true });
    return await Promise.all(
      all.map(async ({ name, config, project = "default" }) => {
        const records = await this.#lxd.zones.records(name).list({ ...this.#call, project });
        return { project, name, config, records };
      }),
    );
  }

  /** @returns nothing when there is no such managed network */
  async network(
    project: string,
    name: string,
    server: Server,
    before: Network | undefined,
  ): Promise<Network | undefined> {
    const network = await orNothing(this.#lxd.networks.get(name, { ...this.#call, project }));
    return network?.managed === true ? await this.#complete(network, project, server, before) : undefined;
  }

  async #complete(network: LxdNetwork, project: string, server: Server, before: Network | undefined): Promise<Network> {
    const { name, type } = network;
    const call = { ...this.#call, project };
    const routed = type === "ovn" || type === "bridge";
    const [own, forwards, balancers, chassis] = await Promise.all([
      // Without a target a cluster hides what each server sets for itself.
      server.clustered && type !== "ovn" ? this.#lxd.networks.get(name, { ...call, target: server.name }) : network,
      routed ? this.#lxd.networks.forwards(name).list(call) : [],
      type === "ovn" ? this.#lxd.networks.loadBalancers(name).list(call) : [],
      type === "ovn" ? this.#chassis(name, call) : undefined,
    ]);
    const loadBalancers = await Promise.all(
      balancers.map(async (balancer) => {
        const known = before?.loadBalancers.find(({ listen_address }) => listen_address === balancer.listen_address);
        return await this.#withHealth(name, balancer, call, known);
      }),
    );
    const place = chassis ?? before?.chassis;
    return {
      project,
      name,
      type,
      config: { ...network.config, ...own.config },
      forwards,
      loadBalancers,
      ...(place === undefined ? {} : { chassis: place }),
    };
  }

  async #chassis(name: string, call: CallOptions): Promise<string | undefined> {
    const state = await orUnknown(this.#lxd.networks.state(name, { ...call, timeout: EXTRA_TIMEOUT }));
    const chassis = state?.ovn?.chassis ?? "";
    return chassis === "" ? undefined : chassis;
  }

  async #withHealth(
    network: string,
    balancer: NetworkLoadBalancer,
    call: CallOptions,
    before: LoadBalancer | undefined,
  ): Promise<LoadBalancer> {
    if (balancer.config["healthcheck"] !== "true") return balancer;
    const balancers = this.#lxd.networks.loadBalancers(network);
    const state = await orUnknown(balancers.state(balancer.listen_address, { ...call, timeout: EXTRA_TIMEOUT }));
    const health = Object.values(state?.backend_health ?? {});
    const online =
      health.length === 0
        ? before?.online
        : health.some(({ ports }) => ports.length > 0 && ports.every(({ status }) => status === "online"));
    return online === undefined ? balancer : { ...balancer, online };
  }
}

/** Networks that are read at once: LXD starts OVN's programs for each, and a server with few processors has packets to carry. */
const AT_ONCE = 4;

/** Reads each of several, in their order, and no more than {@link AT_ONCE} at a time. */
async function fewAtOnce<T, R>(all: readonly T[], read: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = all.entries();
  const lane = async (): Promise<void> => {
    for (const [place, one] of left) results[place] = await read(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

export interface Server {
  readonly name: string;
  readonly clustered: boolean;
}

async function orNothing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** For what the last known value may stand in for. */
async function orUnknown<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof LxdError) return undefined;
    throw error;
  }
}
