import type { ClusterFile } from "./schema/cluster.ts";
import type { Finding, Path } from "./source/document.ts";

/** What resolving and checking share: the file, and where to say what is wrong with it. */
export interface Context {
  readonly file: ClusterFile;
  /** Says what is wrong at `path`; `key` when the key itself is at fault. */
  report(path: Path, finding: Finding & { readonly key?: boolean }): void;
}
