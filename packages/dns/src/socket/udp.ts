import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import { Address } from "@trivet/ip";
import { type Answer, Batch, SLOT, loadLibc, openUdp } from "./batch.ts";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Octets of the kernel's buffers: a burst of ten thousand queries. */
const BUFFER = 4 << 20;
/** Batches after which the event loop gets its turn. */
const MAX_BATCHES = 8;

export interface UdpListenerOptions {
  readonly listen: readonly Endpoint[];
  readonly answer: Answer;
  readonly onSendFailure: () => void;
}

/**
 * The UDP side of a thread. Node says when a socket has become readable, by handing over the first datagram; the others that wait
 * are fetched and answered in batches, with two kernel calls for up to 64.
 */
export class UdpListener {
  readonly #load: typeof loadLibc;
  readonly #sockets: Socket[] = [];
  readonly #addresses = new Map<string, Uint8Array>();

  /** @param load says how to get at the kernel; a test may say that it cannot */
  constructor(load: typeof loadLibc = loadLibc) {
    this.#load = load;
  }

  /** @throws ExchangeError, or Node's error, when an address or port is not to be had */
  async start({ listen, answer, onSendFailure }: UdpListenerOptions): Promise<void> {
    const libc = await this.#load();
    const batch = libc && new Batch(libc);
    const out = new Uint8Array(SLOT);
    for (const endpoint of listen) {
      const { family, bytes } = Address.parse(endpoint.address);
      const fd = libc && openUdp(libc, { ...endpoint, bytes }, BUFFER);
      const socket = createSocket({
        type: family === 4 ? "udp4" : "udp6",
        ...(fd === undefined ? { reusePort: true, ipv6Only: family === 6, recvBufferSize: BUFFER } : {}),
      });
      this.#sockets.push(socket);
      socket.on("message", (message, { address, port }) => {
        const length = message.length > SLOT ? 0 : answer(message, message.length, this.#bytesOf(address), out);
        // The buffer is reused at once, the datagram goes out later.
        if (length > 0) socket.send(out.slice(0, length), port, address, (error) => error && onSendFailure());
        if (batch === undefined || fd === undefined) return;
        for (let i = 0; i < MAX_BATCHES; i++) {
          const { received, failed } = batch.serve(fd, family, answer);
          for (let f = 0; f < failed; f++) onSendFailure();
          if (received < batch.size) break;
        }
      });
      // An ICMP error for an earlier answer is no concern of the server.
      socket.on("error", onSendFailure);
      // With a descriptor the event comes during the call.
      const listening = once(socket, "listening");
      if (fd === undefined) socket.bind({ address: endpoint.address, port: endpoint.port });
      else socket.bind({ fd });
      await listening;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#sockets.splice(0).map(async (socket) => {
        socket.close();
        await once(socket, "close");
      }),
    );
  }

  /** Few clients ask at any time, and parsing an address takes longer than an answer. */
  #bytesOf(text: string): Uint8Array {
    let bytes = this.#addresses.get(text);
    if (bytes === undefined) {
      if (this.#addresses.size > 1000) this.#addresses.clear();
      bytes = Address.parse(text.replace(/%.*$/, "")).bytes;
      this.#addresses.set(text, bytes);
    }
    return bytes;
  }
}
