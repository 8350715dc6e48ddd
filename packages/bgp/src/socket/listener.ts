import { type Server, type Socket, createServer } from "node:net";
import { type Address, Prefix, parseScoped } from "@trivet/ip";
import { SocketError, listenTcp, setTcpOptions } from "@trivet/sockopt";
import {
  type Connection,
  type ConnectionHandler,
  type Endpoint,
  type Listener,
  NetworkError,
  type Protections,
  type SocketProtection,
} from "../network.ts";
import { TcpConnection, plain } from "./connection.ts";
import { ListenerKeys, subject } from "./listener-keys.ts";
import { MAX_HOPS, attempt, hopLimits, isProtected } from "./protection.ts";

/** A listening socket whose peers are protected each in its own way. */
export class TcpListener implements Listener {
  readonly #at: Endpoint;
  readonly #server: Server;
  readonly #connections = new Set<TcpConnection>();
  #keys = new ListenerKeys();
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

  /** Keys and hop limit are in force before the first connection can come. */
  async start(protections: Protections): Promise<void> {
    const { address, port } = this.#at;
    this.#protections = this.#ours(protections);
    const fail = (error: NodeJS.ErrnoException): NetworkError =>
      new NetworkError(`cannot listen on ${address} port ${port}: ${remedy(error)}`, { cause: error });
    await new Promise<void>((resolve, reject) => {
      const refused = (error: Error): void => reject(fail(error));
      this.#server.once("error", refused);
      const options = this.#isProtected() ? { fd: this.#open(fail) } : { host: address, port, ipv6Only: true };
      this.#server.listen(options, () => {
        this.#server.off("error", refused);
        resolve();
      });
    });
  }

  get local(): Endpoint {
    const bound = this.#server.address();
    return typeof bound === "object" && bound !== null ? { address: this.#at.address, port: bound.port } : this.#at;
  }

  protect(protections: Protections): void {
    const before = this.#protections;
    this.#protections = this.#ours(protections);
    const error = attempt(this.#at, () => {
      const fd = descriptor(this.#server);
      this.#keys.set(fd, keysOf(this.#protections));
      if (this.#isNear()) setTcpOptions(fd, this.#family, { hopLimit: MAX_HOPS });
    });
    if (!(error instanceof Error)) return;
    this.#protections = before;
    throw error;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const connection of this.#connections) void connection.end();
    });
  }

  get #family(): 4 | 6 {
    return familyOf(this.#at.address);
  }

  #ours(protections: Protections): Protections {
    return new Map([...protections].filter(([peer]) => familyOf(peer) === this.#family));
  }

  #isProtected(): boolean {
    return [...this.#protections.values()].some(isProtected);
  }

  /** Answers to a protected peer must look near, from the first segment on; accepted sockets inherit it. */
  #isNear(): boolean {
    return [...this.#protections.values()].some(({ ttlSecurity }) => ttlSecurity !== undefined);
  }

  #open(fail: (error: SocketError) => NetworkError): number {
    const keys = keysOf(this.#protections);
    this.#keys = new ListenerKeys(keys);
    try {
      return listenTcp(parseScoped(this.#at.address), this.#at.port, {
        md5: [...keys].map(([peer, key]) => ({ peer: subject(peer), key })),
        ...(this.#isNear() ? { hopLimit: MAX_HOPS } : {}),
      });
    } catch (error) {
      throw error instanceof SocketError ? fail(error) : error;
    }
  }

  #limitHops(socket: Socket, remote: string): void {
    const { address } = parseScoped(remote);
    const { ttlSecurity } = this.#protections.get(remote) ?? smallestNetwork(this.#protections, address) ?? {};
    if (ttlSecurity === undefined) return;
    const options = hopLimits(ttlSecurity);
    const error = attempt({ address: remote }, () => setTcpOptions(descriptor(socket), address.family, options));
    if (error instanceof Error) socket.destroy(error);
  }
}

function smallestNetwork(protections: Protections, address: Address): SocketProtection | undefined {
  let best: { readonly length: number; readonly protection: SocketProtection } | undefined;
  for (const [peer, protection] of protections) {
    if (!peer.includes("/")) continue;
    const prefix = Prefix.parse(peer);
    if (prefix.contains(address) && (best === undefined || prefix.length > best.length))
      best = { length: prefix.length, protection };
  }
  return best?.protection;
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

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there; stop it or choose another port",
  EACCES: "ports under 1024 need root or CAP_NET_BIND_SERVICE",
  EADDRNOTAVAIL: "no interface of this machine has the address",
};

function remedy({ code, message }: NodeJS.ErrnoException): string {
  return (code === undefined ? undefined : REMEDIES[code]) ?? message;
}
