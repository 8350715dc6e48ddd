import { endianness } from "node:os";
import { ExchangeError } from "../error.ts";

/** Messages that one call of the kernel moves. */
const BATCH = 64;
/** Octets for one query, and for one answer. Longer queries are ignored. */
export const SLOT = 4096;
const SOCKADDR = 128;

// Linux on 64-bit machines: struct mmsghdr is a struct msghdr of 56 octets, and the length of the message.
const HEADER = 64;
const MSG_NAMELEN = 8;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_FLAGS = 48;
const MSG_LENGTH = 56;
const IOVEC = 16;

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const EINTR = 4;
const EAGAIN = 11;

interface Libc {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly setsockopt: (fd: number, level: number, option: number, value: Int32Array, length: number) => number;
  readonly close: (fd: number) => number;
  readonly recvmmsg: (fd: number, headers: number, count: number, flags: number, timeout: number) => number;
  readonly sendmmsg: (fd: number, headers: number, count: number, flags: number) => number;
  readonly errno: () => number;
  readonly allocate: (size: number) => { readonly memory: ArrayBuffer; readonly address: bigint };
}

/**
 * Kernel calls that move many datagrams at once, which Node does not offer.
 *
 * @returns `undefined` where they cannot be had: then datagrams go one by one
 */
export async function loadLibc(): Promise<Libc | undefined> {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch) || endianness() !== "LE")
    return undefined;
  let koffi;
  try {
    koffi = (await import("koffi")).default;
  } catch {
    return undefined; // an optional dependency
  }
  const libc = koffi.load("libc.so.6");
  return {
    socket: libc.func("int socket(int family, int type, int protocol)") as Libc["socket"],
    bind: libc.func("int bind(int fd, const void *address, unsigned int length)") as Libc["bind"],
    setsockopt: libc.func(
      "int setsockopt(int fd, int level, int option, const void *value, unsigned int length)",
    ) as Libc["setsockopt"],
    close: libc.func("int close(int fd)") as Libc["close"],
    recvmmsg: libc.func(
      "int recvmmsg(int fd, uintptr_t headers, unsigned int count, int flags, uintptr_t timeout)",
    ) as Libc["recvmmsg"],
    sendmmsg: libc.func("int sendmmsg(int fd, uintptr_t headers, unsigned int count, int flags)") as Libc["sendmmsg"],
    errno: () => koffi.errno(),
    allocate(size) {
      // The kernel keeps to addresses, so the memory must not move.
      const pointer: unknown = koffi.alloc("uint8_t", size);
      return { memory: koffi.view(pointer, size), address: koffi.address(pointer) };
    },
  };
}

/**
 * A bound UDP socket that threads can share (each opens its own), for `dgram.Socket.bind({ fd })`.
 *
 * @param bytes of the address, 4 or 16
 * @throws ExchangeError
 */
export function openUdp(
  libc: Libc,
  listen: { readonly address: string; readonly bytes: Uint8Array; readonly port: number },
  bufferSize: number,
): number {
  const v4 = listen.bytes.length === 4;
  const fd = libc.socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  const sockaddr = new Uint8Array(v4 ? 16 : 28);
  const view = new DataView(sockaddr.buffer);
  view.setUint16(0, v4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, listen.port);
  sockaddr.set(listen.bytes, v4 ? 4 : 8);
  const set = (level: number, option: number, value: number): number =>
    libc.setsockopt(fd, level, option, Int32Array.of(value), 4);
  const failed =
    fd < 0 ||
    set(SOL_SOCKET, SO_REUSEPORT, 1) < 0 ||
    set(SOL_SOCKET, SO_RCVBUF, bufferSize) < 0 ||
    set(SOL_SOCKET, SO_SNDBUF, bufferSize) < 0 ||
    (!v4 && set(IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0) ||
    libc.bind(fd, sockaddr, sockaddr.length) < 0;
  if (!failed) return fd;
  const errno = libc.errno();
  if (fd >= 0) libc.close(fd);
  throw new ExchangeError(listen.address, `cannot listen on UDP port ${listen.port} (errno ${errno})`);
}

/** Answers one query; see Responder. */
export type Answer = (bytes: Uint8Array, length: number, client: Uint8Array, out: Uint8Array) => number;

/** Memory for a batch of queries and their answers, laid out as the kernel wants it. One serves all sockets of a thread. */
export class Batch {
  readonly #libc: Libc;
  readonly #queries: Uint8Array[] = [];
  readonly #answers: Uint8Array[] = [];
  readonly #clients4: Uint8Array[] = [];
  readonly #clients6: Uint8Array[] = [];
  readonly #in: Uint32Array;
  readonly #out: Uint32Array;
  readonly #outIovecs: Uint32Array;
  readonly #inAddress: number;
  readonly #outAddress: number;

  constructor(libc: Libc) {
    this.#libc = libc;
    const { memory, address } = libc.allocate(BATCH * (SLOT * 2 + SOCKADDR + IOVEC * 2 + HEADER * 2));
    let used = 0;
    const take = (each: number): { at: number; address: bigint } => {
      const at = used;
      used += each * BATCH;
      return { at, address: address + BigInt(at) };
    };
    const [queries, answers, names] = [take(SLOT), take(SLOT), take(SOCKADDR)];
    const [inIovecs, outIovecs, ins, outs] = [take(IOVEC), take(IOVEC), take(HEADER), take(HEADER)];
    const view = new DataView(memory);
    for (let i = 0; i < BATCH; i++) {
      this.#queries.push(new Uint8Array(memory, queries.at + i * SLOT, SLOT));
      this.#answers.push(new Uint8Array(memory, answers.at + i * SLOT, SLOT));
      this.#clients4.push(new Uint8Array(memory, names.at + i * SOCKADDR + 4, 4));
      this.#clients6.push(new Uint8Array(memory, names.at + i * SOCKADDR + 8, 16));
      for (const [headers, iovecs, slots] of [
        [ins, inIovecs, queries],
        [outs, outIovecs, answers],
      ] as const) {
        view.setBigUint64(iovecs.at + i * IOVEC, slots.address + BigInt(i * SLOT), true);
        view.setBigUint64(iovecs.at + i * IOVEC + 8, BigInt(SLOT), true);
        const header = headers.at + i * HEADER;
        view.setBigUint64(header, names.address + BigInt(i * SOCKADDR), true);
        view.setBigUint64(header + MSG_IOV, iovecs.address + BigInt(i * IOVEC), true);
        view.setBigUint64(header + MSG_IOVLEN, 1n, true);
      }
    }
    this.#in = new Uint32Array(memory, ins.at, (BATCH * HEADER) / 4);
    this.#out = new Uint32Array(memory, outs.at, (BATCH * HEADER) / 4);
    this.#outIovecs = new Uint32Array(memory, outIovecs.at, (BATCH * IOVEC) / 4);
    this.#inAddress = Number(ins.address);
    this.#outAddress = Number(outs.address);
  }

  /**
   * Answers what waits in a socket, up to one batch.
   *
   * @returns how many queries there were, and how many answers could not be sent
   */
  serve(fd: number, family: 4 | 6, answer: Answer): { received: number; failed: number } {
    const input = this.#in;
    const nameLength = family === 4 ? 16 : 28;
    for (let i = 0; i < BATCH; i++) input[(i * HEADER + MSG_NAMELEN) >> 2] = nameLength;
    const received = this.#libc.recvmmsg(fd, this.#inAddress, BATCH, MSG_DONTWAIT, 0);
    if (received <= 0) return { received: 0, failed: 0 };
    const clients = family === 4 ? this.#clients4 : this.#clients6;
    let answers = 0;
    for (let i = 0; i < received; i++) {
      const base = (i * HEADER) >> 2;
      const [query, client, out] = [this.#queries[i], clients[i], this.#answers[answers]];
      if (query === undefined || client === undefined || out === undefined) break;
      if (((input[base + (MSG_FLAGS >> 2)] ?? 0) & MSG_TRUNC) !== 0) continue;
      const length = answer(query, input[base + (MSG_LENGTH >> 2)] ?? 0, client, out);
      if (length === 0) continue;
      const target = (answers * HEADER) >> 2;
      this.#outIovecs[((answers * IOVEC) >> 2) + 2] = length;
      // The address to answer is where the query's came to.
      this.#out[target] = input[base] ?? 0;
      this.#out[target + 1] = input[base + 1] ?? 0;
      this.#out[target + (MSG_NAMELEN >> 2)] = nameLength;
      answers++;
    }
    return { received, failed: this.#send(fd, answers) };
  }

  get size(): number {
    return BATCH;
  }

  #send(fd: number, count: number): number {
    let failed = 0;
    for (let at = 0; at < count;) {
      const sent = this.#libc.sendmmsg(fd, this.#outAddress + at * HEADER, count - at, MSG_DONTWAIT);
      if (sent > 0) at += sent;
      else if (this.#libc.errno() === EAGAIN) return failed + count - at;
      else if (this.#libc.errno() !== EINTR) {
        // This client cannot be reached; the others can.
        failed++;
        at++;
      }
    }
    return failed;
  }
}
