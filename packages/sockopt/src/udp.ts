import type { ScopedAddress } from "@trivet/ip";
import { check, libc } from "./libc.ts";
import { bindSocket, openSocket, setHopLimit, setReuse, setTrafficClass } from "./options.ts";

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
/** In a packet filter, offsets from here on count from the network header (linux/filter.h). */
const SKF_NET_OFF = -0x100000;
const HOP_LIMIT_OFFSET = { 4: 8 /* TTL */, 6: 7 } as const;

export interface UdpOptions {
  /** TTL or hop limit of what is sent. */
  readonly hopLimit: number;
  /** Drops, in the kernel, what arrives with a lower TTL or hop limit (RFC 5082; IP_MINTTL does not work on UDP). */
  readonly minHopLimit?: number;
  /** IPv4 TOS or IPv6 traffic class octet; 0xc0 is CS6, network control. */
  readonly trafficClass?: number;
  /**
   * Binds beside other sockets on the same port that have this, too ({@link setReuse}); without, an address that is, or includes, or is
   * included in that of another socket is refused.
   */
  readonly reuse?: boolean;
}

/**
 * Makes and binds a UDP socket; give its descriptor to `dgram.Socket.bind({ fd })`, which then owns it, and lets others bind beside it
 * (SO_REUSEADDR, in libuv's uv_udp_open): `setReuse(fd, false)` takes that back.
 *
 * @param port 0 for any
 * @throws SocketError `EADDRINUSE` when another socket has the port
 */
export function bindUdp(local: ScopedAddress, port: number, options: UdpOptions): number {
  const { family } = local.address;
  return openSocket(family, "dgram", (fd) => {
    setHopLimit(fd, family, options.hopLimit);
    if (options.trafficClass !== undefined) setTrafficClass(fd, family, options.trafficClass);
    // Before the bind: no packet may slip in unfiltered.
    if (options.minHopLimit !== undefined) attachHopLimitFilter(fd, HOP_LIMIT_OFFSET[family], options.minHopLimit);
    if (options.reuse === true) setReuse(fd, true);
    bindSocket(fd, local, port);
  });
}

/** A classic BPF program of four instructions: accept a packet whose octet at `offset` of the network header is at least `least`. */
function attachHopLimitFilter(fd: number, offset: number, least: number): void {
  const filter = Buffer.alloc(4 * 8);
  const instructions = [
    [0x30, 0, 0, SKF_NET_OFF + offset], // ldb [offset]
    [0x35, 0, 1, least], //                jge least, next, the one after
    [0x06, 0, 0, 0x7fffffff], //           ret all
    [0x06, 0, 0, 0], //                    ret nothing
  ] as const;
  for (const [i, [code, jumpTrue, jumpFalse, operand]] of instructions.entries()) {
    filter.writeUInt16LE(code, i * 8);
    filter.writeUInt8(jumpTrue, i * 8 + 2);
    filter.writeUInt8(jumpFalse, i * 8 + 3);
    filter.writeInt32LE(operand, i * 8 + 4);
  }
  const program = { len: instructions.length, filter };
  check("setsockopt", libc().attachFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, 16), "SO_ATTACH_FILTER");
}
