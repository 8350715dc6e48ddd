import { timingSafeEqual } from "node:crypto";
import { siphash24 } from "./siphash.ts";

const CLIENT = 8;
const SERVER = 16;
/** RFC 9018 §4.3: cookies are good for an hour, and five minutes of clock difference are allowed. */
const OLDEST = 3600;
const NEWEST = 300;

/**
 * Server cookies (RFC 7873, RFC 9018 §4): a client that returns one has proved that it receives at its address. Servers with
 * one address need one secret.
 *
 * @param secret 16 octets
 * @param previous the secret before, whose cookies are still taken while clients learn the new ones
 */
export class Cookies {
  readonly #secret: Uint8Array;
  readonly #previous: Uint8Array | undefined;

  constructor(secret: Uint8Array, previous?: Uint8Array) {
    this.#secret = secret;
    this.#previous = previous;
  }

  /** True for lengths a COOKIE option may have (RFC 7873 §5.2.2). */
  static isWellFormed(length: number): boolean {
    return length === CLIENT || (length >= CLIENT + 8 && length <= CLIENT + 32);
  }

  /**
   * @param option the COOKIE option's data as it came
   * @param client its address, 4 or 16 octets
   * @param now seconds since 1970
   */
  isValid(option: Uint8Array, client: Uint8Array, now: number): boolean {
    if (option.length !== CLIENT + SERVER || option[CLIENT] !== 1) return false;
    const made = new DataView(option.buffer, option.byteOffset + CLIENT + 4).getUint32(0);
    const age = (Math.floor(now) - made) | 0; // RFC 9018 §4.3: serial number arithmetic
    if (age > OLDEST || age < -NEWEST) return false;
    const secrets = this.#previous === undefined ? [this.#secret] : [this.#secret, this.#previous];
    return secrets.some((secret) =>
      timingSafeEqual(hash(secret, option, client), option.subarray(CLIENT + 8, CLIENT + SERVER)),
    );
  }

  /** The option's data for the answer: the client's part, and a fresh server's part. */
  make(option: Uint8Array, client: Uint8Array, now: number): Uint8Array {
    const made = new Uint8Array(CLIENT + SERVER);
    made.set(option.subarray(0, CLIENT));
    made[CLIENT] = 1;
    new DataView(made.buffer).setUint32(CLIENT + 4, Math.floor(now) >>> 0);
    made.set(hash(this.#secret, made, client), CLIENT + 8);
    return made;
  }
}

function hash(secret: Uint8Array, option: Uint8Array, client: Uint8Array): Uint8Array {
  const input = new Uint8Array(CLIENT + 8 + client.length);
  input.set(option.subarray(0, CLIENT + 8));
  input.set(client, CLIENT + 8);
  return siphash24(secret, input);
}
