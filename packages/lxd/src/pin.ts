import { X509Certificate } from "node:crypto";
import type { RemoteEndpoint } from "./endpoint.ts";

/** The server's certificate is not the pinned one. */
export class PinMismatch extends Error {
  override readonly name = "PinMismatch";
}

/** SHA-256 of a certificate (PEM or DER), lower-case hexadecimal, as LXD writes fingerprints. */
export function fingerprint(pem: string | Buffer): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}

export function toPem(der: Buffer): string {
  return new X509Certificate(der).toString();
}

/**
 * TLS options that believe exactly one certificate. It is the only trust anchor, and as LXD's certificates name hosts at the moment
 * they were made, the name is not compared but the certificate itself.
 */
export function pinned({ cert, key, serverCert }: RemoteEndpoint): PinnedOptions {
  const expected = fingerprint(serverCert);
  return {
    cert,
    key,
    ca: serverCert,
    allowPartialTrustChain: true,
    checkServerIdentity: (_, shown) => {
      const got = fingerprint(shown.raw);
      return got === expected ? undefined : new PinMismatch(`its certificate ${got} is not the pinned ${expected}`);
    },
  };
}

interface PinnedOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly allowPartialTrustChain: boolean;
  readonly checkServerIdentity: (host: string, shown: { readonly raw: Buffer }) => Error | undefined;
}
