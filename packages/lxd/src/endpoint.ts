import { existsSync } from "node:fs";

/** The local daemon's unix socket. */
export interface SocketEndpoint {
  readonly socketPath: string;
}

/** A daemon's HTTPS address, to which the client shows a certificate. All in PEM. */
export interface RemoteEndpoint {
  /** `https://host:8443`. */
  readonly url: string;
  readonly cert: string;
  readonly key: string;
  /** The only certificate the server is believed with, self-signed or not; `fetchServerCertificate` gets it. */
  readonly serverCert: string;
}

export type Endpoint = SocketEndpoint | RemoteEndpoint;

/**
 * Where the local daemon's socket may be, in the order LXD's and Incus' own clients and then their packages have it: the socket
 * variables, the folder variables, then the usual places.
 *
 * @param env the environment with LXD_SOCKET, LXD_DIR, INCUS_SOCKET, INCUS_DIR
 */
export function socketCandidates(env: Readonly<Record<string, string | undefined>> = process.env): string[] {
  const told = [
    env["LXD_SOCKET"],
    folderSocket(env["LXD_DIR"]),
    env["INCUS_SOCKET"],
    folderSocket(env["INCUS_DIR"]),
  ].filter((path) => path !== undefined && path !== "") as string[];
  // A variable is an order: with one set, no other daemon is looked for.
  if (told.length > 0) return told;
  return [
    "/var/snap/lxd/common/lxd/unix.socket",
    "/var/lib/lxd/unix.socket",
    "/run/incus/unix.socket",
    "/var/lib/incus/unix.socket",
  ];
}

/**
 * The local daemon's socket: the first of {@link socketCandidates} that exists.
 *
 * @returns `undefined` when there is none
 */
export function findSocket(
  env: Readonly<Record<string, string | undefined>> = process.env,
  exists: (path: string) => boolean = existsSync,
): string | undefined {
  return socketCandidates(env).find(exists);
}

function folderSocket(folder: string | undefined): string | undefined {
  return folder === undefined || folder === "" ? undefined : `${folder}/unix.socket`;
}
