import type { CallOptions } from "./call.ts";
import { type ChangeOptions, Collection, type ListOptions } from "./collection.ts";
import { encodeToken } from "./trust.ts";
import type { Cluster, ClusterMember, ClusterMemberState } from "./types/cluster.ts";

/** `/1.0/cluster/members`. */
export class Members extends Collection<ClusterMember> {
  /** None on a standalone server. */
  override async list(options: ListOptions = {}): Promise<ClusterMember[]> {
    const { enabled } = await this.api.get<Cluster>("/1.0/cluster", options);
    return enabled ? await super.list(options) : [];
  }

  async state(name: string, options: CallOptions = {}): Promise<ClusterMemberState> {
    return await this.api.get<ClusterMemberState>(`${this.at(name)}/state`, options);
  }

  /** Moves or stops the member's instances, each by its `cluster.evacuate`, and takes the member out of service. */
  async evacuate(name: string, options: ChangeOptions & { readonly mode?: string } = {}): Promise<void> {
    await this.#act(name, "evacuate", options);
  }

  /** Puts the member back into service and brings its instances back. */
  async restore(name: string, options: ChangeOptions & { readonly mode?: string } = {}): Promise<void> {
    await this.#act(name, "restore", options);
  }

  /** A token with which a server called `name` can join, once. */
  async joinToken(name: string, options: ChangeOptions = {}): Promise<string> {
    const operation = await this.api.post(this.path, { server_name: name }, options);
    return encodeToken(operation.initial);
  }

  async #act(
    name: string,
    action: string,
    { mode, ...options }: ChangeOptions & { readonly mode?: string },
  ): Promise<void> {
    const body = { action, ...(mode === undefined ? {} : { mode }) };
    await this.done(options, async (call) => await this.api.post(`${this.at(name)}/state`, body, call));
  }
}
