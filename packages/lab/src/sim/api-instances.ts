import { etagOf } from "./json.ts";
import { operationView } from "./operations.ts";
import { type Devices, type InstanceRecord, type NetworkRecord, instanceRecord } from "./records.ts";
import { urlOf } from "./resources.ts";
import { type Call, type Reply, type Routes, map, merged, ok, text } from "./router.ts";
import { ApiError, keyOf } from "./state.ts";
import { instanceStateView } from "./views.ts";

/** Instances and background operations. */
export const instanceRoutes: Routes = {
  "GET /1.0/instances": (call) => {
    const everywhere = call.query.get("all-projects") === "true";
    const chosen = [...call.cluster.instances.values()].filter(({ project }) => everywhere || project === call.project);
    if (call.recursion === 0) return ok(chosen.map((instance) => urlOf("instances", instance)));
    return { json: `[${chosen.map((instance) => json(call, instance)).join(",")}]` };
  },
  "POST /1.0/instances": createInstance,
  "GET /1.0/instances/:name": (call) => {
    const instance = instanceOf(call);
    const plain = call.cluster.instanceJson(instance);
    return { json: call.recursion > 0 ? withState(call, instance, plain) : plain, etag: etagOf(plain) };
  },
  "PUT /1.0/instances/:name": (call) => {
    const instance = instanceOf(call);
    checkMatch(call, instance);
    return operation(call, "Updating instance", instance, () =>
      call.cluster.update(instance, {
        config: map<string>(call, "config") ?? {},
        devices: map<Record<string, string>>(call, "devices") ?? {},
        ...otherKeys(call),
      }),
    );
  },
  "PATCH /1.0/instances/:name": (call) => {
    const instance = instanceOf(call);
    checkMatch(call, instance);
    call.cluster.update(instance, {
      config: merged(instance.config, map<string>(call, "config")),
      devices: { ...instance.devices, ...map<Record<string, string>>(call, "devices") },
      ...otherKeys(call),
    });
    return ok({});
  },
  "POST /1.0/instances/:name": moveOrRename,
  "DELETE /1.0/instances/:name": (call) => {
    const instance = instanceOf(call);
    if (instance.running) throw new ApiError(400, "Instance is running");
    return operation(call, "Deleting instance", instance, () => call.cluster.remove(instance));
  },
  "GET /1.0/instances/:name/state": (call) => ok(stateOf(call, instanceOf(call))),
  "PUT /1.0/instances/:name/state": changeState,

  "GET /1.0/operations": ({ cluster, recursion }) => {
    const byStatus = Object.groupBy(cluster.operations.list(), ({ status }) => status.toLowerCase());
    const shown = Object.entries(byStatus).map(([status, operations = []]) => [
      status,
      operations.map((one) => (recursion > 0 ? operationView(one) : `/1.0/operations/${one.id}`)),
    ]);
    return ok(Object.fromEntries(shown));
  },
  "GET /1.0/operations/:id": ({ cluster, param }) => {
    const record = cluster.operations.get(param("id"));
    if (record === undefined) throw new ApiError(404, "Operation not found");
    return ok(operationView(record));
  },
  "GET /1.0/operations/:id/wait": async ({ cluster, param, query }) => {
    const ending = cluster.operations.ending(param("id"));
    if (ending === undefined) throw new ApiError(404, "Operation not found");
    const seconds = Number(query.get("timeout") ?? -1);
    const record = await (seconds < 0 ? ending : orAfter(ending, seconds, () => cluster.operations.get(param("id"))));
    if (record === undefined) throw new ApiError(404, "Operation not found");
    return ok(operationView(record));
  },
  "DELETE /1.0/operations/:id": ({ cluster, param }) => {
    if (cluster.operations.get(param("id")) === undefined) throw new ApiError(404, "Operation not found");
    throw new ApiError(400, "This operation can't be cancelled");
  },
};

function instanceOf({ cluster, project, param }: Call): InstanceRecord {
  const instance = cluster.instance(project, param("name"));
  if (!cluster.reachable(instance)) throw new ApiError(500, "Missing event connection with target cluster member");
  return instance;
}

function json(call: Call, instance: InstanceRecord): string {
  const plain = call.cluster.instanceJson(instance);
  return call.recursion > 1 ? withState(call, instance, plain) : plain;
}

/** `recursion=2` of a list, `recursion=1` of one: with its state, snapshots and backups. */
function withState(call: Call, instance: InstanceRecord, plain: string): string {
  const state = call.cluster.reachable(instance) ? JSON.stringify(stateOf(call, instance)) : "null";
  return `${plain.slice(0, -1)},"backups":null,"state":${state},"snapshots":null}`;
}

function stateOf({ cluster }: Call, instance: InstanceRecord) {
  const networks = Object.values(instance.devices).map((device): NetworkRecord | undefined =>
    cluster.networks.get(keyOf({ project: instance.project, name: device["network"] ?? "" })),
  );
  return instanceStateView(instance, networks[0]);
}

function checkMatch({ cluster, ifMatch }: Call, instance: InstanceRecord): void {
  if (ifMatch !== undefined && ifMatch !== etagOf(cluster.instanceJson(instance)))
    throw new ApiError(412, "ETag doesn't match: the resource was changed");
}

function otherKeys({ body }: Call): Partial<Pick<InstanceRecord, "profiles" | "description">> {
  const { profiles, description } = body;
  return {
    ...(Array.isArray(profiles) ? { profiles: profiles.map(String) } : {}),
    ...(typeof description === "string" ? { description } : {}),
  };
}

function operation(
  { cluster }: Call,
  description: string,
  instance: InstanceRecord,
  work: () => void | Promise<void>,
): Reply {
  const { project, name, location } = instance;
  const resources: Record<string, string[]> = { instances: [`/1.0/instances/${name}`] };
  // All but changes of state still name it by LXD's old word, too.
  if (!STATE_CHANGES.has(description)) resources["containers"] = [`/1.0/containers/${name}`];
  return { operation: cluster.operations.start({ description, project, location, resources }, work).record };
}

const STATE_CHANGES = new Set(["Starting instance", "Stopping instance", "Restarting instance"]);

function createInstance(call: Call): Reply {
  const name = text(call, "name");
  if (call.cluster.instances.has(keyOf({ project: call.project, name })))
    throw new ApiError(400, `Instance "${name}" already exists`);
  const record = instanceRecord(
    {
      name,
      project: call.project,
      type: call.body["type"] === "virtual-machine" ? "virtual-machine" : "container",
      server: call.query.get("target") ?? call.server,
      running: false,
      routes: [],
    },
    Date.now(),
  );
  record.devices = map<Record<string, string>>(call, "devices") ?? ({} satisfies Devices);
  record.config = { ...record.config, ...map<string>(call, "config") };
  call.cluster.server(record.location);
  return operation(call, "Creating instance", record, () => call.cluster.add(record));
}

function moveOrRename(call: Call): Reply {
  const instance = instanceOf(call);
  const target = call.query.get("target");
  if (target !== null) {
    if (!call.cluster.servers.has(target))
      throw new ApiError(404, "Failed to get target node: Cluster member not found");
    return operation(call, "Migrating instance", instance, () => call.cluster.move(instance, target));
  }
  const name = text(call, "name");
  if (call.cluster.instances.has(keyOf({ project: call.project, name })))
    throw new ApiError(409, `Name "${name}" already in use`);
  if (instance.running) throw new ApiError(400, "Renaming of running instance not allowed");
  return operation(call, "Renaming instance", instance, () => call.cluster.rename(instance, name));
}

function changeState(call: Call): Reply {
  const { cluster } = call;
  const instance = instanceOf(call);
  const action = text(call, "action");
  const clean = call.body["force"] !== true;
  switch (action) {
    case "start":
      return operation(call, "Starting instance", instance, () => cluster.start(instance));
    case "stop":
      return operation(call, "Stopping instance", instance, () => cluster.stop(instance, clean));
    case "restart":
      return operation(call, "Restarting instance", instance, () => cluster.restart(instance));
    default:
      throw new ApiError(400, `Unknown action: '${action}'`);
  }
}

async function orAfter<T>(ending: Promise<T>, seconds: number, otherwise: () => T | undefined): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T | undefined>((resolve) => {
    timer = setTimeout(() => resolve(otherwise()), seconds * 1000);
  });
  try {
    return await Promise.race([ending, late]);
  } finally {
    clearTimeout(timer);
  }
}
