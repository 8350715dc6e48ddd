import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { type Diagnostic, type Location, SpecError, wholeFile } from "./diagnostic.ts";
import { type Finding, LIMITS, type Path, SourceDocument } from "./document.ts";

/** How files are read; tests give their own. Both throw when there is nothing at `path`. */
export interface FileReader {
  read(path: string): string;
  /** The names in a folder. */
  list(path: string): readonly string[];
}

const MOST_FILES = 200;
const MOST_BYTES = 8 * 1024 * 1024;

/** A YAML file together with those it includes: one value, and the place of each part in its own file. */
export class Composite {
  readonly diagnostics: Diagnostic[] = [];
  readonly #documents: SourceDocument[] = [];
  readonly #reader: FileReader;
  #bytes = 0;
  #value: unknown;

  /** @throws SpecError when `path` itself cannot be read */
  constructor(path: string, reader: FileReader = DISK) {
    this.#reader = reader;
    let text: string;
    try {
      text = reader.read(path);
    } catch (error) {
      throw new SpecError([unreadable(path, error)]);
    }
    this.#add(normalize(path), text, []);
  }

  get value(): unknown {
    return this.#value;
  }

  get files(): readonly string[] {
    return this.#documents.map(({ file }) => file);
  }

  /** The place of the value at `path`, in the file that has the most of it. */
  locate(path: Path, key?: boolean): Location {
    const [first] = this.#documents;
    if (first === undefined) return wholeFile("");
    let best = first;
    let depth = -1;
    for (const document of this.#documents) {
      const here = document.depthOf(path);
      if (here > depth) [best, depth] = [document, here];
    }
    return best.locate(path, key);
  }

  #add(path: string, text: string, parents: readonly string[]): void {
    const document = new SourceDocument(path, text);
    this.#documents.push(document);
    this.#bytes += text.length;
    this.diagnostics.push(...document.diagnostics);
    if (document.diagnostics.length > 0) return;
    const { value } = document;
    if (this.#documents.length === 1) this.#value = value;
    else if (isMap(this.#value) && isMap(value)) this.#value = this.#merge(this.#value, value, document, []);
    else
      this.#report(document, [], {
        code: "include-shape",
        message: "an included file must be a map of sections",
        remedy: "write sections, as in the main file",
      });
    if (!isMap(value) || !Array.isArray(value["include"])) return;
    for (const [index, pattern] of value["include"].entries())
      if (typeof pattern === "string") this.#include(document, ["include", index], pattern, [...parents, path]);
  }

  #include(from: SourceDocument, at: Path, pattern: string, parents: readonly string[]): void {
    for (const path of this.#expand(from, at, pattern)) {
      if (parents.includes(path)) {
        this.#report(from, at, {
          code: "include-cycle",
          message: `${pattern} includes itself: ${[...parents, path].map((each) => basename(each)).join(" → ")}`,
          remedy: "remove one of the includes",
        });
        continue;
      }
      if (this.files.includes(path)) continue;
      if (this.#documents.length >= MOST_FILES || this.#bytes > MOST_BYTES) {
        this.#report(from, at, {
          code: "include-limit",
          message: `more than ${MOST_FILES} files or ${MOST_BYTES / 1024 / 1024} MiB are included`,
          remedy: "include less",
        });
        return;
      }
      try {
        this.#add(path, this.#reader.read(path), parents);
      } catch (error) {
        this.#report(from, at, {
          code: "include-missing",
          message: `${pattern} ${reason(error)}`,
          remedy: `correct the path; it is relative to ${basename(from.file)}`,
        });
      }
    }
  }

  /** The files that a pattern means; `*` stands for any part of a file's name. */
  #expand(from: SourceDocument, at: Path, pattern: string): string[] {
    const path = normalize(join(dirname(from.file), pattern));
    if (!pattern.includes("*")) return [path];
    const [before = "", after = ""] = basename(path).split("*");
    try {
      const found = this.#reader
        .list(dirname(path))
        .filter(
          (name) => name.startsWith(before) && name.endsWith(after) && name.length >= before.length + after.length,
        );
      if (found.length > 0) return found.sort().map((name) => join(dirname(path), name));
    } catch (error) {
      if (!isNodeError(error)) throw error;
    }
    this.#report(from, at, {
      code: "include-missing",
      message: `${pattern} matches no file`,
      remedy: "correct the pattern, or remove it",
    });
    return [];
  }

  #merge(
    into: Record<string, unknown>,
    from: Record<string, unknown>,
    document: SourceDocument,
    path: Path,
  ): Record<string, unknown> {
    const result = { ...into };
    for (const [key, value] of Object.entries(from)) {
      const here = [...path, key];
      const existing = result[key];
      if (path.length === 0 && key === "include") continue;
      if (existing === undefined) result[key] = value;
      else if (isMap(existing) && isMap(value)) result[key] = this.#merge(existing, value, document, here);
      else if (existing !== value || path.length > 0) {
        const { file, line } = this.locate(here);
        this.#report(
          document,
          here,
          {
            code: "duplicate-key",
            message: `"${here.join(".")}" is already given in ${basename(file)} line ${line}`,
            remedy: "keep one of the two",
          },
          true,
        );
      }
    }
    return result;
  }

  #report(document: SourceDocument, path: Path, finding: Finding, key = false): void {
    this.diagnostics.push({ severity: "error", ...finding, ...document.locate(path, key) });
  }
}

/** Something else than a file stands where a file is named; `code` as Node's own errors have it. */
class NotAFileError extends Error {
  override readonly name = "NotAFileError";
  readonly code: string;

  constructor(path: string, code: string) {
    super(`${path} is no file`);
    this.code = code;
  }
}

const DISK: FileReader = {
  read: (path) => {
    const stat = statSync(path);
    // A pipe or a device may never end.
    if (!stat.isFile()) throw new NotAFileError(path, stat.isDirectory() ? "EISDIR" : "ENOTFILE");
    // What is too large is not read; one octet more than the limit is enough to be told so.
    return stat.size > LIMITS.bytes ? "#".repeat(LIMITS.bytes + 1) : readFileSync(path, "utf8");
  },
  list: (path) => readdirSync(path),
};

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error;
}

function reason(error: unknown): string {
  if (!isNodeError(error)) throw error;
  if (error.code === "ENOENT") return "does not exist";
  if (error.code === "ENOTFILE") return "is no regular file";
  return error.code === "EISDIR" ? "is a folder" : `cannot be read (${error.code})`;
}

function unreadable(path: string, error: unknown): Diagnostic {
  return {
    code: "file-unreadable",
    severity: "error",
    message: `the file ${reason(error)}`,
    remedy: "name the cluster's file",
    ...wholeFile(path),
  };
}
