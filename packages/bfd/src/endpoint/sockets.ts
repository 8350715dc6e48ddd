import { type Socket, createSocket } from "node:dgram";
import { type ScopedAddress, parseScoped } from "@trivet/ip";
import { SocketError, type UdpOptions, bindUdp, setReuse } from "@trivet/sockopt";
import type { Port, SessionSpec } from "../engine.ts";

const SINGLE_HOP_PORT = 3784; // RFC 5881 §4
const MULTIHOP_PORT = 4784; // RFC 5883 §5
/** RFC 5881 §4: the source port of control packets. */
const FIRST_SOURCE_PORT = 49152;
const SOURCE_PORTS = 65536 - FIRST_SOURCE_PORT;
const HOP_LIMIT = 255;
/** CS6: network control comes before other traffic. */
const NETWORK_CONTROL = 0xc0;

interface Listener {
  readonly socket: Socket;
  readonly fd: number;
  readonly local: ScopedAddress;
  readonly port: number;
  users: number;
}

type Receive = (payload: Uint8Array, peer: string, local: string | undefined, multihop: boolean) => void;

/** The UDP sockets of an endpoint: listening ones shared by the sessions on one local address, a sending one for each session. */
export class Sockets {
  readonly #receive: Receive;
  readonly #failed: (error: Error) => void;
  readonly #listeners = new Map<string, Listener>();

  constructor(receive: Receive, failed: (error: Error) => void) {
    this.#receive = receive;
    this.#failed = failed;
  }

  /** @throws SocketError */
  open(spec: SessionSpec): Port {
    const peer = parseScoped(spec.peer);
    const local = localAddress(spec, peer);
    const release = this.#listen(spec, local);
    let socket: Socket;
    try {
      socket = sendingSocket(local);
    } catch (error) {
      release();
      throw error;
    }
    const port = spec.multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT;
    // An unreachable peer is what a session is there to notice; its detection time says so.
    socket.on("error", () => undefined);
    return {
      send: (bytes) => socket.send(bytes, port, spec.peer, () => undefined),
      close: () => {
        release();
        // Closing at once would drop what was sent last: the word that the session goes down by intent.
        setImmediate(() => socket.close());
      },
    };
  }

  #listen(spec: SessionSpec, local: ScopedAddress): () => void {
    const { multihop } = spec;
    const key = `${multihop} ${local.address.toString()}%${local.zone ?? ""}`;
    let listener = this.#listeners.get(key);
    if (listener === undefined) {
      const port = multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT;
      const fd = this.#bind(local, port, { hopLimit: HOP_LIMIT, ...(multihop ? {} : { minHopLimit: HOP_LIMIT }) });
      const socket = createSocket({ type: local.address.family === 4 ? "udp4" : "udp6" });
      socket.on("message", (payload, { address }) => this.#receive(payload, address, spec.local, multihop));
      socket.on("error", this.#failed);
      socket.bind({ fd });
      setReuse(fd, false); // Node has set it
      listener = { socket, fd, local, port, users: 0 };
      this.#listeners.set(key, listener);
    }
    const held = listener;
    held.users++;
    return () => {
      held.users--;
      if (held.users > 0) return;
      held.socket.close();
      this.#listeners.delete(key);
    };
  }

  /**
   * Binds to a port that no other program has, since it would take our packets, or we its. The kernel lets two sockets have one port of
   * overlapping addresses when both say so (SO_REUSEADDR). Ours do for this moment, where one is for all addresses and another for one.
   */
  #bind(local: ScopedAddress, port: number, options: UdpOptions): number {
    const own = [...this.#listeners.values()].filter((other) => other.port === port && overlap(other.local, local));
    try {
      for (const { fd } of own) setReuse(fd, true);
      return bindUdp(local, port, { ...options, reuse: own.length > 0 });
    } catch (error) {
      if (!(error instanceof SocketError) || error.code !== "EADDRINUSE") throw error;
      throw new SocketError(
        "bind",
        error.code,
        `${error.detail}: another BFD daemon, such as FRR's bfdd, has it; stop one of them`,
      );
    } finally {
      for (const { fd } of own) setReuse(fd, false);
    }
  }
}

/** Whether the kernel takes one's address to include the other's. */
function overlap(a: ScopedAddress, b: ScopedAddress): boolean {
  return a.address.family === b.address.family && (a.address.isUnspecified || b.address.isUnspecified);
}

function localAddress(spec: SessionSpec, peer: ScopedAddress): ScopedAddress {
  if (spec.local !== undefined) {
    const local = parseScoped(spec.local);
    return { address: local.address, zone: local.zone ?? (local.address.isLinkLocal ? peer.zone : undefined) };
  }
  return parseScoped(peer.address.family === 4 ? "0.0.0.0" : "::");
}

function sendingSocket(local: ScopedAddress): Socket {
  const start = Math.floor(Math.random() * SOURCE_PORTS);
  for (let tried = 0; ; tried++) {
    const port = FIRST_SOURCE_PORT + ((start + tried) % SOURCE_PORTS);
    try {
      const fd = bindUdp(local, port, { hopLimit: HOP_LIMIT, trafficClass: NETWORK_CONTROL });
      const socket = createSocket({ type: local.address.family === 4 ? "udp4" : "udp6" });
      socket.bind({ fd });
      return socket;
    } catch (error) {
      const taken = error instanceof SocketError && error.code === "EADDRINUSE";
      if (!taken || tried >= 100) throw error;
    }
  }
}
