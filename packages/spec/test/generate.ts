import * as z from "zod";
import { FINDINGS } from "@trivet/audit";
import { DIAGNOSTICS } from "@trivet/spec";
import { clusterSchema } from "../src/schema/cluster.ts";

interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | false;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  $ref?: string;
  $defs?: Record<string, Schema>;
}

/** The JSON Schema of cluster.yaml, for editors. */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(clusterSchema, { io: "input" });
  // Included files have the same sections, so what the whole must have no single file must.
  return `${JSON.stringify({ ...schema, required: undefined }, undefined, 2)}\n`;
}

/** The reference of cluster.yaml: every key, in the order of the file. */
export function reference(): string {
  const schema = z.toJSONSchema(clusterSchema, { io: "input" }) as Schema;
  const lines = [
    "# cluster.yaml",
    "",
    "<!-- Generated from packages/spec/src/schema; `npx vitest run packages/spec -u` writes it anew. -->",
    "",
    "Names in capitals stand for names of your own. A star marks keys that must be there; in hardware they may come from the server's model.",
    "The first line `# yaml-language-server: $schema=…/schema/cluster.schema.json` gives completion and checks in editors.",
    "",
  ];
  for (const [key, section] of Object.entries(schema.properties ?? {})) {
    lines.push(
      `## ${key}${schema.required?.includes(key) === true ? " *" : ""}`,
      "",
      ...(section.description === undefined ? [] : [section.description, ""]),
    );
    const rows = describe(resolve(section, schema), schema, "");
    if (rows.length === 0) lines.push(kind(resolve(section, schema), schema), "");
    else lines.push("| key | value | |", "|---|---|---|", ...rows, "");
  }
  lines.push("## Diagnostics", "", "| code | meaning |", "|---|---|");
  for (const [code, meaning] of Object.entries(DIAGNOSTICS)) lines.push(`| \`${code}\` | ${meaning} |`);
  lines.push("", "## Findings", "", "What is allowed, works, and will hurt.", "", "| code | why |", "|---|---|");
  for (const [code, why] of Object.entries(FINDINGS)) lines.push(`| \`${code}\` | ${why} |`);
  return `${lines.join("\n")}\n`;
}

function resolve(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined
    ? schema
    : { ...root.$defs?.[name], ...(schema.description === undefined ? {} : { description: schema.description }) };
}

function describe(schema: Schema, root: Schema, prefix: string): string[] {
  const alternatives = (schema.oneOf ?? schema.anyOf)?.map((each) => resolve(each, root)) ?? [];
  const objects = alternatives.filter((each) => each.properties !== undefined);
  if (objects.length > 0) {
    const seen = new Set<string>();
    return objects.flatMap((each) => describe(each, root, prefix)).filter((row) => !seen.has(row) && seen.add(row));
  }
  if (schema.items !== undefined)
    return describe(resolve(schema.items, root), root, prefix === "" ? "- " : `${prefix.replace(/\.$/, "")}[].`);
  if (typeof schema.additionalProperties === "object")
    return describe(resolve(schema.additionalProperties, root), root, `${prefix}NAME.`);
  return Object.entries(schema.properties ?? {}).flatMap(([key, written]) => {
    const value = resolve(written, root);
    const deeper = describe(value, root, `${prefix}${key}.`);
    const star = schema.required?.includes(key) === true && value.default === undefined ? " *" : "";
    const fallback =
      value.default === undefined || typeof value.default === "object" ? "" : ` Default ${shown(value.default)}.`;
    const text = `${value.description ?? ""}${fallback}`.trim().replaceAll("|", "\\|");
    return [`| \`${prefix}${key}\`${star} | ${deeper.length > 0 ? "" : kind(value, root)} | ${text} |`].concat(deeper);
  });
}

function kind(schema: Schema, root: Schema): string {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined)
    return [...new Set(alternatives.map((each) => kind(resolve(each, root), root)))].join(" or ");
  if (schema.const !== undefined) return `\`${shown(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((each) => `\`${shown(each)}\``).join(", ");
  if (schema.type === "array") return `list of ${kind(resolve(schema.items ?? {}, root), root)}`;
  if (schema.type === "object") return "map";
  if (schema.examples?.[0] !== undefined) return `like \`${shown(schema.examples[0])}\``;
  if (schema.type === "integer" || schema.type === "number")
    return schema.maximum !== undefined && schema.maximum < 1e15
      ? `number, ${schema.minimum ?? 0} to ${schema.maximum}`
      : "number";
  return schema.type === "boolean" ? "true or false" : "text";
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
