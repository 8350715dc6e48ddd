import { createRequire } from "node:module";
import type koffiModule from "koffi";
import { SocketError } from "./error.ts";

/** The C functions that are used, by their C names; each returns what C returns. */
interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  close(fd: number): number;
  sendto(fd: number, data: Uint8Array, size: number, flags: number, to: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  attachFilter(fd: number, level: number, option: number, value: FilterProgram, length: number): number;
  interfaceIndex(name: string): number;
  sched_setscheduler(pid: number, policy: number, param: Uint8Array): number;
  errorCode(): string;
}

/** `struct sock_fprog` of linux/filter.h. */
export interface FilterProgram {
  readonly len: number;
  readonly filter: Uint8Array;
}

let loaded: Libc | { readonly reason: string } | undefined;

function load(): Libc | { readonly reason: string } {
  if (process.platform !== "linux")
    return { reason: `these socket options are Linux's, and this is ${process.platform}` };
  let koffi: typeof koffiModule;
  try {
    koffi = createRequire(import.meta.url)("koffi") as typeof koffiModule;
  } catch (error) {
    return {
      reason: `the optional npm package koffi cannot be loaded (${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)})`,
    };
  }
  const c = koffi.load(null);
  const program = koffi.struct({ len: "uint16_t", filter: "void *" });
  const errorNames = new Map(Object.entries(koffi.os.errno).map(([name, code]) => [code, name]));
  return {
    socket: c.func("int socket(int, int, int)"),
    bind: c.func("int bind(int, const void *, uint32_t)"),
    listen: c.func("int listen(int, int)"),
    close: c.func("int close(int)"),
    sendto: c.func("long sendto(int, const void *, size_t, int, const void *, uint32_t)"),
    setsockopt: c.func("int setsockopt(int, int, int, const void *, uint32_t)"),
    attachFilter: c.func("setsockopt", "int", ["int", "int", "int", koffi.pointer(program), "uint32_t"]),
    interfaceIndex: c.func("unsigned int if_nametoindex(const char *)"),
    sched_setscheduler: c.func("int sched_setscheduler(int, int, const void *)"),
    errorCode: () => errorNames.get(koffi.errno()) ?? `errno ${koffi.errno()}`,
  };
}

/**
 * Why this room's sockets cannot be made on this machine, as the end of a sentence; `undefined` when they can.
 *
 * Callers ask this when they read their configuration, to refuse what needs it.
 */
export function unavailableReason(): string | undefined {
  loaded ??= load();
  return "reason" in loaded ? loaded.reason : undefined;
}

/** @throws SocketError `ENOSYS` where {@link unavailableReason} gives a reason */
export function libc(): Libc {
  loaded ??= load();
  if ("reason" in loaded) throw new SocketError("socket", "ENOSYS", loaded.reason);
  return loaded;
}

/** @throws SocketError when a call returned -1 */
export function check(call: string, result: number, detail = ""): number {
  if (result === -1) throw new SocketError(call, libc().errorCode(), detail);
  return result;
}
