// Makes dist/trivet-VERSION-linux-x64.tar.gz: the command and the agent, bundled, with the Node they run on, the systemd unit and an
// example configuration. The same sources give the same bytes. Usage: npm run pack
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Metafile } from "esbuild";
import { bundle } from "./bundle.ts";

const root = join(import.meta.dirname, "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const name = `trivet-${version}-linux-x64`;
const staging = join(root, "dist", name);
const library = join(staging, "lib/trivet");
const MOST_BYTES = 60_000_000;

if (process.platform !== "linux" || process.arch !== "x64")
  throw new Error("pack on linux-x64: the tarball holds this machine's Node");
rmSync(staging, { recursive: true, force: true });
mkdirSync(library, { recursive: true });

const metafile = await bundle(library);
writeFileSync(join(library, "package.json"), `${JSON.stringify({ type: "module", version })}\n`);

const modules = "node_modules";
for (const path of ["koffi/package.json", "koffi/index.cjs", "koffi/src/koffi", "@koromix/koffi-linux-x64"])
  copy(
    join(modules, path),
    join("lib/trivet/node_modules", path),
    (file) => !file.includes("musl") && /(\.(cjs|js|json|node)|\/[^.]+)$/.test(file),
  );
copy(`${modules}/node/bin/node`, "lib/node");
copy("packages/agent/system/trivet-agent.service", "systemd/trivet-agent.service");
copy("packages/agent/system/agent.yaml", "agent.yaml");
copy("docs/existing-cluster.md", "INSTALL.md");
copy("docs/agent-config.md", "agent-config.md");
copy("LICENSE", "LICENSE");
writeFileSync(join(staging, "THIRD-PARTY-LICENSES"), thirdPartyLicenses(metafile));
write(
  "bin/trivet",
  '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/../lib/node" "$here/../lib/trivet/trivet.js" "$@"\n',
  0o755,
);

// What is packed must run, the native module included.
check("bin/trivet", ["--version"]);
check("lib/node", ["-e", "require('koffi').load(null)"], library);

// The archive: in order of names, of root, at one time.
const epoch = process.env["SOURCE_DATE_EPOCH"] ?? commitTime();
const tar = spawnSync(
  "tar",
  [
    "--sort=name",
    `--mtime=@${epoch}`,
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=u+rwX,go+rX,go-w",
    "--format=gnu",
    "-cf",
    "-",
    name,
  ],
  { cwd: join(root, "dist"), maxBuffer: 1 << 30 },
);
if (tar.status !== 0) throw new Error(`tar failed: ${tar.stderr.toString()}`);
const archive = gzipSync(tar.stdout, { level: 9 });
const target = join(root, "dist", `${name}.tar.gz`);
writeFileSync(target, archive);
const digest = createHash("sha256").update(archive).digest("hex");
writeFileSync(`${target}.sha256`, `${digest}  ${name}.tar.gz\n`);
console.log(`dist/${name}.tar.gz: ${(archive.length / 1e6).toFixed(1)} MB, sha256 ${digest}`);
if (archive.length > MOST_BYTES) throw new Error(`the tarball is over ${MOST_BYTES / 1e6} MB`);

function copy(from: string, to: string, filter: (file: string) => boolean = () => true): void {
  const target = join(staging, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(root, from), target, { recursive: statSync(join(root, from)).isDirectory(), filter });
}

function write(to: string, text: string, mode: number): void {
  const target = join(staging, to);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text, { mode });
}

/** The licence texts of what is in the bundle and beside it. */
function thirdPartyLicenses({ inputs }: Metafile): string {
  const packages = new Set(["node_modules/koffi", "node_modules/node"]);
  for (const input of Object.keys(inputs)) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (found !== undefined) packages.add(found);
  }
  return [...packages]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Record<
        string,
        string
      >;
      return `${"=".repeat(80)}\n${name} ${version} (${license})\n\n${licenseText(join(root, folder))}\n`;
    })
    .join("\n");
}

function licenseText(folder: string): string {
  for (const file of ["LICENSE", "LICENSE.md", "LICENSE.txt", "license", "LICENCE"]) {
    try {
      return readFileSync(join(folder, file), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return "(no licence file in the package)";
}

function check(program: string, args: readonly string[], cwd = staging): void {
  const { status, stderr } = spawnSync(join(staging, program), args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`the packed ${program} ${args.join(" ")} fails: ${stderr}`);
}

function commitTime(): string {
  const { status, stdout } = spawnSync("git", ["log", "-1", "--format=%ct"], { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : "0";
}
