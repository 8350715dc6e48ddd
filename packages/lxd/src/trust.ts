import { connect } from "node:tls";
import { Api } from "./api.ts";
import { CALL_TIMEOUT, type Limits } from "./connection.ts";
import type { RemoteEndpoint } from "./endpoint.ts";
import { AnswerError, DeadlineError, LxdError, UnreachableError, UntrustedServerError } from "./errors.ts";
import { fingerprint, toPem } from "./pin.ts";
import type { TokenContent } from "./types/cluster.ts";
import type { OperationState } from "./types/operation.ts";
import type { Server } from "./types/server.ts";

/** The client's own certificate and key, PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/**
 * Asks a server for its certificate without believing it: compare its `fingerprint` with one from another source, or trust it on
 * first use knowingly.
 *
 * @param url `https://host:8443`
 * @returns PEM
 * @throws UnreachableError, DeadlineError
 */
export async function fetchServerCertificate(
  url: string,
  { timeout = CALL_TIMEOUT, signal }: Limits = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  const site = { server: url, call: "TLS handshake" };
  return await new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port === "" ? "443" : port),
      // Nothing is sent to it: only its certificate is looked at.
      rejectUnauthorized: false,
      ...(signal === undefined ? {} : { signal }),
    });
    const timer = setTimeout(() => socket.destroy(new DeadlineError(site, timeout)), timeout);
    socket.once("secureConnect", () => {
      resolve(toPem(socket.getPeerCertificate().raw));
      socket.destroy();
    });
    socket.once("error", (error) => {
      if (signal?.aborted === true) reject(signal.reason as Error);
      else reject(error instanceof LxdError ? error : new UnreachableError({ ...site, cause: error }, error.message));
    });
    socket.once("close", () => clearTimeout(timer));
  });
}

/**
 * Makes a server trust this client: with LXD 5.0's trust password, or with a token (`lxc config trust add`, `incus config trust add`).
 *
 * @param secret the password or the token, as printed
 * @param name what the server calls the certificate
 * @throws ForbiddenError when the secret is wrong or spent
 */
export async function addTrust(
  endpoint: RemoteEndpoint,
  secret: string,
  { name = "trivet", ...limits }: Limits & { readonly name?: string } = {},
): Promise<void> {
  await using api = new Api(endpoint);
  const { auth, api_extensions } = await api.get<Server>("/1.0", limits);
  if (auth === "trusted") return;
  // LXD 5.0 knows only the password's field, for tokens too; Incus only the token's. Each ignores the other's.
  const field = api_extensions.includes("explicit_trust_token") ? {} : { password: secret };
  const operation = await api.post(
    "/1.0/certificates",
    { type: "client", name, trust_token: secret, ...field },
    limits,
  );
  await operation.wait(limits);
}

/**
 * Joins by token alone: finds an address of the token's that answers with the token's certificate, and makes it trust this client.
 *
 * @throws UntrustedServerError when only servers with other certificates answer; UnreachableError when none does
 */
export async function joinByToken(
  token: string,
  identity: Identity,
  options: Limits & { readonly name?: string } = {},
): Promise<RemoteEndpoint> {
  const { addresses, fingerprint: expected } = decodeToken(token);
  let failure: LxdError = new UnreachableError(
    { server: "token", call: "join" },
    "it names no address",
    "make a new token",
  );
  for (const address of addresses) {
    const url = `https://${address}`;
    try {
      const serverCert = await fetchServerCertificate(url, options);
      const got = fingerprint(serverCert);
      if (got !== expected) {
        const site = { server: url, call: "join" };
        throw new UntrustedServerError(site, `its certificate ${got} is not the token's ${expected}`);
      }
      const endpoint = { url, ...identity, serverCert };
      await addTrust(endpoint, token, options);
      return endpoint;
    } catch (error) {
      if (!(error instanceof UnreachableError || error instanceof UntrustedServerError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/**
 * What a token says.
 *
 * @throws AnswerError when it is none
 */
export function decodeToken(token: string): TokenContent {
  try {
    const { client_name, server_name, fingerprint, addresses, secret, expires_at } = JSON.parse(
      Buffer.from(token, "base64").toString("utf8"),
    ) as EncodedToken;
    if (typeof fingerprint === "string" && Array.isArray(addresses) && typeof secret === "string") {
      const name = client_name ?? server_name ?? "";
      return { name, fingerprint, addresses, secret, ...(expires_at === undefined ? {} : { expiresAt: expires_at }) };
    }
  } catch (cause) {
    throw new AnswerError({ server: "token", call: "decode", cause }, "it is not base64 of JSON");
  }
  throw new AnswerError({ server: "token", call: "decode" }, "it lacks a fingerprint, addresses or a secret");
}

/** The token for people, from the operation that holds its parts. */
export function encodeToken({ metadata }: Pick<OperationState, "metadata">): string {
  const { request, serverName, fingerprint, addresses, secret, expiresAt } = metadata as unknown as TokenOperation;
  const name = serverName === undefined ? { client_name: request?.name } : { server_name: serverName };
  const parts = {
    ...name,
    fingerprint,
    addresses,
    secret,
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
  };
  return Buffer.from(JSON.stringify(parts)).toString("base64");
}

interface TokenOperation {
  readonly request?: { readonly name: string };
  readonly serverName?: string;
  readonly fingerprint: string;
  readonly addresses: readonly string[];
  readonly secret: string;
  readonly expiresAt?: string;
}

interface EncodedToken {
  readonly client_name?: string;
  readonly server_name?: string;
  readonly fingerprint: unknown;
  readonly addresses: readonly string[];
  readonly secret: unknown;
  readonly expires_at?: string;
}
