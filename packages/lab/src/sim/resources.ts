import { etagOf } from "./json.ts";
import type { InstanceRecord, NetworkRecord, ProfileRecord, ProjectRecord } from "./records.ts";
import type { Call, Reply } from "./router.ts";
import { ApiError, type ClusterState } from "./state.ts";

/** A single resource, with its ETag. */
export function resource(view: unknown): Reply {
  const json = JSON.stringify(view);
  return { json, etag: etagOf(json) };
}

/** @throws ApiError 412 when the request is for another state of the resource than this */
export function checkMatch({ ifMatch }: Call, view: unknown): void {
  if (ifMatch !== undefined && ifMatch !== etagOf(JSON.stringify(view)))
    throw new ApiError(412, "ETag doesn't match: the resource was changed");
}

export function urlOf(kind: string, { project, name }: { readonly project: string; readonly name: string }): string {
  return `/1.0/${kind}/${name}${project === "default" ? "" : `?project=${project}`}`;
}

export function usersOfProject(cluster: ClusterState, { name }: ProjectRecord): string[] {
  const within = <T extends { readonly project: string; readonly name: string }>(records: Iterable<T>, kind: string) =>
    [...records].filter(({ project }) => project === name).map((record) => urlOf(kind, record));
  return [
    ...within(cluster.instances.values(), "instances"),
    ...within(cluster.profiles.values(), "profiles"),
    ...within(
      [...cluster.networks.values()].filter(({ managed }) => managed),
      "networks",
    ),
  ];
}

export function usersOfProfile(cluster: ClusterState, { name, project }: ProfileRecord): string[] {
  return [...cluster.instances.values()]
    .filter((instance) => instance.project === project && instance.profiles.includes(name))
    .map((instance) => urlOf("instances", instance));
}

export function usersOfNetwork(cluster: ClusterState, network: NetworkRecord): string[] {
  const networks = [...cluster.networks.values()].filter(({ config }) => config["network"] === network.name);
  return [
    ...(network.type === "physical" ? networks.map((one) => urlOf("networks", one)) : []),
    ...instancesOnNetwork(cluster, network).map((instance) => urlOf("instances", instance)),
  ];
}

export function instancesOnNetwork(cluster: ClusterState, { name, project }: NetworkRecord): InstanceRecord[] {
  return [...cluster.instances.values()].filter(
    (instance) =>
      instance.project === project && Object.values(instance.devices).some((device) => device["network"] === name),
  );
}
