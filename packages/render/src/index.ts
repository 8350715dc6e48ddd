/** Cluster to files: every layer's configuration. Pure and deterministic: the same cluster gives the same bytes. */
export type { RenderOptions, RenderedFile } from "./file.ts";
export { renderCluster } from "./render.ts";
export { SecretError, openSecrets } from "./secrets.ts";
export { OutputError, writeTree } from "./write.ts";
