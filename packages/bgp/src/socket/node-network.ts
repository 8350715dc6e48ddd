import { type Server, Socket, createServer } from "node:net";
import { Address, Prefix, parseScoped } from "@trivet/ip";
import { SocketError, setTcpOptions, tcpSocket, unavailableReason } from "@trivet/sockopt";
import {
  type ConnectOptions,
  type Connection,
  type ConnectionHandler,
  type Endpoint,
  type Listener,
  type Network,
  NetworkError,
  type Protections,
  type SocketProtection,
} from "../network.ts";
import { ListenerKeys } from "./listener-keys.ts";

const MAX_HOPS = 255;
/** Milliseconds that a closed connection may take to send what was written. */
const LINGER = 5_000;
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
  async listen(at, accept) {
    const listener = new TcpListener(at, accept);
    await listener.start();
    return listener;
  },
};

class TcpConnection implements Connection {
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #local: Endpoint = { address: "", port: 0 };
  #error: Error | undefined;
  #ended = false;

  constructor(socket: Socket, remote: Endpoint, handler?: ConnectionHandler) {
    this.#socket = socket;
    this.remote = remote;
    socket.setNoDelay(true);
    if (handler !== undefined) this.handle(handler);
  }

  handle(handler: ConnectionHandler): void {
    const socket = this.#socket;
    socket.on("connect", () => handler.connected());
    socket.on("data", (chunk: Buffer) => {
      // After `end`, reading on lets the last message arrive: closing with unread data would reset the connection.
      if (!this.#ended) handler.data(chunk);
    });
    socket.on("drain", () => handler.drained());
    socket.on("error", (error) => (this.#error = error));
    socket.on("close", () => handler.closed(this.#error));
  }

  /** Nothing could be tried. */
  fail(error: Error): void {
    setImmediate(() => this.#socket.destroy(error));
  }

  get local(): Endpoint {
    const { localAddress, localPort } = this.#socket;
    // Node forgets it when the connection closes.
    if (localAddress !== undefined && localPort !== undefined)
      this.#local = { address: plain(localAddress), port: localPort };
    return this.#local;
  }

  get waiting(): number {
    return this.#socket.writableLength;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (this.#ended || socket.destroyed) return false;
    let writable = true;
    socket.cork();
    for (const chunk of chunks) writable = socket.write(chunk);
    socket.uncork();
    return writable;
  }

  async end(): Promise<void> {
    const socket = this.#socket;
    if (socket.closed) return;
    const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
    this.#close(socket);
    await closed;
  }

  #close(socket: Socket): void {
    if (this.#ended) return;
    this.#ended = true;
    if (socket.connecting) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), LINGER);
    socket.once("close", () => clearTimeout(timer));
    socket.end();
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }
}

class TcpListener implements Listener {
  readonly #at: Endpoint;
  readonly #server: Server;
  readonly #connections = new Set<TcpConnection>();
  readonly #keys = new ListenerKeys();
  #protections: Protections = new Map();

  constructor(at: Endpoint, accept: (connection: Connection) => ConnectionHandler) {
    this.#at = at;
    this.#server = createServer((socket) => {
      const { remoteAddress, remotePort } = socket;
      if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
      const remote = { address: plain(remoteAddress), port: remotePort };
      const connection = new TcpConnection(socket, remote);
      this.#limitHops(socket, remote.address);
      this.#connections.add(connection);
      socket.once("close", () => this.#connections.delete(connection));
      connection.handle(accept(connection));
    });
  }

  async start(): Promise<void> {
    const { address, port } = this.#at;
    await new Promise<void>((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void =>
        reject(new NetworkError(`cannot listen on ${address} port ${port}: ${remedy(error)}`, { cause: error }));
      this.#server.once("error", fail);
      this.#server.listen({ host: address, port, ipv6Only: true }, () => {
        this.#server.off("error", fail);
        resolve();
      });
    });
  }

  get local(): Endpoint {
    const bound = this.#server.address();
    return typeof bound === "object" && bound !== null ? { address: this.#at.address, port: bound.port } : this.#at;
  }

  protect(peers: Protections): void {
    const { family } = parseScoped(this.#at.address).address;
    const ours = new Map([...peers].filter(([peer]) => familyOf(peer) === family));
    const error = attempt(this.#at, () => {
      const fd = descriptor(this.#server);
      this.#keys.set(fd, keysOf(ours));
      // Answers to a protected peer must look near, from the first segment on; accepted sockets inherit it.
      if ([...ours.values()].some(({ ttlSecurity }) => ttlSecurity !== undefined))
        setTcpOptions(fd, family, { hopLimit: MAX_HOPS });
    });
    if (error instanceof Error) throw error;
    this.#protections = ours;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of this.#connections) void connection.end();
    });
  }

  #limitHops(socket: Socket, remote: string): void {
    const { address } = parseScoped(remote);
    const protection =
      this.#protections.get(remote) ??
      [...this.#protections].find(([peer]) => peer.includes("/") && Prefix.parse(peer).contains(address))?.[1];
    if (protection?.ttlSecurity === undefined) return;
    const options = hopLimits(protection.ttlSecurity);
    const error = attempt({ address: remote }, () => setTcpOptions(descriptor(socket), address.family, options));
    if (error instanceof Error) socket.destroy(error);
  }
}

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

function isProtected({ password, ttlSecurity }: SocketProtection): boolean {
  return password !== undefined || ttlSecurity !== undefined;
}

/** RFC 5082 §3: sent with 255, so what arrives with less has come over routers. */
function hopLimits(hops: number): { hopLimit: number; minHopLimit: number } {
  return { hopLimit: MAX_HOPS, minHopLimit: MAX_HOPS + 1 - hops };
}

function attempt<T>({ address }: { readonly address: string }, action: () => T): T | NetworkError {
  try {
    return action();
  } catch (error) {
    if (error instanceof SocketError) return new NetworkError(`${address}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** By address without interface: see `Md5Key`. */
function keysOf(protections: Protections): Map<string, string> {
  const keys = new Map<string, string>();
  for (const [peer, { password }] of protections)
    if (password !== undefined) keys.set(peer.replace(/%.*/, ""), password);
  return keys;
}

function familyOf(peer: string): 4 | 6 {
  return peer.includes(":") ? 6 : 4;
}

/** Node has no public name for it. */
function descriptor(owner: Server | Socket): number {
  const { fd } = (owner as unknown as { readonly _handle: { readonly fd: number } })._handle;
  return fd;
}

/** Without the IPv4-mapped form, and canonical. */
function plain(address: string): string {
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice(7);
  const [bare = "", zone] = address.split("%");
  const text = Address.parse(bare).toString();
  return zone === undefined ? text : `${text}%${zone}`;
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there; stop it or choose another port",
  EACCES: "ports under 1024 need root or CAP_NET_BIND_SERVICE",
  EADDRNOTAVAIL: "no interface of this machine has the address",
};

function remedy({ code, message }: NodeJS.ErrnoException): string {
  return (code === undefined ? undefined : REMEDIES[code]) ?? message;
}
