/** TCP as the speaker needs it, injected so that sessions are tested without sockets. */
export interface Network {
  /** Starts to connect. Exactly one of `handler.connected` or `handler.closed` is called, later. */
  connect(to: ConnectOptions, handler: ConnectionHandler): Connection;
  /**
   * @param accept called for each connection, which is established; its answer handles it
   * @throws NetworkError
   */
  listen(at: ListenAddress, accept: (connection: Connection) => ConnectionHandler): Promise<Listener>;
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

export interface ConnectOptions extends Endpoint, SocketProtection {
  readonly localAddress?: string;
}

export type ListenAddress = Endpoint;

export interface Listener {
  readonly local: Endpoint;
  /** Connections from this address or network are protected from now on; `undefined` ends that. */
  protect(prefix: string, protection: SocketProtection | undefined): void;
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
  /** Closes after all that was written is sent. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

/** An address that cannot be used. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly fault = "world";
}
