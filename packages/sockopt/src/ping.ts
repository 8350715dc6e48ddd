import type { ScopedAddress } from "@trivet/ip";
import { bindSocket, openSocket } from "./options.ts";

const PROTOCOL = { 4: 1 /* IPPROTO_ICMP */, 6: 58 /* IPPROTO_ICMPV6 */ } as const;

/**
 * Makes and binds a socket for echo requests and their replies (icmp(7), "ping socket"): what is sent and received begins with the
 * ICMP header, whose checksum and identifier are the kernel's business. Give its descriptor to `dgram.Socket.bind({ fd })`, which
 * then owns it; the port of `send` means nothing. The group of the process must be in the namespace's `net.ipv4.ping_group_range`.
 *
 * @throws SocketError `EACCES` when it is not
 */
export function bindPing(local: ScopedAddress): number {
  const { family } = local.address;
  return openSocket(family, "dgram", (fd) => bindSocket(fd, local, 0), PROTOCOL[family]);
}
