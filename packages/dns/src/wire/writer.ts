import { type Name, parentKey } from "./name.ts";

/** Pointers have 14 bits (RFC 1035 §4.1.4). */
const MAX_POINTER = 0x3fff;

/** What {@link Writer} throws when the message would outgrow its limit; callers rewind and truncate. */
export class Overflow extends RangeError {
  override readonly name = "Overflow";
}

/** Writes a message from front to back into a buffer that grows up to a limit, compressing names. */
export class Writer {
  at = 0;
  readonly limit: number;
  #bytes: Uint8Array;
  #offsets = new Map<string, number>();

  constructor(limit = 0xffff, bytes: Uint8Array = new Uint8Array(Math.min(limit, 512))) {
    this.limit = limit;
    this.#bytes = bytes;
  }

  /** What has been written, not copied. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.at);
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.at++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#bytes[this.at++] = value >>> 8;
    this.#bytes[this.at++] = value;
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.at);
    this.at += value.length;
  }

  /** Overwrites two octets that were written before. */
  patch16(offset: number, value: number): void {
    this.#bytes[offset] = value >>> 8;
    this.#bytes[offset + 1] = value;
  }

  /** A name, whose longest suffix that was written before becomes a pointer to it. */
  name(name: Name): void {
    const { wire } = name;
    let key = name.key;
    for (let from = 0; ; ) {
      const length = wire[from] ?? 0;
      if (length === 0) {
        this.u8(0);
        return;
      }
      const known = this.#offsets.get(key);
      if (known !== undefined) {
        this.u16(0xc000 | known);
        return;
      }
      if (this.at <= MAX_POINTER) this.#offsets.set(key, this.at);
      this.bytes(wire.subarray(from, from + length + 1));
      from += length + 1;
      key = parentKey(key);
    }
  }

  /** Takes back everything written from `offset` on. */
  rewind(offset: number): void {
    this.at = offset;
    for (const [key, at] of this.#offsets) if (at >= offset) this.#offsets.delete(key);
  }

  /** Starts a new message. */
  reset(): void {
    this.at = 0;
    this.#offsets.clear();
  }

  #room(length: number): void {
    const need = this.at + length;
    if (need > this.limit) throw new Overflow(`a message of more than ${this.limit} octets`);
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(this.limit, Math.max(need, this.#bytes.length * 2)));
    grown.set(this.written);
    this.#bytes = grown;
  }
}
