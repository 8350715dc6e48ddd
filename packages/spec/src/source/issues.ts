import { isSecret } from "./secrets.ts";
import type * as z from "zod";
import type { Finding, Path } from "./document.ts";
import { suggest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** A finding and where it belongs. */
export interface Placed extends Finding {
  readonly path: Path;
  /** The key itself is at fault, not its value. */
  readonly key: boolean;
  /** The known key that an unknown one was meant to be. */
  readonly meant?: string;
}

/** Unknown keys of one map that are reported; a file with more has another fault. */
const MOST_KEYS = 20;

/** What zod found, in the words of somebody who writes the file. */
export function explain(issue: Issue, schema: Schema): Placed[] {
  const path = issue.path as Path;
  const at = (finding: Finding, key = false): Placed => ({ ...finding, path, key });
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.slice(0, MOST_KEYS).map((key) => unknownKey(key, path, schema));
    case "invalid_union":
      return explainUnion(issue, schema);
    case "invalid_type":
      return [issue.input === undefined ? missing(path) : at(wrongType(path, issue))];
    case "invalid_key":
      return issue.issues.slice(0, 1).map((inner) => at({ ...text(path, inner.message, "invalid-name") }, true));
    case "invalid_value": {
      if (issue.input === undefined) return [missing(path)];
      const allowed = issue.values.map(String);
      const near = typeof issue.input === "string" ? suggest(issue.input, allowed) : undefined;
      return [
        at({
          code: "invalid-value",
          message: `${name(path)} is ${show(issue.input, path)}, but must be ${list(allowed)}`,
          remedy: near === undefined ? `write ${list(allowed)}` : `write ${near}`,
        }),
      ];
    }
    case "too_small":
    case "too_big":
      return [at({ code: "out-of-range", message: `${name(path)} ${bound(issue)}`, remedy: "correct the value" })];
    case "invalid_format":
    case "not_multiple_of":
    case "invalid_element":
    case "custom":
      break;
  }
  return [at(text(path, issue.message, "invalid-value"))];
}

function text(path: Path, message: string, code: string): Finding {
  const [what = message, remedy] = message.split("; ");
  return { code, message: `${name(path)} ${what}`, remedy: remedy ?? "correct the value" };
}

function missing(path: Path): Placed {
  const key = String(path.at(-1));
  const owner = path.length > 1 ? ` in ${path.slice(0, -1).join(".")}` : "";
  return { code: "missing-key", message: `"${key}" is missing${owner}`, remedy: `add ${key}:`, path, key: true };
}

function unknownKey(key: string, path: Path, schema: Schema): Placed {
  const known = keysAt(schema, path);
  const near = suggest(key, known);
  return {
    code: "unknown-key",
    message: `unknown key "${key}"${path.length > 0 ? ` in ${path.join(".")}` : ""}`,
    remedy: near === undefined ? `remove it, or use ${list([...known].sort())}` : `did you mean ${near}?`,
    path: [...path, key],
    key: true,
    ...(near !== undefined && { meant: near }),
  };
}

function wrongType(path: Path, issue: Issue & { code: "invalid_type" }): Finding {
  const expected = TYPES[issue.expected] ?? issue.expected;
  return {
    code: "invalid-type",
    message: `${name(path)} must be ${expected}, but is ${show(issue.input, path)}`,
    remedy: `write ${expected}`,
  };
}

const TYPES: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a map (KEY: VALUE lines)",
  record: "a map (NAME: VALUE lines)",
  array: "a list (- VALUE lines)",
};

/** Of a union's branches, the one that came furthest is the one that was meant. */
function explainUnion(issue: Issue & { code: "invalid_union" }, schema: Schema): Placed[] {
  const path = issue.path as Path;
  if (issue.input === undefined) return [missing(path)];
  const typeFault = (i: Issue) => i.code === "invalid_type" && i.path.length === 0;
  const branches = issue.errors.filter((branch) => !branch.some(typeFault));
  const depth = (branch: readonly Issue[]) =>
    Math.min(...branch.map((i) => (i.code === "unrecognized_keys" ? 1 : 2 + i.path.length)));
  const meant = branches.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
  if (meant !== undefined)
    return meant.flatMap((inner) => explain({ ...inner, path: [...path, ...inner.path] }, schema));
  const kinds = new Set(
    issue.errors.flat().flatMap((i) => (i.code === "invalid_type" ? [TYPES[i.expected] ?? i.expected] : [])),
  );
  const expected = [...kinds].join(" or ");
  const message = expected === "" ? issue.message : `must be ${expected}, but is ${show(issue.input, path)}`;
  return [{ code: "invalid-type", message: `${name(path)} ${message}`, remedy: `write ${expected}`, path, key: false }];
}

function bound(issue: Issue & { code: "too_small" | "too_big" }): string {
  const limit = issue.code === "too_small" ? issue.minimum : issue.maximum;
  const side = issue.code === "too_small" ? "at least" : "at most";
  if (issue.origin === "string") return `must have ${side} ${limit} characters`;
  if (issue.origin === "array") return `must have ${side} ${limit} ${limit === 1 ? "entry" : "entries"}`;
  return `is ${show(issue.input)}, but must be ${side} ${limit}`;
}

function name(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return "the file";
  return typeof last === "number" ? `entry ${last + 1} of ${path.at(-2) ?? "the list"}` : `"${last}"`;
}

/** A value, short and in one line; nothing of a secret. */
function show(value: unknown, path: Path = []): string {
  if (value !== null && isSecret(String(path.at(-1)))) return "something else";
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" && !Number.isFinite(value)) return "no finite number";
  if (typeof value === "object") return "a map";
  const written = typeof value === "string" ? JSON.stringify(value) : `${value as number | boolean}`;
  return written.length > 60 ? `${written.slice(0, 57)}…` : written;
}

function list(words: readonly string[]): string {
  const shown = words.length > 12 ? [...words.slice(0, 12), "…"] : words;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
}

/** The keys that the schema knows at `path`. */
function keysAt(schema: Schema, path: Path): Set<string> {
  let here: Schema[] = branches(schema);
  for (const step of path) {
    here = here.flatMap((each) => {
      const def = each._zod.def as z.core.$ZodTypes["_zod"]["def"];
      if (def.type === "object") {
        const next = def.shape[String(step)];
        return next === undefined ? [] : branches(next);
      }
      if (def.type === "record") return branches(def.valueType);
      return def.type === "array" ? branches(def.element) : [];
    });
  }
  const known = here.flatMap((each) => {
    const def = each._zod.def as z.core.$ZodTypes["_zod"]["def"];
    return def.type === "object" ? Object.keys(def.shape) : [];
  });
  return new Set(known);
}

/** The schemas that a value may meet here, without their wrappers. */
function branches(schema: Schema): Schema[] {
  const def = schema._zod.def as z.core.$ZodTypes["_zod"]["def"];
  if ("innerType" in def) return branches(def.innerType);
  if (def.type === "pipe") return branches(def.in);
  if (def.type === "union") return def.options.flatMap(branches);
  return def.type === "lazy" ? branches(def.getter()) : [schema];
}
