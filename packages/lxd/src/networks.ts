import type { Api } from "./api.ts";
import type { CallOptions } from "./call.ts";
import { Collection, type ListOptions } from "./collection.ts";
import { BadRequestError } from "./errors.ts";
import type {
  Network,
  NetworkForward,
  NetworkLease,
  NetworkLoadBalancer,
  NetworkLoadBalancerState,
  NetworkState,
  NetworkZone,
  NetworkZoneRecord,
} from "./types/network.ts";

/** What listens at addresses of a network. */
class Listeners<T> extends Collection<T> {
  /** None on a network of a type that cannot have any. */
  override async list(options: ListOptions = {}): Promise<T[]> {
    try {
      return await super.list(options);
    } catch (error) {
      if (error instanceof BadRequestError && error.message.includes("does not support")) return [];
      throw error;
    }
  }
}

/** `/1.0/networks/NAME/load-balancers`, by listen address. LXD 5.0 has none. */
class LoadBalancers extends Listeners<NetworkLoadBalancer> {
  constructor(api: Api, path: string) {
    super(api, path, { requires: "network_load_balancer" });
  }

  /** The health of its backends; `undefined` where the daemon does not check them (LXD). */
  async state(listenAddress: string, options: CallOptions = {}): Promise<NetworkLoadBalancerState | undefined> {
    if (!(await this.api.supports("network_load_balancer_state"))) return undefined;
    return await this.api.get<NetworkLoadBalancerState>(`${this.at(listenAddress)}/state`, options);
  }
}

/** `/1.0/networks`. */
export class Networks extends Collection<Network> {
  constructor(api: Api) {
    super(api, "/1.0/networks", { projects: { extension: "networks_all_projects", features: ["features.networks"] } });
  }

  /** Also which member is an OVN network's active gateway (`ovn.chassis`). */
  async state(name: string, options: CallOptions = {}): Promise<NetworkState> {
    return await this.api.get<NetworkState>(`${this.at(name)}/state`, options);
  }

  async leases(name: string, options: CallOptions = {}): Promise<NetworkLease[]> {
    return await this.api.get<NetworkLease[]>(`${this.at(name)}/leases`, options);
  }

  /** By listen address. */
  forwards(name: string): Listeners<NetworkForward> {
    return new Listeners(this.api, `${this.at(name)}/forwards`, { requires: "network_forward" });
  }

  loadBalancers(name: string): LoadBalancers {
    return new LoadBalancers(this.api, `${this.at(name)}/load-balancers`);
  }
}

/** `/1.0/network-zones`. */
export class Zones extends Collection<NetworkZone> {
  constructor(api: Api) {
    super(api, "/1.0/network-zones", {
      requires: "network_dns",
      projects: { extension: "network_zones_all_projects", features: ["features.networks.zones", "features.networks"] },
    });
  }

  /** By name below the zone; `@` is the zone itself. */
  records(zone: string): Collection<NetworkZoneRecord> {
    return new Collection(this.api, `${this.at(zone)}/records`, { requires: "network_dns_records" });
  }
}
