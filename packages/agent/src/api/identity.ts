import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { X509Certificate } from "node:crypto";
import type { AgentConfig } from "../config/schema.ts";

/** The certificate that a cluster's servers share, and its key: what agents show each other. */
export interface ClusterIdentity {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
}

/**
 * The identity from the configured files, else from the folder of the daemon with this socket.
 *
 * @returns why there is none, as the end of a sentence
 */
export function readIdentity(tls: AgentConfig["api"]["tls"], lxdSocket: string): ClusterIdentity | string {
  const folder = lxdSocket.startsWith("/run/incus/") ? "/var/lib/incus" : dirname(lxdSocket);
  const name = existsSync(join(folder, "cluster.crt")) ? "cluster" : "server";
  const certificatePath = tls.certificate ?? join(folder, `${name}.crt`);
  const keyPath = tls.key ?? join(folder, `${name}.key`);
  try {
    const certificate = readFileSync(certificatePath, "utf8");
    const fingerprint = sha256(new X509Certificate(certificate).raw);
    return { certificate, key: readFileSync(keyPath, "utf8"), fingerprint };
  } catch (error) {
    return `${certificatePath} and its key cannot be read: ${(error as Error).message}`;
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
