import { endianness } from "node:os";
import { SocketError } from "./error.ts";
import { check, libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** The size of `sun_path`. */
const MOST = 108;

/**
 * Sends one datagram to a unix socket, as `sd_notify(3)` asks for; Node has only unix stream sockets.
 *
 * @param path of the socket; a leading `@` is the abstract name space (unix(7))
 * @throws SocketError
 */
export function sendUnixDatagram(path: string, data: Uint8Array): void {
  const name = Buffer.from(path);
  if (path.startsWith("@")) name[0] = 0;
  if (name.length >= MOST) throw new SocketError("sendto", "ENAMETOOLONG", path);
  const address = new Uint8Array(2 + name.length + (path.startsWith("@") ? 0 : 1));
  new DataView(address.buffer).setUint16(0, AF_UNIX, endianness() === "LE");
  address.set(name, 2);
  const fd = check("socket", libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    check("sendto", libc().sendto(fd, data, data.length, 0, address, address.length), path);
  } finally {
    libc().close(fd);
  }
}
