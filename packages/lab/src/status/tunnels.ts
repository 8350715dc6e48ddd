import type { Lab } from "../runtime/lab.ts";
import type { Server } from "../runtime/server.ts";
import type { LayerStatus } from "./status.ts";

/** What `ovs-vsctl -f json` prints of columns that hold maps (RFC 7047, section 5.1). */
interface Table {
  readonly data: readonly (readonly ["map", readonly (readonly [string, string])[]])[][];
}

/**
 * OVN's Geneve tunnels, each asked at both its ends: there, and up by OVN's own BFD where it watches them (as soon as a gateway may move).
 * Everything else may be well while these are down, yet no packet reaches an instance on another server.
 */
export async function tunnels(lab: Lab, on: readonly Server[]): Promise<Omit<LayerStatus, "layer">> {
  const ends = await Promise.all(
    on.map(async (server) => {
      const works = await workingTunnels(server);
      const peers = lab.topology.servers.filter(({ name }) => name !== server.name);
      return peers.map(({ name, mesh }) => ({ name: `${server.name} to ${name}`, up: works.has(mesh) }));
    }),
  );
  const all = ends.flat();
  const down = all.filter(({ up }) => !up).map(({ name }) => name);
  const detail = `${all.length - down.length} of ${all.length} ends up`;
  return {
    state: down.length === 0 ? "ok" : down.length < all.length ? "degraded" : "down",
    detail: down.length === 0 ? detail : `${detail}, not ${down.join(", ")}`,
  };
}

/** The mesh addresses to which a server has a tunnel that works. */
async function workingTunnels(server: Server): Promise<Set<string>> {
  const columns = "--columns=options,bfd,bfd_status";
  const { data } = JSON.parse(
    await server.sh(`timeout 5 ovs-vsctl --no-wait -f json ${columns} find interface type=geneve`),
  ) as Table;
  const found = new Set<string>();
  for (const row of data) {
    const [options = {}, bfd = {}, status = {}] = row.map(([, pairs]): Record<string, string> =>
      Object.fromEntries(pairs),
    );
    const watched = bfd["enable"] === "true";
    if (options["remote_ip"] !== undefined && (!watched || status["state"] === "up")) found.add(options["remote_ip"]);
  }
  return found;
}
