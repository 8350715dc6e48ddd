import { Address } from "@trivet/ip";
import { RecordError, WireError } from "../error.ts";
import { Name, readEscape } from "./name.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** One word of a record's text. Escapes are still in it. */
export interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** The words of a record's data, taken from front to back. */
export class Tokens {
  readonly origin: Name;
  #words: readonly Token[];
  #at = 0;

  constructor(words: readonly Token[], origin: Name) {
    this.#words = words;
    this.origin = origin;
  }

  get left(): number {
    return this.#words.length - this.#at;
  }

  /** @throws RecordError when there is none */
  next(what: string): Token {
    const word = this.#words[this.#at++];
    if (word === undefined) throw new RecordError(this.toString(), `lacks ${what}`);
    return word;
  }

  /** All that are left, joined: base64 and hexadecimal may be written with spaces in between. */
  rest(): string {
    const text = this.#words.slice(this.#at).map((word) => word.text);
    this.#at = this.#words.length;
    return text.join("");
  }

  toString(): string {
    return this.#words.map((word) => word.text).join(" ");
  }
}

/** One field of a record's data, in its three forms. */
export interface Field {
  /** True for domain names, which are compared without case and may need work when a message is read or written. */
  readonly isName?: boolean;
  /** Checks the field in a message (or in stored data) and writes it without compression. */
  copy(from: Reader, to: Writer): void;
  /** The text form; reads stored data. */
  print(from: Reader): string;
  /** Reads the text form. */
  parse(from: Tokens, to: Writer): void;
}

function integer(bits: 8 | 16 | 32): Field {
  const size = bits / 8;
  const read = (from: Reader): number => (bits === 8 ? from.u8() : bits === 16 ? from.u16() : from.u32());
  return {
    copy: (from, to) => to.bytes(from.take(size)),
    print: (from) => String(read(from)),
    parse(from, to) {
      const value = parseInteger(from.next(`a ${bits}-bit number`).text, 2 ** bits - 1);
      if (bits === 8) to.u8(value);
      else if (bits === 16) to.u16(value);
      else to.u32(value);
    },
  };
}

export const u8 = integer(8);
export const u16 = integer(16);
export const u32 = integer(32);

/** A 32-bit count of seconds, which text may write as `1h30m`. */
export const period: Field = {
  copy: (from, to) => to.bytes(from.take(4)),
  print: (from) => String(from.u32()),
  parse: (from, to) => to.u32(parsePeriod(from.next("a time in seconds").text)),
};

export const name: Field = {
  isName: true,
  copy: (from, to) => to.bytes(from.name().wire),
  print: (from) => from.name().toString(),
  parse: (from, to) => to.bytes(parseName(from.next("a domain name").text, from.origin).wire),
};

function address(family: 4 | 6): Field {
  const size = family === 4 ? 4 : 16;
  return {
    copy: (from, to) => to.bytes(from.take(size)),
    print: (from) => Address.fromBytes(from.take(size)).toString(),
    parse(from, to) {
      const { text } = from.next(`an IPv${family} address`);
      const parsed = Address.tryParse(text);
      if (parsed?.family !== family) throw new RecordError(text, `is no IPv${family} address`);
      to.bytes(parsed.bytes);
    },
  };
}

export const ipv4 = address(4);
export const ipv6 = address(6);

/** A length octet and up to 255 octets (RFC 1035 §3.3 "character-string"). */
export const string: Field = {
  copy(from, to) {
    const length = from.u8();
    to.u8(length);
    to.bytes(from.take(length));
  },
  print: (from) => quote(from.take(from.u8())),
  parse(from, to) {
    const octets = unescape(from.next("a string").text);
    if (octets.length > 255) throw new RecordError(from.toString(), "has a string of more than 255 octets");
    to.u8(octets.length);
    to.bytes(octets);
  },
};

/** One or more strings, up to the end of the data. */
export const strings: Field = {
  copy(from, to) {
    do string.copy(from, to);
    while (from.left > 0);
  },
  print(from) {
    const texts = [];
    while (from.left > 0) texts.push(string.print(from));
    return texts.join(" ");
  },
  parse(from, to) {
    do string.parse(from, to);
    while (from.left > 0);
  },
};

/** Octets up to the end of the data, written as one quoted string (CAA, URI). */
export const text: Field = {
  copy: (from, to) => to.bytes(from.take(from.left)),
  print: (from) => quote(from.take(from.left)),
  parse: (from, to) => to.bytes(unescape(from.next("a quoted text").text)),
};

/** A CAA tag: a string of letters and digits, written without quotes (RFC 8659 §4.1). */
export const tag: Field = {
  copy(from, to) {
    const length = from.u8();
    const octets = from.take(length);
    checkTag(Buffer.from(octets).toString("latin1"), (problem) => new WireError(problem));
    to.u8(length);
    to.bytes(octets);
  },
  print: (from) => Buffer.from(from.take(from.u8())).toString("latin1"),
  parse(from, to) {
    const { text: word } = from.next("a tag");
    checkTag(word, (problem) => new RecordError(word, problem));
    to.u8(word.length);
    to.bytes(Buffer.from(word, "latin1"));
  },
};

function checkTag(word: string, fail: (problem: string) => Error): void {
  if (!/^[0-9a-zA-Z]{1,255}$/.test(word)) throw fail("is no CAA tag of letters and digits");
}

/** Octets up to the end of the data, in base64 or hexadecimal. */
function blob(encoding: "base64" | "hex"): Field {
  return {
    copy: (from, to) => to.bytes(from.take(from.left)),
    print: (from) => encode(from.take(from.left), encoding),
    parse: (from, to) => to.bytes(decode(from.rest(), encoding)),
  };
}

export const base64 = blob("base64");
export const hex = blob("hex");

/** A length octet and octets in hexadecimal; none are written `-` (RFC 5155 §3.3). */
export const salt: Field = {
  copy: (from, to) => string.copy(from, to),
  print(from) {
    const octets = from.take(from.u8());
    return octets.length === 0 ? "-" : encode(octets, "hex");
  },
  parse(from, to) {
    const { text: word } = from.next("a salt");
    const octets = word === "-" ? new Uint8Array() : decode(word, "hex");
    to.u8(octets.length);
    to.bytes(octets);
  },
};

/** A fixed count of octets, written `00-00-5e-00-53-2a` (RFC 7043). */
export function eui(size: 6 | 8): Field {
  return {
    copy: (from, to) => to.bytes(from.take(size)),
    print: (from) => Array.from(from.take(size), (octet) => octet.toString(16).padStart(2, "0")).join("-"),
    parse(from, to) {
      const { text: word } = from.next(`an EUI-${size * 8} address`);
      const octets = word.split("-");
      if (octets.length !== size || octets.some((octet) => !/^[0-9a-fA-F]{2}$/.test(octet)))
        throw new RecordError(word, `is no EUI-${size * 8} address`);
      to.bytes(Uint8Array.from(octets, (octet) => Number.parseInt(octet, 16)));
    },
  };
}

/** Seconds since 1970, written YYYYMMDDHHmmSS (RFC 4034 §3.2). */
export const time: Field = {
  copy: (from, to) => to.bytes(from.take(4)),
  print: (from) =>
    new Date(from.u32() * 1000)
      .toISOString()
      .replace(/\.\d+Z$/, "")
      .replaceAll(/[-T:]/g, ""),
  parse(from, to) {
    const { text: word } = from.next("a time");
    const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(word);
    if (parts === null) {
      to.u32(parseInteger(word, 0xffffffff));
      return;
    }
    const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
    const at = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second) / 1000;
    if (Number.isNaN(at) || at < 0 || at > 0xffffffff) throw new RecordError(word, "is no time YYYYMMDDHHmmSS");
    to.u32(at);
  },
};

/** @throws RecordError when the text is no whole number from 0 to `max` */
export function parseInteger(word: string, max: number): number {
  if (!/^\d{1,10}$/.test(word) || Number(word) > max)
    throw new RecordError(word, `is no whole number from 0 to ${max}`);
  return Number(word);
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Reads seconds, plain or as `1w2d3h4m5s`; at most 2^31 - 1 (RFC 2181 §8). */
export function parsePeriod(word: string): number {
  const seconds = /^\d{1,10}$/.test(word)
    ? Number(word)
    : [...word.toLowerCase().matchAll(/(\d{1,10})([smhdw])/g)].reduce(
        (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0),
        0,
      );
  if (!/^(\d{1,10}|(\d{1,10}[smhdwSMHDW])+)$/.test(word) || seconds > 0x7fffffff)
    throw new RecordError(word, "is no time in seconds (or 1w2d3h4m5s) up to 2147483647");
  return seconds;
}

export function parseName(word: string, origin: Name): Name {
  return word === "@" ? origin : Name.parse(word, origin);
}

/** The octets as a quoted string with escapes (RFC 1035 §5.1). */
export function quote(octets: Uint8Array): string {
  let quoted = '"';
  for (const octet of octets) {
    if (octet < 0x20 || octet > 0x7e) quoted += `\\${String(octet).padStart(3, "0")}`;
    else quoted += octet === 0x22 || octet === 0x5c ? `\\${String.fromCharCode(octet)}` : String.fromCharCode(octet);
  }
  return `${quoted}"`;
}

/** The octets a string stands for; characters outside ASCII become UTF-8. */
export function unescape(word: string): Uint8Array {
  if (!word.includes("\\")) return Buffer.from(word, "utf8");
  const parts: Buffer[] = [];
  for (let i = 0; i < word.length; i++) {
    if (word[i] === "\\") {
      const [octet, last] = readEscape(word, i);
      parts.push(Buffer.of(octet));
      i = last;
    } else {
      const plain = /^[^\\]+/.exec(word.slice(i))?.[0] ?? "";
      parts.push(Buffer.from(plain, "utf8"));
      i += plain.length - 1;
    }
  }
  return Buffer.concat(parts);
}

export function encode(octets: Uint8Array, encoding: "base64" | "hex"): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString(encoding);
}

export function decode(word: string, encoding: "base64" | "hex"): Uint8Array {
  const good =
    encoding === "hex"
      ? /^([0-9a-fA-F]{2})*$/.test(word)
      : /^[A-Za-z0-9+/]*={0,2}$/.test(word) && word.length % 4 === 0;
  if (!good) throw new RecordError(word, `is no ${encoding === "hex" ? "hexadecimal text" : "base64"}`);
  return Buffer.from(word, encoding);
}
