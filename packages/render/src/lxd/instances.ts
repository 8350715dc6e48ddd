import type { Cluster, Instance } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, quote, scriptFile } from "../file.ts";

/** Instances, created but not started. */
export function instances(cluster: Cluster, cli: string, options: RenderOptions): RenderedFile[] {
  const all = cluster.projects.flatMap((project) => project.instances);
  if (all.length === 0) return [];
  const lines = all.flatMap((instance) => create(cluster, instance, cli));
  return [
    scriptFile(
      "lxd/instances.sh",
      options,
      "Instances, created and not started. Those that exist are left as they are.",
      lines,
    ),
  ];
}

function create(cluster: Cluster, instance: Instance, cli: string): string[] {
  const at = instance.project === "default" ? "" : ` --project ${instance.project}`;
  const config = [
    `limits.memory=${instance.memory}`,
    `limits.cpu=${Math.ceil(instance.cores)}`,
    ...(instance.evacuate === "auto" ? [] : [`cluster.evacuate=${instance.evacuate}`]),
    ...(instance.stateful ? ["migration.stateful=true"] : []),
  ];
  const target = instance.on === undefined || cluster.servers.length < 2 ? "" : ` --target ${instance.on}`;
  const device = `  ${cli} config device add ${instance.name}`;
  const route = (family: 4 | 6) => {
    const own = instance.routes.filter((each) => each.family === family);
    return own.length === 0 ? [] : [`ipv${family}.routes.external=${own.join(",")}`];
  };
  const address = (family: 4 | 6) => {
    const own = instance.addresses.find((each) => each.family === family);
    return own === undefined ? [] : [`ipv${family}.address=${own.toString()}`];
  };
  const nic = [
    `network=${instance.network ?? ""}`,
    "name=eth0",
    ...address(4),
    ...address(6),
    ...route(4),
    ...route(6),
    ...(instance.acls.length > 0 ? [`security.acls=${instance.acls.join(",")}`] : []),
  ];
  return [
    `if ! ${cli} config show ${instance.name}${at} >/dev/null 2>&1; then`,
    `  ${cli} init ${quote(instance.image)} ${instance.name}${instance.type === "vm" ? " --vm" : ""} --no-profiles${target}${at} -s ${instance.pool ?? "default"} ${config.map((each) => `-c ${each}`).join(" ")}`,
    `  ${cli} config device set ${instance.name} root size=${instance.disk}${at}`,
    ...(instance.network === undefined ? [] : [`${device} eth0 nic ${nic.join(" ")}${at}`]),
    ...Object.entries(instance.bridges).map(
      ([name, vlan]) =>
        `${device} ${name} nic nictype=bridged parent=${cluster.vlans.find((each) => each.name === vlan)?.bridge ?? ""} name=${name}${at}`,
    ),
    "fi",
  ];
}
