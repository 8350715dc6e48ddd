import { Api, type ApiOptions } from "./api.ts";
import type { CallOptions, WriteOptions } from "./call.ts";
import { Certificates } from "./certificates.ts";
import { Collection } from "./collection.ts";
import { findSocket, socketCandidates } from "./endpoint.ts";
import { UnreachableError } from "./errors.ts";
import { Instances } from "./instances.ts";
import { Members } from "./members.ts";
import { Networks, Zones } from "./networks.ts";
import type { Cluster } from "./types/cluster.ts";
import type { NetworkAcl, NetworkAllocation } from "./types/network.ts";
import type { OperationState } from "./types/operation.ts";
import type { Config, Profile, Project, Server, StoragePool, Warning } from "./types/server.ts";

/** A client of one LXD or Incus daemon: what trivet uses of its API, typed, over the raw calls of {@link Api}. */
export class LxdClient extends Api {
  readonly members = new Members(this, "/1.0/cluster/members");
  readonly projects = new Collection<Project>(this, "/1.0/projects");
  readonly profiles = new Collection<Profile>(this, "/1.0/profiles", {
    patches: true,
    projects: { extension: "profiles_all_projects", features: ["features.profiles"] },
  });
  readonly instances = new Instances(this);
  readonly networks = new Networks(this);
  readonly acls = new Collection<NetworkAcl>(this, "/1.0/network-acls", {
    requires: "network_acl",
    projects: { extension: "network_acls_all_projects", features: ["features.networks"] },
  });
  readonly zones = new Zones(this);
  readonly pools = new Collection<StoragePool>(this, "/1.0/storage-pools");
  readonly certificates = new Certificates(this);
  readonly warnings = new Collection<Warning>(this, "/1.0/warnings", { requires: "warnings" });

  /**
   * A client of this machine's daemon.
   *
   * @throws UnreachableError when there is no socket; it lists where one was looked for
   */
  static local(options: ApiOptions = {}, env: Readonly<Record<string, string | undefined>> = process.env): LxdClient {
    const socketPath = findSocket(env);
    if (socketPath !== undefined) return new LxdClient({ socketPath }, options);
    const looked = socketCandidates(env).join(", ");
    throw new UnreachableError(
      { server: "this machine", call: "connect" },
      `neither LXD nor Incus has a socket here (looked at ${looked})`,
      "start the daemon, or set LXD_SOCKET or INCUS_SOCKET",
    );
  }

  /** The daemon: version, extensions, configuration, certificate, and whether it trusts this client. */
  async server(options: CallOptions = {}): Promise<Server> {
    return await this.get<Server>("/1.0", options);
  }

  /** Merges keys into the daemon's configuration; `""` removes one. Distinct keys of concurrent calls all arrive. */
  async configure(config: Config, options: WriteOptions = {}): Promise<void> {
    await (await this.patch("/1.0", { config }, options)).wait(options);
  }

  async cluster(options: CallOptions = {}): Promise<Cluster> {
    return await this.get<Cluster>("/1.0/cluster", options);
  }

  /** Background operations that are under way or just ended. */
  async operations(options: CallOptions & { readonly allProjects?: boolean } = {}): Promise<OperationState[]> {
    const { allProjects, ...call } = options;
    const query = { ...call.query, recursion: "1", ...(allProjects === true ? { "all-projects": "true" } : {}) };
    const byStatus = await this.get<Record<string, OperationState[]>>("/1.0/operations", { ...call, query });
    return Object.values(byStatus).flat();
  }

  /** Every address that networks, instances, forwards and load balancers hold; `undefined` where the daemon does not tell (LXD 5.0). */
  async allocations(
    options: CallOptions & { readonly allProjects?: boolean } = {},
  ): Promise<NetworkAllocation[] | undefined> {
    if (!(await this.supports("network_allocations"))) return undefined;
    const { allProjects, ...call } = options;
    const query = { ...call.query, recursion: "1", ...(allProjects === true ? { "all-projects": "true" } : {}) };
    return await this.get<NetworkAllocation[]>("/1.0/network-allocations", { ...call, query });
  }
}
