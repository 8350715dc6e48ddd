/** TCP as the speaker needs it, injected so that sessions are tested without sockets. */
export interface Network {
  /** Why passwords and TTL security cannot be had here; `undefined` when they can. */
  protectionUnavailable(): string | undefined;
  /** Starts to connect; the handler is called later, first with `connected` or `closed`. */
  connect(to: ConnectOptions, handler: ConnectionHandler): Connection;
  /**
   * @param accept called for each connection, which is established; its answer handles it
   * @param protections from the first connection on
   * @throws NetworkError
   */
  listen(
    at: Endpoint,
    accept: (connection: Connection) => ConnectionHandler,
    protections: Protections,
  ): Promise<Listener>;
}

export interface Endpoint {
  /** Canonical text; link-local with `%interface`. */
  readonly address: string;
  readonly port: number;
}

/** The socket options of sessions with one peer or range. */
export interface SocketProtection {
  /** TCP-MD5 key (RFC 2385). */
  readonly password?: string;
  /** GTSM: hops away that the peer may be (RFC 5082). */
  readonly ttlSecurity?: number;
}

/**
 * By address (`192.0.2.1`, `fe80::1%eth0`) or network (`192.0.2.0/24`), also those with none: an address's own counts, else that of the
 * smallest network. Only a network's password holds for all of its addresses that have no other: the kernel knows no exception.
 */
export type Protections = ReadonlyMap<string, SocketProtection>;

export interface ConnectOptions extends Endpoint, SocketProtection {
  readonly localAddress?: string;
}

export interface Listener {
  readonly local: Endpoint;
  /**
   * Protects connections from these from now on, and no others.
   *
   * @throws NetworkError; all is as before then
   */
  protect(peers: Protections): void;
  close(): Promise<void>;
}

export interface ConnectionHandler {
  connected(): void;
  data(chunk: Uint8Array): void;
  /** All that was written has been handed to the system, after `write` said false. */
  drained(): void;
  /** Called once, whoever closed. */
  closed(error?: Error): void;
}

export interface Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** @returns false when the caller should wait for `drained` before it writes more */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Octets written and not yet handed to the system. */
  readonly waiting: number;
  /** Closes after all that was written is sent, or soon in any case; resolves then. Nothing is read any more. */
  end(): Promise<void>;
}

/** An address that cannot be used. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly fault = "world";
}
