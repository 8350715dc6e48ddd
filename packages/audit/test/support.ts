import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Cluster, readCluster } from "@trivet/spec";

export const SOUND = readFileSync(new URL("fixtures/sound.yaml", import.meta.url), "utf8");

export function parse(text: string): Cluster {
  return readCluster("cluster.yaml", { read: () => text, list: () => [] });
}

/** The sound cluster, with each pair's first text replaced by its second. */
export function sound(...changes: readonly (readonly [string, string])[]): Cluster {
  return parse(
    changes.reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`the fixture has no ${from}`);
      return text.replaceAll(from, to);
    }, SOUND),
  );
}

export function example(name: string): Cluster {
  return readCluster(fileURLToPath(new URL(`../../../examples/${name}/cluster.yaml`, import.meta.url)));
}
