import { isIP } from "node:net";
import type { SessionOptions } from "@trivet/bfd";
import type { AgentConfig } from "../config/schema.ts";
import type { Snapshot } from "../inventory/snapshot.ts";

/** A way from this server to another, watched by BFD. */
export interface Path extends SessionOptions {
  readonly name: string;
  readonly server: string;
}

/**
 * The ways to the other servers: between the addresses of both that stand at the same place in `gateway.servers`; unless it names a
 * server, LXD's address of it is all that is known.
 *
 * Multihop (RFC 5883): where a mesh has no direct cable, or it is cut, packets pass a third server.
 */
export function pathsOf(snapshot: Snapshot, { gateway }: Pick<AgentConfig, "gateway">): Path[] {
  const { watch, servers, preferLocal: _, ...timers } = gateway;
  if (!watch || !snapshot.clustered) return [];
  const addresses = new Map(
    snapshot.members.map(({ server_name, url }) => [server_name, servers[server_name] ?? addressOf(url)]),
  );
  const own = addresses.get(snapshot.server) ?? [];
  return [...addresses].flatMap(([server, theirs]) => {
    if (server === snapshot.server) return [];
    return theirs.flatMap((peer, place) => {
      const local = own[place];
      if (local === undefined || isIP(local) !== isIP(peer)) return [];
      return [{ name: `${server} at ${peer}`, server, peer, local, multihop: true, ...timers }];
    });
  });
}

/** Of `https://10.60.0.100:8443`; nothing where LXD has a name instead. */
function addressOf(url: string): string[] {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 ? [] : [host];
}
