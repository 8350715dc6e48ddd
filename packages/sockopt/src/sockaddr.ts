import { endianness } from "node:os";
import type { ScopedAddress } from "@trivet/ip";
import { SocketError } from "./error.ts";
import { libc } from "./libc.ts";

export const AF = { 4: 2, 6: 10 } as const;
const LITTLE_ENDIAN = endianness() === "LE";

/** `struct sockaddr_in` or `sockaddr_in6`: ip(7), ipv6(7). The zone of a link-local address becomes the scope id. */
export function socketAddress({ address, zone }: ScopedAddress, port: number): Uint8Array {
  const bytes = new Uint8Array(address.family === 4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF[address.family], LITTLE_ENDIAN);
  view.setUint16(2, port);
  bytes.set(address.bytes, address.family === 4 ? 4 : 8);
  if (zone !== undefined) view.setUint32(24, interfaceIndex(zone), LITTLE_ENDIAN);
  return bytes;
}

/** A C `int` in the machine's byte order. */
export function cInt(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, LITTLE_ENDIAN);
  return bytes;
}

function interfaceIndex(name: string): number {
  const index = libc().interfaceIndex(name);
  if (index === 0) throw new SocketError("if_nametoindex", "ENODEV", `there is no interface ${name}`);
  return index;
}
