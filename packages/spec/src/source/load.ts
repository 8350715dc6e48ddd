import type * as z from "zod";
import { type Diagnostic, type Location, compareDiagnostics } from "./diagnostic.ts";
import { type Path, SourceDocument } from "./document.ts";
import { explain } from "./issues.ts";

/** A validated value, with the place of each of its parts. */
export interface Loaded<T> {
  readonly ok: true;
  readonly value: T;
  /** The place of the value at `path`, or of its key with `key`, or of the nearest thing around it. */
  locate(path: Path, key?: boolean): Location;
}

/** Everything that is wrong with an input. */
export interface Rejected {
  readonly ok: false;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads YAML text and checks it against a schema. `path` names the file in diagnostics; no file is read.
 *
 * Never throws for any text: large, deep or alias-laden input is refused within a moment.
 */
export function loadYaml<S extends z.ZodType>(input: {
  path: string;
  text: string;
  schema: S;
}): Loaded<z.output<S>> | Rejected {
  const source = new SourceDocument(input.path, input.text);
  if (source.diagnostics.length > 0) return { ok: false, diagnostics: source.diagnostics };
  const locate = (path: Path, key?: boolean) => source.locate(path, key);
  const result = validate(source.value, input.schema, locate);
  return result.ok ? { ...result, locate } : result;
}

/** Checks a value against a schema; `locate` knows where each of its parts was written. */
export function validate<S extends z.ZodType>(
  value: unknown,
  schema: S,
  locate: (path: Path, key?: boolean) => Location,
): { ok: true; value: z.output<S> } | Rejected {
  const result = schema.safeParse(value, { reportInput: true, jitless: true });
  if (result.success) return { ok: true, value: result.data };
  const placed = result.error.issues.slice(0, MOST_ISSUES).flatMap((issue) => explain(issue, schema));
  const meant = new Set(placed.flatMap((each) => (each.meant === undefined ? [] : [keyOf(each.path, each.meant)])));
  const diagnostics: Diagnostic[] = [];
  for (const { path, key, meant: _, ...finding } of placed) {
    // A key that is missing because it is misspelled is said once.
    if (finding.code === "missing-key" && meant.has(keyOf(path, path.at(-1) ?? ""))) continue;
    diagnostics.push({ severity: "error", ...finding, ...locate(path, key) });
  }
  return { ok: false, diagnostics: diagnostics.sort(compareDiagnostics) };
}

const MOST_ISSUES = 200;

function keyOf(path: Path, last: string | number): string {
  return [...path.slice(0, -1), last].join("\0");
}
