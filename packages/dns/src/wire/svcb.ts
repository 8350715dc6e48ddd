import { Address } from "@trivet/ip";
import { RecordError, WireError } from "../error.ts";
import { type Field, decode, encode, parseInteger, quote, unescape } from "./field.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** Service parameters of SVCB and HTTPS (RFC 9460 §2.1). */
const KEYS = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath"] as const;

export const serviceParameters: Field = {
  copy(from, to) {
    let previous = -1;
    while (from.left > 0) {
      const key = from.u16();
      if (key <= previous) throw new WireError("service parameters out of order");
      previous = key;
      const value = from.take(from.u16());
      if (!isWellFormed(key, value)) throw new WireError(`a malformed ${keyText(key)} parameter`);
      to.u16(key);
      to.u16(value.length);
      to.bytes(value);
    }
  },
  print(from) {
    const parameters: string[] = [];
    while (from.left > 0) {
      const key = from.u16();
      const value = printValue(key, from.take(from.u16()));
      parameters.push(value === "" ? keyText(key) : `${keyText(key)}=${value}`);
    }
    return parameters.join(" ");
  },
  parse(from, to) {
    const values = new Map<number, Uint8Array>();
    while (from.left > 0) {
      const { text } = from.next("a parameter");
      const equals = text.indexOf("=");
      const key = parseKey(equals < 0 ? text : text.slice(0, equals));
      if (values.has(key)) throw new RecordError(text, "repeats a parameter");
      values.set(key, parseValue(key, equals < 0 ? "" : text.slice(equals + 1).replaceAll(/^"|"$/g, "")));
    }
    for (const [key, value] of [...values].sort(([a], [b]) => a - b)) {
      if (!isWellFormed(key, value))
        throw new RecordError(from.toString(), `has a malformed ${keyText(key)} parameter`);
      to.u16(key);
      to.u16(value.length);
      to.bytes(value);
    }
  },
};

function keyText(key: number): string {
  return KEYS[key] ?? `key${key}`;
}

function parseKey(text: string): number {
  const known = (KEYS as readonly string[]).indexOf(text.toLowerCase());
  if (known >= 0) return known;
  if (!/^key\d{1,5}$/.test(text)) throw new RecordError(text, "is no service parameter");
  return parseInteger(text.slice(3), 0xffff);
}

function isWellFormed(key: number, value: Uint8Array): boolean {
  const known = KEYS[key];
  switch (known) {
    case "mandatory":
      return value.length > 0 && value.length % 2 === 0;
    case "alpn":
      return value.length > 0 && lengthPrefixed(value) !== undefined;
    case "no-default-alpn":
      return value.length === 0;
    case "port":
      return value.length === 2;
    case "ipv4hint":
      return value.length > 0 && value.length % 4 === 0;
    case "ipv6hint":
      return value.length > 0 && value.length % 16 === 0;
    case "ech":
    case "dohpath":
    case undefined:
      return true;
    default:
      return known satisfies never;
  }
}

function lengthPrefixed(value: Uint8Array): Uint8Array[] | undefined {
  const items = [];
  for (let at = 0; at < value.length; at += 1 + (value[at] ?? 0)) {
    const length = value[at] ?? 0;
    if (length === 0 || at + 1 + length > value.length) return undefined;
    items.push(value.subarray(at + 1, at + 1 + length));
  }
  return items;
}

function printValue(key: number, value: Uint8Array): string {
  const known = KEYS[key];
  switch (known) {
    case "mandatory": {
      const from = new Reader(value);
      return Array.from({ length: value.length / 2 }, () => keyText(from.u16())).join(",");
    }
    case "alpn": {
      // A comma or backslash inside an item is escaped twice: for the list, then for the string (RFC 9460 appendix A.1).
      const items = lengthPrefixed(value) ?? [];
      const list = items
        .map((item) =>
          Buffer.from(item)
            .toString("latin1")
            .replaceAll(/[\\,]/g, String.raw`\$&`),
        )
        .join(",");
      return quote(Buffer.from(list, "latin1"));
    }
    case "no-default-alpn":
      return "";
    case "port":
      return String(new Reader(value).u16());
    case "ipv4hint":
      return addresses(value, 4);
    case "ipv6hint":
      return addresses(value, 16);
    case "ech":
      return encode(value, "base64");
    case "dohpath":
    case undefined:
      return value.length === 0 ? "" : quote(value);
    default:
      return known satisfies never;
  }
}

function addresses(value: Uint8Array, size: 4 | 16): string {
  const texts = [];
  for (let at = 0; at < value.length; at += size)
    texts.push(Address.fromBytes(value.subarray(at, at + size)).toString());
  return texts.join(",");
}

function parseValue(key: number, text: string): Uint8Array {
  const out = new Writer();
  const known = KEYS[key];
  switch (known) {
    case "mandatory":
      for (const name of text
        .split(",")
        .map(parseKey)
        .sort((a, b) => a - b))
        out.u16(name);
      break;
    case "alpn": {
      const list = Buffer.from(unescape(text)).toString("latin1");
      for (const item of list.match(/(\\.|[^,\\])+/g) ?? []) {
        const octets = Buffer.from(item.replaceAll(/\\(.)/g, "$1"), "latin1");
        out.u8(octets.length);
        out.bytes(octets);
      }
      break;
    }
    case "port":
      out.u16(parseInteger(text, 0xffff));
      break;
    case "ipv4hint":
    case "ipv6hint":
      for (const word of text.split(",")) {
        const address = Address.tryParse(word);
        if (address?.family !== (key === 4 ? 4 : 6)) throw new RecordError(word, "is no address for this hint");
        out.bytes(address.bytes);
      }
      break;
    case "ech":
      out.bytes(decode(text, "base64"));
      break;
    case "no-default-alpn":
    case "dohpath":
    case undefined:
      out.bytes(unescape(text));
      break;
  }
  return out.written;
}
