import { Socket } from "node:net";
import { parseScoped } from "@trivet/ip";
import { tcpSocket, unavailableReason } from "@trivet/sockopt";
import { type ConnectOptions, type Network, NetworkError } from "../network.ts";
import { TcpConnection } from "./connection.ts";
import { TcpListener } from "./listener.ts";
import { attempt, hopLimits, isProtected } from "./protection.ts";

/** Milliseconds; a peer's host that is gone answers nothing at all. */
const CONNECT_TIMEOUT = 30_000;

/** TCP by node:net, with TCP-MD5 and TTL security by @trivet/sockopt where they are asked for. */
export const nodeNetwork: Network = {
  protectionUnavailable: unavailableReason,
  connect(to, handler) {
    const socket = attempt(to, () => openSocket(to));
    const connection = new TcpConnection(socket instanceof Socket ? socket : new Socket(), to, handler);
    if (!(socket instanceof Socket)) {
      connection.fail(socket);
      return connection;
    }
    socket.setTimeout(CONNECT_TIMEOUT, () =>
      socket.destroy(new NetworkError(`no answer within ${CONNECT_TIMEOUT / 1000} s`)),
    );
    socket.once("connect", () => socket.setTimeout(0));
    socket.connect({
      host: to.address,
      port: to.port,
      // The descriptor of a protected socket is bound already.
      ...(to.localAddress === undefined || isProtected(to) ? {} : { localAddress: to.localAddress }),
    });
    return connection;
  },
  async listen(at, accept, protections) {
    const listener = new TcpListener(at, accept);
    await listener.start(protections);
    return listener;
  },
};

function openSocket(to: ConnectOptions): Socket {
  if (!isProtected(to)) return new Socket();
  const peer = parseScoped(to.address);
  const options = {
    ...(to.password === undefined ? {} : { md5: [{ peer, key: to.password }] }),
    ...(to.ttlSecurity === undefined ? {} : hopLimits(to.ttlSecurity)),
  };
  const local = to.localAddress === undefined ? undefined : parseScoped(to.localAddress);
  return new Socket({ fd: tcpSocket(peer.address.family, options, local), readable: true, writable: true });
}
