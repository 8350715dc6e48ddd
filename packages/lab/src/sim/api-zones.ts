import type { ZoneRecord } from "./records.ts";
import { checkMatch, resource } from "./resources.ts";
import { type Call, type Reply, type Routes, map, merged, ok } from "./router.ts";
import { ApiError } from "./state.ts";
import { zoneRecordView, zoneView } from "./views.ts";

/** LXD's own DNS zones. LXD 5.0.2 leaves the project out of every path here. */
export const zoneRoutes: Routes = {
  "GET /1.0/network-zones": (call) =>
    ok(
      [...call.cluster.zones.values()]
        .filter(({ project }) => project === call.project)
        .map((zone) => (call.recursion > 0 ? view(call, zone) : `/1.0/network-zones/${zone.name}`)),
    ),
  "GET /1.0/network-zones/:name": (call) => resource(view(call, zoneOf(call))),
  "PUT /1.0/network-zones/:name": (call) => changeZone(call, {}),
  "PATCH /1.0/network-zones/:name": (call) => changeZone(call, zoneOf(call).config),

  "GET /1.0/network-zones/:name/records": (call) => {
    const zone = zoneOf(call);
    const path = `/1.0/network-zones/${zone.name}/records`;
    return ok(zone.records.map((record) => (call.recursion > 0 ? zoneRecordView(record) : `${path}/${record.name}`)));
  },
  "GET /1.0/network-zones/:name/records/:record": (call) => {
    const record = zoneOf(call).records.find(({ name }) => name === call.param("record"));
    if (record === undefined) throw new ApiError(404, "Network zone record not found");
    return resource(zoneRecordView(record));
  },
};

function zoneOf({ cluster, project, param }: Call): ZoneRecord {
  return cluster.zone(project, param("name"));
}

function view({ cluster }: Call, zone: ZoneRecord) {
  const users = [...cluster.networks.values()].filter(({ config }) => config["dns.zone.forward"] === zone.name);
  return zoneView(
    zone,
    users.map(({ name }) => `/1.0/networks/${name}`),
  );
}

function changeZone(call: Call, base: Readonly<Record<string, string>>): Reply {
  const zone = zoneOf(call);
  checkMatch(call, view(call, zone));
  zone.config = merged(base, map<string>(call, "config"));
  if (typeof call.body["description"] === "string") zone.description = call.body["description"];
  call.cluster.tell("network-zone-updated", `network-zones/${zone.name}`, zone.project, call.server);
  return ok({});
}
