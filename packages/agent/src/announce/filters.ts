import { PrefixSet } from "@trivet/ip";
import type { Prefix } from "@trivet/ip";
import { type Network, type Snapshot, keyOf } from "../inventory/snapshot.ts";
import type { Refusal } from "./candidate.ts";
import type { AnnounceConfig } from "./config.ts";

/** The configuration's filters, each answering with the refusal or nothing. */
export class Filters {
  readonly #config: AnnounceConfig;
  readonly #allow: PrefixSet;

  constructor(config: AnnounceConfig) {
    this.#config = config;
    this.#allow = new PrefixSet(config.allow);
  }

  project(name: string): Refusal | undefined {
    const { projects } = this.#config;
    if (projects === undefined || projects.includes(name)) return undefined;
    return { code: "project", why: `\`projects\` does not contain ${name}` };
  }

  /** @param network a managed network */
  network({ type, name, config }: Network): Refusal | undefined {
    const uplink = type === "ovn" ? (config["network"] ?? "") : name;
    if (type === "ovn" && (uplink === "" || uplink === "none"))
      return { code: "no-uplink", why: "the network has no uplink" };
    return this.#uplink([uplink]);
  }

  /** @param parent the interface that a NIC without a managed network is attached to */
  parent(networks: Snapshot["networks"], parent: string): Refusal | undefined {
    const uplinks = (this.#config.uplinks ?? []).filter(
      (name) => networks.get(keyOf({ project: "default", name }))?.config["parent"] === parent,
    );
    return this.#uplink([parent, ...uplinks]);
  }

  allow(prefix: Prefix): Refusal | undefined {
    return this.#allow.covers(prefix) ? undefined : { code: "not-allowed", why: "`allow` does not contain it" };
  }

  #uplink(names: readonly string[]): Refusal | undefined {
    const { uplinks } = this.#config;
    if (uplinks === undefined || names.some((name) => uplinks.includes(name))) return undefined;
    return { code: "uplink", why: `\`uplinks\` does not contain ${names[0] ?? ""}` };
  }
}
