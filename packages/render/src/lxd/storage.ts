import type { Cluster } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, quote, scriptFile } from "../file.ts";

/** Storage pools: on each server, then for the cluster. */
export function storage(cluster: Cluster, cli: string, options: RenderOptions): RenderedFile {
  const lines = cluster.storage.flatMap(({ name, driver, source }) => {
    const from = source === undefined ? "" : ` source=${quote(source)}`;
    const create = `${cli} storage create ${name} ${driver}`;
    const perServer =
      cluster.servers.length > 1 ? cluster.servers.map((server) => `  ${create}${from} --target ${server.name}`) : [];
    return [
      `if ! ${cli} storage show ${name} >/dev/null 2>&1; then`,
      ...perServer,
      `  ${create}${perServer.length > 0 ? "" : from}`,
      "fi",
    ];
  });
  const [first] = cluster.storage;
  if (first !== undefined)
    lines.push(
      `${cli} profile device get default root pool >/dev/null 2>&1 || ${cli} profile device add default root disk path=/ pool=${first.name}`,
    );
  return scriptFile("lxd/storage.sh", options, "Storage pools. Safe to run again.", lines);
}
