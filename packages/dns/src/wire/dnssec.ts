import { RecordError } from "../error.ts";
import type { Field } from "./field.ts";
import { parseType, typeText } from "./mnemonic.ts";

/** The type an RRSIG covers (RFC 4034 §3.1.1). */
export const typeCovered: Field = {
  copy: (from, to) => to.u16(from.u16()),
  print: (from) => typeText(from.u16()),
  parse: (from, to) => to.u16(parseType(from.next("a record type").text)),
};

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";

/** A length octet and octets in base32hex without padding (RFC 5155 §3.3). */
export const hash: Field = {
  copy(from, to) {
    const length = from.u8();
    to.u8(length);
    to.bytes(from.take(length));
  },
  print(from) {
    const bits = Array.from(from.take(from.u8()), (octet) => octet.toString(2).padStart(8, "0")).join("");
    return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five.padEnd(5, "0"), 2)]).join("");
  },
  parse(from, to) {
    const { text } = from.next("a hash");
    if (!/^[0-9a-v]+$/i.test(text)) throw new RecordError(text, "is no base32hex text");
    const bits = Array.from(text.toLowerCase(), (digit) => ALPHABET.indexOf(digit).toString(2).padStart(5, "0")).join(
      "",
    );
    const octets = bits.match(/.{8}/g) ?? [];
    to.u8(octets.length);
    for (const octet of octets) to.u8(Number.parseInt(octet, 2));
  },
};
