import { WireError } from "../error.ts";
import type { Field } from "./field.ts";
import { parseType, typeText } from "./mnemonic.ts";
import { Writer } from "./writer.ts";

/** The types present at a name: blocks of up to 32 octets (RFC 4034 §4.1.2). */
export const bitmap: Field = {
  copy(from, to) {
    let previous = -1;
    while (from.left > 0) {
      const block = from.u8();
      const length = from.u8();
      if (block <= previous || length === 0 || length > 32) throw new WireError("a malformed type bitmap");
      previous = block;
      to.u8(block);
      to.u8(length);
      to.bytes(from.take(length));
    }
  },
  print(from) {
    const types: string[] = [];
    while (from.left > 0) {
      const block = from.u8();
      for (const [index, octet] of from.take(from.u8()).entries())
        for (let bit = 0; bit < 8; bit++)
          if ((octet & (0x80 >> bit)) !== 0) types.push(typeText(block * 256 + index * 8 + bit));
    }
    return types.join(" ");
  },
  parse(from, to) {
    const blocks = new Map<number, Uint8Array>();
    while (from.left > 0) {
      const type = parseType(from.next("a record type").text);
      const block = blocks.get(type >> 8) ?? new Uint8Array(32);
      blocks.set(type >> 8, block);
      block[(type & 0xff) >> 3] = (block[(type & 0xff) >> 3] ?? 0) | (0x80 >> (type & 7));
    }
    const out = new Writer();
    for (const [number, block] of [...blocks].sort(([a], [b]) => a - b)) {
      const used = block.findLastIndex((octet) => octet !== 0) + 1;
      out.u8(number);
      out.u8(used);
      out.bytes(block.subarray(0, used));
    }
    to.bytes(out.written);
  },
};
