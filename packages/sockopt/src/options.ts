import type { Family, ScopedAddress } from "@trivet/ip";
import { check, libc } from "./libc.ts";
import { AF, cInt, socketAddress } from "./sockaddr.ts";

/** Numbers of linux/in.h, in6.h and asm-generic/socket.h. */
const LEVEL = { socket: 1, ip: 0, ipv6: 41 } as const;
const TYPE = { stream: 1, dgram: 2 } as const;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SO_REUSEADDR = 2;
const IPV6_V6ONLY = 26;
const HOP_LIMIT = { 4: 2 /* IP_TTL */, 6: 16 /* IPV6_UNICAST_HOPS */ } as const;
const TRAFFIC_CLASS = { 4: 1 /* IP_TOS */, 6: 67 /* IPV6_TCLASS */ } as const;

/** Makes a non-blocking socket, of the type's usual protocol unless told, lets `prepare` set it up, and closes it when that fails. */
export function openSocket(
  family: Family,
  type: keyof typeof TYPE,
  prepare: (fd: number) => void,
  protocol = 0,
): number {
  const fd = check("socket", libc().socket(AF[family], TYPE[type] | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  try {
    // IPv4 peers have a socket of their own: a v4-mapped one would need both families' options.
    if (family === 6) setOption(fd, LEVEL.ipv6, IPV6_V6ONLY, 1);
    prepare(fd);
    return fd;
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

export function setOption(fd: number, level: number, option: number, value: number | Uint8Array): void {
  const bytes = typeof value === "number" ? cInt(value) : value;
  check("setsockopt", libc().setsockopt(fd, level, option, bytes, bytes.length), `level ${level} option ${option}`);
}

/** The IP options' level of a family. */
export function ipLevel(family: Family): number {
  return family === 4 ? LEVEL.ip : LEVEL.ipv6;
}

export function setHopLimit(fd: number, family: Family, hops: number): void {
  setOption(fd, ipLevel(family), HOP_LIMIT[family], hops);
}

/** The whole IPv4 TOS or IPv6 traffic class octet. */
export function setTrafficClass(fd: number, family: Family, octet: number): void {
  setOption(fd, ipLevel(family), TRAFFIC_CLASS[family], octet);
}

/**
 * For TCP: a port whose former connections linger may be listened on. For UDP: the port may be bound by several sockets that all have
 * this, of whatever programs, and which of them gets a packet is the kernel's choice (socket(7)). It counts at the moment of each bind.
 */
export function setReuse(fd: number, reuse: boolean): void {
  setOption(fd, LEVEL.socket, SO_REUSEADDR, reuse ? 1 : 0);
}

export function bindSocket(fd: number, local: ScopedAddress, port: number): void {
  const address = socketAddress(local, port);
  const zone = local.zone === undefined ? "" : `%${local.zone}`;
  check("bind", libc().bind(fd, address, address.length), `${local.address.toString()}${zone} port ${port}`);
}
