import { API_EXTENSIONS } from "./api-extensions.ts";
import { evacuate, restore } from "./evacuation.ts";
import type { ProfileRecord } from "./records.ts";
import { CREATED, type Call, type Reply, type Routes, map, merged, ok, text } from "./router.ts";
import { ApiError, keyOf } from "./state.ts";
import { certificateView, memberView, profileView, projectView } from "./views.ts";
import { checkMatch, resource, usersOfProfile, usersOfProject } from "./resources.ts";

/** `/1.0`, the cluster and its members, projects and profiles. */
export const clusterRoutes: Routes = {
  "GET /": () => ok(["/1.0"]),
  "GET /1.0": (call) => resource(serverView(call)),
  "PUT /1.0": (call) => changeServer(call, {}),
  "PATCH /1.0": (call) => changeServer(call, call.cluster.config),

  "GET /1.0/cluster": ({ server }) => resource({ server_name: server, enabled: true, member_config: MEMBER_CONFIG }),
  "GET /1.0/cluster/members": ({ cluster, recursion }) =>
    ok(
      [...cluster.servers.values()].map((server) =>
        recursion > 0 ? memberView(server) : `/1.0/cluster/members/${server.name}`,
      ),
    ),
  "GET /1.0/cluster/members/:name": (call) => resource(memberView(call.cluster.server(call.param("name")))),
  "GET /1.0/cluster/members/:name/state": () => {
    throw new ApiError(501, "not implemented"); // as LXD 5.0.2 does
  },
  "POST /1.0/cluster/members/:name/state": changeMember,

  "GET /1.0/certificates": ({ cluster, recursion }) =>
    ok(
      [...cluster.servers.values()]
        .map((server) => certificateView(server))
        .map((certificate) => (recursion > 0 ? certificate : `/1.0/certificates/${certificate.fingerprint}`)),
    ),

  "GET /1.0/projects": ({ cluster, recursion }) =>
    ok(
      [...cluster.projects.values()].map((project) =>
        recursion > 0 ? projectView(project, usersOfProject(cluster, project)) : `/1.0/projects/${project.name}`,
      ),
    ),
  "GET /1.0/projects/:name": ({ cluster, param }) => {
    const project = cluster.project(param("name"));
    return resource(projectView(project, usersOfProject(cluster, project)));
  },
  "PUT /1.0/projects/:name": (call) => changeProject(call, {}),
  "PATCH /1.0/projects/:name": (call) => changeProject(call, call.cluster.project(call.param("name")).config),

  "GET /1.0/profiles": (call) =>
    ok(
      [...call.cluster.profiles.values()]
        .filter(({ project }) => project === call.project)
        .map((profile) =>
          call.recursion > 0
            ? profileView(profile, usersOfProfile(call.cluster, profile))
            : `/1.0/profiles/${profile.name}${call.project === "default" ? "" : `?project=${call.project}`}`,
        ),
    ),
  "POST /1.0/profiles": createProfile,
  "GET /1.0/profiles/:name": (call) => profileReply(call),
  "PUT /1.0/profiles/:name": (call) => changeProfile(call, { config: {}, devices: {} }),
  "PATCH /1.0/profiles/:name": (call) => changeProfile(call, call.cluster.profile(call.project, call.param("name"))),
  "POST /1.0/profiles/:name": renameProfile,
  "DELETE /1.0/profiles/:name": deleteProfile,
};

const MEMBER_CONFIG = [
  {
    entity: "storage-pool",
    name: "ssd",
    key: "source",
    value: "",
    description: '"source" property for storage pool "ssd"',
  },
  {
    entity: "network",
    name: "INFRA-UPLINK",
    key: "parent",
    value: "",
    description: '"parent" property for network "INFRA-UPLINK"',
  },
];

function serverView({ cluster, server }: Call) {
  const { address } = cluster.server(server);
  const balancers = [...cluster.networks.values()].some((network) => network.balancers.length > 0);
  return {
    config: { ...cluster.config, "cluster.https_address": address, "core.https_address": address },
    api_extensions: balancers ? [...API_EXTENSIONS, "network_load_balancer"] : API_EXTENSIONS,
    api_status: "stable",
    api_version: "1.0",
    auth: "trusted",
    public: false,
    auth_methods: ["tls"],
    environment: {
      addresses: [address],
      architectures: ["x86_64", "i686"],
      certificate: "",
      certificate_fingerprint: "",
      driver: "lxc",
      driver_version: "5.0.2",
      firewall: "nftables",
      kernel: "Linux",
      kernel_architecture: "x86_64",
      kernel_features: {},
      kernel_version: "6.1.0",
      lxc_features: {},
      os_name: "Debian GNU/Linux",
      os_version: "12",
      project: "default",
      server: "lxd",
      server_clustered: true,
      server_event_mode: "full-mesh",
      server_name: server,
      server_pid: 155,
      server_version: "5.0.2",
      storage: "ceph",
      storage_version: "16.2.15",
      storage_supported_drivers: [{ Name: "ceph", Version: "16.2.15", Remote: true }],
    },
  };
}

function changeServer(call: Call, base: Readonly<Record<string, unknown>>): Reply {
  checkMatch(call, serverView(call));
  call.cluster.config = merged(base, map(call, "config"));
  call.cluster.tell("config-updated", "", undefined, call.server);
  return ok({});
}

function changeMember(call: Call): Reply {
  const { cluster } = call;
  const server = cluster.server(call.param("name"));
  const action = text(call, "action");
  if (action !== "evacuate" && action !== "restore") throw new ApiError(400, `Unknown action "${action}"`);
  const description = action === "evacuate" ? "Evacuating cluster member" : "Restoring cluster member";
  const { record } = cluster.operations.start({ description, location: server.name, resources: null }, () =>
    action === "evacuate" ? evacuate(cluster, server) : restore(cluster, server),
  );
  return { operation: record };
}

function changeProject(call: Call, base: Readonly<Record<string, string>>): Reply {
  const project = call.cluster.project(call.param("name"));
  checkMatch(call, projectView(project, usersOfProject(call.cluster, project)));
  project.config = merged(base, map<string>(call, "config"));
  if (typeof call.body["description"] === "string") project.description = call.body["description"];
  call.cluster.tell("project-updated", `projects/${project.name}`, project.name, call.server);
  return ok({});
}

function profileReply({ cluster, project, param }: Call): Reply {
  const profile = cluster.profile(project, param("name"));
  return resource(profileView(profile, usersOfProfile(cluster, profile)));
}

function createProfile(call: Call): Reply {
  const name = text(call, "name");
  const key = keyOf({ project: call.project, name });
  if (call.cluster.profiles.has(key))
    throw new ApiError(500, `Error inserting "${name}" into database: The profile already exists`);
  call.cluster.profiles.set(key, {
    name,
    project: call.project,
    description: typeof call.body["description"] === "string" ? call.body["description"] : "",
    config: map<string>(call, "config") ?? {},
    devices: map<Record<string, string>>(call, "devices") ?? {},
  });
  call.cluster.tell("profile-created", `profiles/${name}`, call.project, call.server);
  return CREATED;
}

function changeProfile(call: Call, base: Pick<ProfileRecord, "config" | "devices">): Reply {
  const { cluster } = call;
  const profile = cluster.profile(call.project, call.param("name"));
  checkMatch(call, profileView(profile, usersOfProfile(cluster, profile)));
  profile.config = merged(base.config, map<string>(call, "config"));
  profile.devices = { ...base.devices, ...map<Record<string, string>>(call, "devices") };
  if (typeof call.body["description"] === "string") profile.description = call.body["description"];
  cluster.forgetViews();
  cluster.tell("profile-updated", `profiles/${profile.name}`, call.project, call.server);
  return ok({});
}

/** Atomic, as in LXD: of two who rename to the same name at the same time, one fails. */
function renameProfile(call: Call): Reply {
  const { cluster, project } = call;
  const name = text(call, "name");
  if (cluster.profiles.has(keyOf({ project, name }))) throw new ApiError(500, `Name "${name}" already in use`);
  const profile = cluster.profile(project, call.param("name"));
  const context = { old_name: profile.name };
  cluster.profiles.delete(keyOf(profile));
  profile.name = name;
  cluster.profiles.set(keyOf(profile), profile);
  cluster.tell("profile-renamed", `profiles/${name}`, project, call.server, context);
  return CREATED;
}

function deleteProfile(call: Call): Reply {
  const { cluster } = call;
  const profile = cluster.profile(call.project, call.param("name"));
  if (usersOfProfile(cluster, profile).length > 0) throw new ApiError(400, "Profile is currently in use");
  cluster.profiles.delete(keyOf(profile));
  cluster.tell("profile-deleted", `profiles/${profile.name}`, call.project, call.server);
  return ok({});
}
