import { Prefix, parseScoped } from "@trivet/ip";
import { type Md5Key, setMd5Key } from "@trivet/sockopt";

/** The TCP-MD5 keys of one listening socket, by address (without an interface) or network. */
export class ListenerKeys {
  /** What the kernel has. */
  #keys: ReadonlyMap<string, string>;

  /** @param keys the socket has already */
  constructor(keys: ReadonlyMap<string, string> = new Map()) {
    this.#keys = keys;
  }

  /**
   * Makes the keys be exactly these. New ones come before old ones go, so that nobody is let in between.
   *
   * @throws SocketError; the keys are as before then
   */
  set(fd: number, wanted: ReadonlyMap<string, string>): void {
    const before = this.#keys;
    const now = new Map(before);
    this.#keys = now;
    try {
      change(fd, now, wanted);
    } catch (error) {
      // What was there has room, and what is removed needs none.
      change(fd, now, before);
      throw error;
    }
  }
}

/** Brings `now`, and what the kernel has, to `wanted`. */
function change(fd: number, now: Map<string, string>, wanted: ReadonlyMap<string, string>): void {
  const put = (peer: string, key: string): void => setMd5Key(fd, { peer: subject(peer), key });
  for (const [peer, key] of wanted) {
    if (now.get(peer) === key) continue;
    put(peer, key);
    now.set(peer, key);
  }
  for (const peer of now.keys()) {
    if (wanted.has(peer)) continue;
    put(peer, "");
    now.delete(peer);
  }
}

export function subject(peer: string): Md5Key["peer"] {
  return peer.includes("/") ? Prefix.parse(peer) : parseScoped(peer);
}
