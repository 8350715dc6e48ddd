import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { SecretRef } from "@trivet/spec";

/** A secret that a file refers to cannot be had. The message never holds any of it. */
export class SecretError extends Error {
  override readonly name = "SecretError";
  readonly fault = "input";
}

/** Fetches secrets: from the environment, from files relative to `folder`, or from files encrypted with age that were decrypted by `prepareAge`. */
export function secretReader(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  decrypted: ReadonlyMap<string, string> = new Map(),
) {
  return (ref: SecretRef): string => {
    if ("env" in ref)
      return one(env[ref.env], `the environment variable ${ref.env} is not set; set it, or name a file instead`);
    if ("age" in ref)
      return one(
        decrypted.get(ref.age),
        `${ref.age} could not be decrypted; name the identity's file in TRIVET_AGE_IDENTITY`,
      );
    return one(read(resolve(folder, ref.file)), `the secret's file ${ref.file} is empty; write the secret into it`);
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new SecretError(
      `the secret's file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}); create it, readable by you alone`,
    );
  }
}

/** A secret is one line; anything else would break out of the line of the configuration that it is put in. */
function one(value: string | undefined, otherwise: string): string {
  const secret = value?.replace(/\r?\n$/, "");
  if (secret === undefined || secret === "") throw new SecretError(otherwise);
  if (/[\s"'\\]/.test(secret))
    throw new SecretError(
      "a secret has blanks, quotes or backslashes, which not every configuration can hold; use letters and digits",
    );
  return secret;
}
