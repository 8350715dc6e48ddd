/**
 * Socket options Node lacks, on Linux, over the optional package koffi: TCP-MD5, TTL security, UDP hop-limit filters, ping sockets; and
 * real-time scheduling of a thread.
 */
export { SocketError } from "./error.ts";
export { unavailableReason } from "./libc.ts";
export { MD5_KEY_LENGTH, type Md5Key, type TcpOptions, listenTcp, setMd5Key, setTcpOptions, tcpSocket } from "./tcp.ts";
export { setReuse } from "./options.ts";
export { bindPing } from "./ping.ts";
export { runFirst } from "./realtime.ts";
export { type UdpOptions, bindUdp } from "./udp.ts";
export { sendUnixDatagram } from "./unix.ts";
