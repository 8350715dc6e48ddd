import { fileURLToPath } from "node:url";
import { type RenderedFile, renderCluster } from "@trivet/render";
import { type Cluster, readCluster } from "@trivet/spec";

export const EXAMPLES = ["hive", "incus", "lab", "minimal", "single"] as const;

export function example(name: string): Cluster {
  return readCluster(fileURLToPath(new URL(`../../../examples/${name}/cluster.yaml`, import.meta.url)));
}

export function render(cluster: Cluster): RenderedFile[] {
  return renderCluster(cluster, { source: "cluster.yaml", secret: () => "not-a-real-secret" });
}

export function textOf(files: readonly RenderedFile[], path: string): string {
  const found = files.find((file) => file.path === path);
  if (found === undefined) throw new Error(`no ${path} among ${files.map((file) => file.path).join(", ")}`);
  return found.text;
}
