import { Address, type Family } from "@trivet/ip";
import type { Snapshot } from "../inventory/snapshot.ts";
import { isOneOf } from "./instances.ts";

/** A name below a zone's origin for something that is no instance. */
export interface InfrastructureName {
  readonly relative: string;
  readonly address: Address;
  /** "server langara", "network default/ovn-web" */
  readonly what: string;
}

const FAMILIES: readonly Family[] = [4, 6];

/**
 * `SERVER.server` for every cluster member, `NETWORK.gw` for the gateway address of every network (as LXD's own zones have it), and
 * `NETWORK.uplink` for the address an OVN network has on its uplink. Networks outside the default project carry their project:
 * `NETWORK.PROJECT.gw`.
 *
 * @param only the networks that count, and then no servers; see {@link isOneOf}
 */
export function infrastructureNames(
  { members, networks }: Pick<Snapshot, "members" | "networks">,
  only?: readonly string[],
): InfrastructureName[] {
  const names: InfrastructureName[] = [];
  for (const { server_name, url } of only === undefined ? members : []) {
    const address = hostOf(url);
    if (address !== undefined)
      names.push({ relative: `${server_name}.server`, address, what: `server ${server_name}` });
  }
  for (const { project, name, config } of networks.values()) {
    if (only !== undefined && !isOneOf(only, { project, name })) continue;
    const label = project === "default" ? name : `${name}.${project}`;
    const what = `network ${project}/${name}`;
    for (const family of FAMILIES) {
      const gateway = Address.tryParse(config[`ipv${family}.address`]?.split("/")[0] ?? "");
      if (gateway !== undefined) names.push({ relative: `${label}.gw`, address: gateway, what });
      const uplink = Address.tryParse(config[`volatile.network.ipv${family}.address`] ?? "");
      if (uplink !== undefined) names.push({ relative: `${label}.uplink`, address: uplink, what });
    }
  }
  return names.filter(({ relative }) => relative.split(".").every((part) => /^[a-z0-9_-]{1,63}$/i.test(part)));
}

/** The address of `https://10.0.0.1:8443` or `https://[2001:db8::1]:8443`; a member known by a host name has none. */
function hostOf(url: string): Address | undefined {
  if (!URL.canParse(url)) return undefined;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return Address.tryParse(host);
}
