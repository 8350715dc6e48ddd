import type { InstanceRecord, ServerRecord } from "./records.ts";
import { ApiError, type ClusterState } from "./state.ts";

/** Where an instance goes back to, in its configuration. */
const ORIGIN = "volatile.evacuate.origin";

/** As LXD's own: one instance after the other, moved to the server with the fewest unless `cluster.evacuate` is `stop`. */
export async function evacuate(cluster: ClusterState, server: ServerRecord): Promise<void> {
  if (server.evacuated) throw new ApiError(400, "Cluster member is already evacuated");
  for (const instance of instancesOn(cluster, server)) {
    const wasRunning = instance.running;
    if (wasRunning) cluster.stop(instance, true);
    if (instance.config["cluster.evacuate"] === "stop") {
      if (wasRunning) instance.config = { ...instance.config, "volatile.last_state.power": "RUNNING" };
      continue;
    }
    cluster.update(instance, { config: { ...instance.config, [ORIGIN]: server.name } });
    const moved = await move(cluster, instance, emptiest(cluster, server));
    if (wasRunning) cluster.start(moved, false);
  }
  server.evacuated = true;
}

/** Brings back what {@link evacuate} took away, and starts what it stopped. */
export async function restore(cluster: ClusterState, server: ServerRecord): Promise<void> {
  if (!server.evacuated) throw new ApiError(400, "Cluster member not evacuated");
  server.evacuated = false;
  for (const instance of instancesOn(cluster, server))
    if (!instance.running && instance.config["volatile.last_state.power"] === "RUNNING") cluster.start(instance, false);
  const away = [...cluster.instances.values()].filter(({ config }) => config[ORIGIN] === server.name);
  for (const instance of away) {
    const wasRunning = instance.running;
    if (wasRunning) cluster.stop(instance, true);
    const back = await move(cluster, instance, server.name);
    const { [ORIGIN]: _, ...config } = back.config;
    cluster.update(back, { config });
    if (wasRunning) cluster.start(back, false);
  }
}

async function move(cluster: ClusterState, instance: InstanceRecord, target: string): Promise<InstanceRecord> {
  const { project, name } = instance;
  await cluster.move(instance, target);
  return cluster.instance(project, name);
}

function instancesOn(cluster: ClusterState, { name }: ServerRecord): InstanceRecord[] {
  return [...cluster.instances.values()].filter(({ location }) => location === name);
}

function emptiest(cluster: ClusterState, leaving: ServerRecord): string {
  const candidates = [...cluster.servers.values()].filter((one) => one !== leaving && one.up && !one.evacuated);
  const [best] = candidates.toSorted((a, b) => instancesOn(cluster, a).length - instancesOn(cluster, b).length);
  if (best === undefined) throw new ApiError(400, "Couldn't find a cluster member for the instance");
  return best.name;
}
