import { endianness } from "node:os";
import { type Family, Prefix, type ScopedAddress } from "@trivet/ip";
import { SocketError } from "./error.ts";
import { check, libc } from "./libc.ts";
import { bindSocket, ipLevel, openSocket, setHopLimit, setOption, setReuse } from "./options.ts";
import { socketAddress } from "./sockaddr.ts";

const IPPROTO_TCP = 6;
const TCP_MD5SIG = 14;
const TCP_MD5SIG_EXT = 32;
const TCP_MD5SIG_FLAG_PREFIX = 1;
/** RFC 2385 gives no limit; this is the kernel's, TCP_MD5SIG_MAXKEYLEN. */
export const MD5_KEY_LENGTH = 80;
const MIN_HOP_LIMIT = { 4: 21 /* IP_MINTTL */, 6: 73 /* IPV6_MINHOPCOUNT */ } as const;
const LITTLE_ENDIAN = endianness() === "LE";

export interface TcpOptions {
  /** The peers whose segments must be signed (RFC 2385), and the key of each. */
  readonly md5?: readonly Md5Key[];
  /** TTL or hop limit of what is sent. */
  readonly hopLimit?: number;
  /** Drops, in the kernel, segments with a lower TTL or hop limit (RFC 5082 GTSM). */
  readonly minHopLimit?: number;
}

export interface Md5Key {
  /** One peer, or a prefix of peers. The zone of a link-local one counts for nothing: the kernel knows keys by address alone. */
  readonly peer: ScopedAddress | Prefix;
  /** At most {@link MD5_KEY_LENGTH} octets in UTF-8; empty removes the key. */
  readonly key: string;
}

/**
 * Makes a TCP socket to connect with; give its descriptor to `new net.Socket({ fd })` and call `connect` on that.
 *
 * @throws SocketError
 */
export function tcpSocket(family: Family, options: TcpOptions, local?: ScopedAddress): number {
  return openSocket(family, "stream", (fd) => {
    setTcpOptions(fd, family, options);
    if (local === undefined) return;
    setReuse(fd, true);
    bindSocket(fd, local, 0);
  });
}

/**
 * Makes a listening TCP socket; give its descriptor to `net.Server.listen({ fd })`, which then owns it. Keys can be changed later
 * with {@link setMd5Key}.
 *
 * @throws SocketError
 */
export function listenTcp(local: ScopedAddress, port: number, options: TcpOptions): number {
  return openSocket(local.address.family, "stream", (fd) => {
    setTcpOptions(fd, local.address.family, options);
    setReuse(fd, true);
    bindSocket(fd, local, port);
    check("listen", libc().listen(fd, 128));
  });
}

/** Sets the options on a socket of ours, connected or listening. */
export function setTcpOptions(fd: number, family: Family, { md5 = [], hopLimit, minHopLimit }: TcpOptions): void {
  for (const key of md5) setMd5Key(fd, key);
  if (hopLimit !== undefined) setHopLimit(fd, family, hopLimit);
  if (minHopLimit !== undefined) setOption(fd, ipLevel(family), MIN_HOP_LIMIT[family], minHopLimit);
}

/**
 * Adds, replaces or (with an empty key) removes the key for a peer, also while the socket listens or is connected.
 *
 * @throws SocketError `ENAMETOOLONG` for a key that is too long, `ENOENT` when there is none to remove
 */
export function setMd5Key(fd: number, { peer, key }: Md5Key): void {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length > MD5_KEY_LENGTH)
    throw new SocketError(
      "setsockopt",
      "ENAMETOOLONG",
      `a TCP-MD5 key has at most ${MD5_KEY_LENGTH} octets, this one ${bytes.length}`,
    );
  // struct tcp_md5sig: sockaddr_storage, flags, prefix length, key length, interface index, key. The index is for VRFs' interfaces only.
  const signature = new Uint8Array(216);
  const view = new DataView(signature.buffer);
  signature.set(socketAddress({ address: peer.address, zone: undefined }, 0));
  const isPrefix = peer instanceof Prefix;
  if (isPrefix) {
    signature[128] = TCP_MD5SIG_FLAG_PREFIX;
    signature[129] = peer.length;
  }
  view.setUint16(130, bytes.length, LITTLE_ENDIAN);
  signature.set(bytes, 136);
  setOption(fd, IPPROTO_TCP, isPrefix ? TCP_MD5SIG_EXT : TCP_MD5SIG, signature);
}
