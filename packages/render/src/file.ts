import type { SecretRef } from "@trivet/spec";
import { type Yaml, toYaml } from "./yaml.ts";

/** One configuration file, ready to be written. */
export interface RenderedFile {
  /** Below the output folder, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** What rendering needs beside the cluster. */
export interface RenderOptions {
  /** The name of the file that the cluster was read from, for the headers. */
  readonly source: string;
  /** Fetches a secret. */
  secret(ref: SecretRef): string;
}

/** The lines that each file begins with. */
export function header(options: RenderOptions, about: string, comment = "#"): string {
  return `${comment} ${about}\n${comment} Rendered by trivet from ${options.source}: change that and render again.\n`;
}

export function yamlFile(
  path: string,
  options: RenderOptions,
  about: string,
  value: unknown,
  mode = 0o644,
): RenderedFile {
  // Addresses and the like become their text.
  const plain = JSON.parse(JSON.stringify(value)) as Yaml;
  return { path, mode, text: `${header(options, about)}${toYaml(plain)}` };
}

/** A shell script that stops at the first command that fails. */
export function scriptFile(
  path: string,
  options: RenderOptions,
  about: string,
  lines: readonly string[],
): RenderedFile {
  return { path, mode: 0o755, text: `#!/bin/sh\n${header(options, about)}set -eu\n\n${lines.join("\n")}\n` };
}

export function textFile(
  path: string,
  options: RenderOptions,
  about: string,
  lines: readonly string[],
  mode = 0o644,
  comment = "#",
): RenderedFile {
  return { path, mode, text: `${header(options, about, comment)}\n${lines.join("\n")}\n` };
}

/** A word as the shell takes it literally. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** An address as it stands in a URL or before a port. */
export function bracketed(address: { readonly family: 4 | 6; toString(): string }): string {
  return address.family === 6 ? `[${address.toString()}]` : address.toString();
}
