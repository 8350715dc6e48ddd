import type { Acl, AclRule, Cluster } from "@trivet/spec";
import { type RenderOptions, type RenderedFile, scriptFile } from "../file.ts";
import { toYaml } from "../yaml.ts";

/** ACLs, then their assignment to networks. */
export function acls(cluster: Cluster, cli: string, options: RenderOptions): RenderedFile {
  const lines = cluster.projects.flatMap((project) => {
    const at = project.name === "default" ? "" : ` --project ${project.name}`;
    // All are made before any is filled, as rules may name other ACLs.
    const made = project.acls.map(
      ({ name }) => `${cli} network acl show ${name}${at} >/dev/null 2>&1 || ${cli} network acl create ${name}${at}`,
    );
    const filled = project.acls.flatMap((acl) => [
      `${cli} network acl edit ${acl.name}${at} <<'EOF'`,
      body(acl),
      "EOF",
    ]);
    const assigned = project.networks
      .filter((network) => network.acls.length > 0 || network.default !== undefined)
      .map((network) => {
        const action =
          network.default === undefined
            ? ""
            : ["ingress", "egress"].map((way) => ` security.acls.default.${way}.action=${network.default}`).join("");
        return `${cli} network set ${network.name} security.acls=${network.acls.join(",")}${action}${at}`;
      });
    return [...made, ...filled, ...assigned];
  });
  return scriptFile("lxd/acls.sh", options, "What may reach what. Safe to run again.", lines);
}

function body(acl: Acl): string {
  const { description = "", ingress, egress } = acl;
  return toYaml({ description, ingress: ingress.map(rule), egress: egress.map(rule), config: {} }).trimEnd();
}

function rule(written: AclRule) {
  const { action, state, protocol, port, source, destination, description } = written;
  return {
    action,
    state,
    ...(description !== undefined && { description }),
    ...(protocol !== undefined && { protocol }),
    ...(source !== undefined && { source: spaced(source) }),
    ...(destination !== undefined && { destination: spaced(destination) }),
    ...(port !== undefined && { destination_port: String(port) }),
  };
}

function spaced(selector: string): string {
  return selector.replaceAll(/\s+/g, "");
}
