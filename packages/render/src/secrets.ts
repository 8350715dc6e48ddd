import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Cluster, SecretRef } from "@trivet/spec";

/** A secret that a file refers to cannot be had. The message never holds any of it. */
export class SecretError extends Error {
  override readonly name = "SecretError";
  readonly fault = "input";
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Makes the function that fetches the cluster's secrets: from the environment, or from files relative to `folder`. Files encrypted
 * with age are decrypted here, with the identities in the file that TRIVET_AGE_IDENTITY names.
 *
 * @throws SecretError, as the function does
 */
export async function openSecrets(cluster: Cluster, folder: string, env: Env): Promise<(ref: SecretRef) => string> {
  const decrypted = new Map<string, string>();
  for (const ref of references(cluster)) if ("age" in ref) decrypted.set(ref.age, await decrypt(ref.age, folder, env));
  return (ref) => {
    if ("env" in ref)
      return one(env[ref.env], `the environment variable ${ref.env} is not set; set it, or name a file`);
    if ("age" in ref) return one(decrypted.get(ref.age), `the secret in ${ref.age} is empty; encrypt it again`);
    return one(
      read(resolve(folder, ref.file)).toString(),
      `the secret's file ${ref.file} is empty; write the secret into it`,
    );
  };
}

function references({ routing, lxd }: Cluster): SecretRef[] {
  const all = [
    lxd.trustPassword,
    routing?.agents.password,
    ...(routing?.upstreams.map(({ password }) => password) ?? []),
  ];
  return all.filter((ref) => ref !== undefined);
}

async function decrypt(path: string, folder: string, env: Env): Promise<string> {
  const identities = env["TRIVET_AGE_IDENTITY"];
  if (identities === undefined)
    throw new SecretError(`${path} is encrypted with age; name the file of your identity in TRIVET_AGE_IDENTITY`);
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  const keys =
    read(identities)
      .toString()
      .match(/^AGE-SECRET-KEY-\S+$/gm) ?? [];
  if (keys.length === 0) throw new SecretError(`${identities} holds no age identity; name a file that age-keygen made`);
  for (const key of keys) decrypter.addIdentity(key);
  const encrypted = read(resolve(folder, path));
  try {
    return await decrypter.decrypt(encrypted, "text");
  } catch (error) {
    throw new SecretError(
      `${path} cannot be decrypted with the identities in ${identities} (${(error as Error).message}); encrypt it for one of them`,
    );
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
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
