import type { Name } from "./name.ts";
import { NameTable } from "./name-table.ts";

/** What {@link Writer} throws when the message would outgrow its limit; callers rewind and truncate. */
export class Overflow extends RangeError {
  override readonly name = "Overflow";
}

/** Writes a message from front to back into a buffer that grows up to a limit, compressing names. */
export class Writer {
  at = 0;
  readonly limit: number;
  #bytes: Uint8Array;
  #names: NameTable | undefined;

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
    this.nameAt(name.wire, 0);
  }

  /** As {@link name}, for a name within other octets. */
  nameAt(wire: Uint8Array, start: number): void {
    this.#names ??= new NameTable();
    const { literal, pointer } = this.#names.place(wire, start, this.#bytes, this.at);
    this.#room(literal + 2);
    const bytes = this.#bytes;
    for (let i = 0; i < literal; i++) bytes[this.at++] = wire[start + i] ?? 0;
    if (pointer === 0) bytes[this.at++] = 0;
    else {
      bytes[this.at++] = 0xc0 | (pointer >>> 8);
      bytes[this.at++] = pointer;
    }
  }

  /** Takes back everything written from `offset` on. */
  rewind(offset: number): void {
    this.at = offset;
    this.#names?.rewind(offset);
  }

  /** Starts a new message. */
  reset(): void {
    this.at = 0;
    this.#names?.rewind(0);
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
