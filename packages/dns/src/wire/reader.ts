import { WireError } from "../error.ts";
import { Name } from "./name.ts";

/** Reads a message, or part of one, from front to back. Every read checks the bounds. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  /** Reading stops here; names may still point anywhere before. */
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    this.#need(1);
    return this.bytes[this.at++] ?? 0;
  }

  u16(): number {
    return this.u8() * 0x100 + this.u8();
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16();
  }

  /** The next `length` octets, not copied. */
  take(length: number): Uint8Array {
    this.#need(length);
    const start = this.at;
    this.at += length;
    return this.bytes.subarray(start, this.at);
  }

  name(): Name {
    const { name, end } = Name.readFrom(this.bytes, this.at);
    if (end > this.end) throw new WireError("a name runs over the end of its record");
    this.at = end;
    return name;
  }

  #need(length: number): void {
    if (this.at + length > this.end) throw new WireError("the message is cut short");
  }
}
