// The command and its workers as the release has them: a few files of JavaScript.
import { join } from "node:path";
import { type Metafile, build } from "esbuild";

const root = join(import.meta.dirname, "..");

/** Writes `trivet.js` and what it loads into a folder; koffi, which is native, must be found from there. */
export async function bundle(outdir: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: {
      trivet: join(root, "packages/cli/src/main.ts"),
      "bfd-worker": join(root, "packages/bfd/src/endpoint/worker.ts"),
      "dns-worker": join(root, "packages/dns/src/worker/main.ts"),
      "lab-bmc": join(root, "packages/lab/src/bmc/main.ts"),
      "lab-probe": join(root, "packages/lab/src/probe/worker.ts"),
    },
    outdir,
    bundle: true,
    splitting: true,
    // Names stay as they are: to keep them beside shorter ones costs every start more than reading them.
    minifyWhitespace: true,
    minifySyntax: true,
    format: "esm",
    platform: "node",
    target: "node24",
    metafile: true,
    absWorkingDir: root,
    // Native, and loaded by `require` at run time.
    external: ["koffi"],
    // CommonJS packages in the bundle call `require` for Node's own modules.
    banner: {
      js: 'import { createRequire as __requireOf } from "node:module"; const require = __requireOf(import.meta.url);',
    },
  });
  return metafile;
}
