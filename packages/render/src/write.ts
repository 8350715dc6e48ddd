import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { RenderedFile } from "./file.ts";

// Not imported, as in spec/plan.ts.
const { createHash } = process.getBuiltinModule("node:crypto");

const MANIFEST = ".trivet-rendered.json";

/** The output folder holds what must not be lost. */
export class OutputError extends Error {
  override readonly name = "OutputError";
  readonly fault = "input";
}

export interface WriteReport {
  readonly written: readonly string[];
  readonly unchanged: readonly string[];
  /** Rendered last time, not any more. */
  readonly removed: readonly string[];
}

/**
 * Writes the files below `out`, all or none: a new tree is made beside it and takes its place. Files there that trivet did not write
 * stay; one that is in the way, or was changed since trivet wrote it, is an error unless `force`.
 *
 * @throws OutputError
 */
export function writeTree(
  files: readonly RenderedFile[],
  out: string,
  { force = false }: { force?: boolean } = {},
): WriteReport {
  const target = existsSync(out) ? realpathSync(out) : resolve(out);
  if (!existsSync(target) && lstatSync(target, { throwIfNoEntry: false }) !== undefined)
    throw new OutputError(`${out} is a link to nothing; make the folder it points to, or remove it`);
  const before = readManifest(target);
  const paths = new Set(files.map(({ path }) => path));
  const inWay = existing(target).filter(
    (path) => (paths.has(path) || path in before) && hashOf(join(target, path)) !== before[path],
  );
  const [first, ...others] = inWay;
  if (!force && first !== undefined) {
    const what = first in before ? "was changed since trivet wrote it" : "was not written by trivet";
    const more = others.length > 0 ? ` (and ${others.length} more)` : "";
    throw new OutputError(
      `${join(out, first)} ${what}${more}; move it away, choose another folder, or give --force to overwrite it`,
    );
  }
  mkdirSync(dirname(target), { recursive: true });
  const fresh = mkdtempSync(join(dirname(target), `.${basename(target)}.trivet-`));
  try {
    const manifest: Record<string, string> = {};
    for (const folder of new Set(files.map(({ path }) => dirname(path))))
      mkdirSync(join(fresh, folder), { recursive: true });
    for (const { path, text, mode } of files) {
      writeFileSync(join(fresh, path), text, { mode, flag: "wx" });
      manifest[path] = hash(text);
    }
    for (const path of existing(target))
      if (!paths.has(path) && !(path in before)) keep(join(target, path), join(fresh, path));
    writeFileSync(
      join(fresh, MANIFEST),
      `${JSON.stringify({ note: "Written by trivet render: what it rendered here, to tell its own files from others.", files: manifest }, undefined, 2)}\n`,
    );
    swap(fresh, target);
    const written = files.filter(({ path }) => before[path] !== manifest[path]).map(({ path }) => path);
    return {
      written,
      unchanged: files.map(({ path }) => path).filter((path) => !written.includes(path)),
      removed: Object.keys(before).filter((path) => !paths.has(path)),
    };
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
}

/** Puts the new tree in the old one's place; whatever fails, one of the two is there. */
function swap(fresh: string, target: string): void {
  if (!existsSync(target)) {
    renameSync(fresh, target);
    return;
  }
  const old = `${fresh}.old`;
  renameSync(target, old);
  try {
    renameSync(fresh, target);
  } catch (error) {
    renameSync(old, target);
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

function keep(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const link = readLink(from);
  if (link === undefined) linkSync(from, to);
  else symlinkSync(link, to);
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EINVAL") return undefined;
    throw error;
  }
}

function existing(target: string): string[] {
  if (!existsSync(target)) return [];
  if (!statSync(target).isDirectory()) throw new OutputError(`${target} is no folder; choose another`);
  return readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(target.length + 1))
    .filter((path) => path !== MANIFEST);
}

function readManifest(target: string): Record<string, string> {
  const path = join(target, MANIFEST);
  if (!existsSync(path)) return {};
  try {
    const { files } = JSON.parse(readFileSync(path, "utf8")) as { files?: Record<string, string> };
    return files ?? {};
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new OutputError(`${path} is damaged; remove it, and give --force to overwrite the files beside it`);
    throw error;
  }
}

function hashOf(path: string): string | undefined {
  return readLink(path) === undefined ? hash(readFileSync(path)) : undefined;
}

function hash(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
