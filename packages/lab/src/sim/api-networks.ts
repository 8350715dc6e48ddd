import type { BalancerRecord, ForwardRecord, NetworkRecord } from "./records.ts";
import { checkMatch, instancesOnNetwork, resource, urlOf, usersOfNetwork } from "./resources.ts";
import { CREATED, type Call, type Reply, type Routes, map, merged, ok, text } from "./router.ts";
import { ApiError } from "./state.ts";
import { balancerView, forwardView, leasesView, networkStateView, networkView } from "./views.ts";

/** Networks with their state, leases, forwards and load balancers. */
export const networkRoutes: Routes = {
  "GET /1.0/networks": (call) =>
    // LXD 5.0.2 has no all-projects here: it answers as if it were not asked for.
    ok(
      [...call.cluster.networks.values()]
        .filter(({ project }) => project === call.project)
        .map((network) => (call.recursion > 0 ? view(call, network) : urlOf("networks", network))),
    ),
  "GET /1.0/networks/:name": (call) => resource(view(call, networkOf(call))),
  "PUT /1.0/networks/:name": (call) => changeNetwork(call, {}),
  "PATCH /1.0/networks/:name": (call) => changeNetwork(call, networkOf(call).config),

  "GET /1.0/networks/:name/state": (call) => {
    const network = networkOf(call);
    if (network.type === "physical") throw new ApiError(404, `Network interface "${network.name}" not found`);
    return ok(networkStateView(network));
  },
  "GET /1.0/networks/:name/leases": (call) => {
    const network = networkOf(call);
    return ok(leasesView(network, instancesOnNetwork(call.cluster, network)));
  },

  "GET /1.0/networks/:name/forwards": (call) => list(call, "forwards", networkOf(call).forwards, forwardView),
  "GET /1.0/networks/:name/forwards/:address": (call) => resource(forwardView(forwardOf(call))),
  "POST /1.0/networks/:name/forwards": createForward,
  "DELETE /1.0/networks/:name/forwards/:address": deleteForward,

  "GET /1.0/networks/:name/load-balancers": (call) => {
    const network = networkOf(call);
    if (!hasBalancers(call)) throw new ApiError(404, "not found"); // LXD 5.0.2 knows no such path
    return list(call, "load-balancers", network.balancers, balancerView);
  },
};

function networkOf({ cluster, project, param }: Call): NetworkRecord {
  return cluster.network(project, param("name"));
}

function view({ cluster, query }: Call, network: NetworkRecord) {
  const target = query.get("target") ?? undefined;
  return networkView(network, usersOfNetwork(cluster, network), [...cluster.servers.keys()], target);
}

function changeNetwork(call: Call, base: Readonly<Record<string, string>>): Reply {
  const network = networkOf(call);
  checkMatch(call, view(call, network));
  network.config = merged(base, map<string>(call, "config"));
  if (typeof call.body["description"] === "string") network.description = call.body["description"];
  call.cluster.tell("network-updated", `networks/${network.name}`, network.project, call.server);
  return ok({});
}

function list<T extends ForwardRecord | BalancerRecord>(
  call: Call,
  kind: string,
  records: readonly T[],
  viewOf: (record: T) => object,
): Reply {
  const path = `/1.0/networks/${call.param("name")}/${kind}`;
  return ok(records.map((record) => (call.recursion > 0 ? viewOf(record) : `${path}/${record.listenAddress}`)));
}

function forwardOf(call: Call): ForwardRecord {
  const forward = networkOf(call).forwards.find(({ listenAddress }) => listenAddress === call.param("address"));
  if (forward === undefined) throw new ApiError(404, "Network forward not found");
  return forward;
}

function createForward(call: Call): Reply {
  const network = networkOf(call);
  const listenAddress = text(call, "listen_address");
  network.forwards.push({ listenAddress, targetAddress: map<string>(call, "config")?.["target_address"] ?? "" });
  call.cluster.tell(
    "network-forward-created",
    `networks/${network.name}/forwards/${listenAddress}`,
    network.project,
    call.server,
  );
  return CREATED;
}

function deleteForward(call: Call): Reply {
  const network = networkOf(call);
  const forward = forwardOf(call);
  network.forwards.splice(network.forwards.indexOf(forward), 1);
  const path = `networks/${network.name}/forwards/${forward.listenAddress}`;
  call.cluster.tell("network-forward-deleted", path, network.project, call.server);
  return ok({});
}

function hasBalancers({ cluster }: Call): boolean {
  return [...cluster.networks.values()].some(({ balancers }) => balancers.length > 0);
}
