import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordError, WireError } from "../src/error.ts";
import { parseType, typeText } from "../src/wire/mnemonic.ts";
import { isNewer, rdataKey, rdataText, readRdata, txtRdata } from "../src/wire/rdata.ts";
import { record } from "../src/wire/record.ts";
import { RECORD_TYPES } from "../src/wire/types.ts";

/** Type, canonical text, and the octets in hexadecimal where the RFC's example has them. */
const EXAMPLES: [type: string, text: string, wire?: string][] = [
  ["A", "192.0.2.1", "c0000201"],
  ["NS", "ns1.example.org."],
  ["CNAME", "www.example.org."],
  ["SOA", "ns1.example.org. hostmaster.example.org. 2024010101 3600 900 604800 300"],
  ["PTR", "host.example.org."],
  ["HINFO", '"PC-Intel-700mhz" "Debian 12"'],
  ["MINFO", "a.example.org. b.example.org."],
  ["MX", "10 mail.example.org.", "000a046d61696c076578616d706c65036f726700"],
  ["TXT", String.raw`"one" "t\"w\\o\255"`],
  ["RP", "mbox.example.org. txt.example.org."],
  ["AFSDB", "1 afs.example.org."],
  ["AAAA", "2001:db8::1"],
  ["SRV", "0 5 5060 sip.example.org."],
  ["NAPTR", '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .'],
  ["KX", "10 kx.example.org."],
  ["CERT", "1 0 0 MTIzNDU2"],
  ["DNAME", "other.example."],
  ["DS", "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"],
  ["SSHFP", "4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789"],
  ["RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0"],
  ["NSEC", "host.example.com. A MX RRSIG NSEC TYPE1234"],
  ["DNSKEY", "256 3 5 AQPSKmynfzW4kyBv"],
  ["DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="],
  ["NSEC3", "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG"],
  ["NSEC3PARAM", "1 0 12 -"],
  ["TLSA", "3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"],
  ["SMIMEA", "3 1 1 d2abde24"],
  ["CDS", "0 0 0 00"],
  ["CDNSKEY", "0 3 0 AA=="],
  ["OPENPGPKEY", "mQCNAzIG"],
  ["CSYNC", "66 3 A NS AAAA"],
  ["ZONEMD", "2018031500 1 1 febe3d4c"],
  ["SVCB", '1 . alpn="h2,h3" port=8004 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 key667="x"'],
  ["HTTPS", "0 foo.example.com."],
  ["SPF", '"v=spf1 -all"'],
  ["EUI48", "00-00-5e-00-53-2a", "00005e00532a"],
  ["EUI64", "00-00-5e-ef-10-00-00-2a", "00005eef1000002a"],
  ["URI", '10 1 "ftp://ftp1.example.com/public"'],
  ["CAA", '0 issue "ca.example.net; account=1"'],
  ["TYPE65280", String.raw`\# 4 0a000001`, "0a000001"],
  ["TYPE65281", String.raw`\# 0`, ""],
];

describe("record data: text and wire forms", () => {
  test("every known type has an example here", () => {
    const shown = new Set(EXAMPLES.map(([type]) => parseType(type)));
    expect(RECORD_TYPES.filter(({ type }) => !shown.has(type)).map(({ type }) => typeText(type))).toEqual([]);
  });

  test.each(EXAMPLES)("%s %s", (type, text, wire) => {
    const { rdata, type: number } = record("example.org.", 60, type, text);
    expect(rdataText(number, rdata)).toBe(text);
    if (wire !== undefined) expect(Buffer.from(rdata).toString("hex")).toBe(wire);
  });

  test.each(EXAMPLES)("%s %s, in the generic form of RFC 3597 §5", (type, text) => {
    const { rdata } = record("example.org.", 60, type, text);
    const generic = String.raw`\# ${rdata.length} ${Buffer.from(rdata).toString("hex")}`;
    expect(record("example.org.", 60, type, generic).rdata).toEqual(rdata);
  });

  test.each(EXAMPLES.filter(([type]) => !type.startsWith("TYPE")))(
    "%s: no part of it can be cut off unnoticed or unpunished by anything but a WireError",
    (type, text) => {
      const { rdata, type: number } = record("example.org.", 60, type, text);
      for (let length = 0; length < rdata.length; length++) {
        try {
          expect(readRdata(number, rdata.slice(0, length), 0, length)).toHaveLength(length);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }
    },
  );
});

describe("data that is refused", () => {
  test.each([
    ["A", "192.0.2.256", "no IPv4 address"],
    ["A", "2001:db8::1", "no IPv4 address"],
    ["A", "192.0.2.1 192.0.2.2", "more than its type takes"],
    ["A", String.raw`\# 5 0102030405`, "malformed"],
    ["A", String.raw`\# 4 01020304 05`, "has 5 octets, not 4"],
    ["AAAA", "::ffff:1.2.3", "no IPv6 address"],
    ["MX", "65536 a.", "no whole number from 0 to 65535"],
    ["MX", "10", "lacks a domain name"],
    ["TXT", `"${"x".repeat(256)}"`, "more than 255 octets"],
    ["CAA", "0 is-sue x", "no CAA tag"],
    ["SOA", "a. b. 1 2 3 4 9999999999", "no time in seconds"],
    ["DS", "1 2 3 xyz", "no hexadecimal text"],
    ["SVCB", "1 . port=1 port=2", "repeats a parameter"],
    ["TYPE65280", "hello", "its type is unknown"],
    ["NOTATYPE", "x", "is no record type"],
  ])("%s %s", (type, text, problem) => {
    expect(() => record("example.org.", 60, type, text)).toThrow(RecordError);
    expect(() => record("example.org.", 60, type, text)).toThrow(problem);
  });
});

describe("helpers", () => {
  test("txtRdata splits long texts into strings (RFC 7208 §3.3)", () => {
    const rdata = txtRdata("x".repeat(300), "");
    expect([rdata[0], rdata[256], rdata[302]]).toEqual([255, 45, 0]);
    expect(rdata).toHaveLength(303);
  });

  test("rdataKey ignores the case of names and nothing else (RFC 4034 §6.2)", () => {
    const key = (type: string, text: string): string => {
      const made = record("x.", 1, type, text);
      return rdataKey(made.type, made.rdata);
    };
    expect(key("MX", "10 A.example.")).toBe(key("MX", "10 a.example."));
    expect(key("MX", "10 a.example.")).not.toBe(key("MX", "20 a.example."));
    expect(key("TXT", '"A"')).not.toBe(key("TXT", '"a"'));
  });

  test("RFC 1982 serial arithmetic", () => {
    expect(isNewer(1, 0)).toBe(true);
    expect(isNewer(0, 0)).toBe(false);
    expect(isNewer(0, 0xffffffff)).toBe(true);
    expect(isNewer(0x80000001, 0)).toBe(false);
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(0xffffffff), (a, b) => {
        expect(isNewer(a, b) && isNewer(b, a)).toBe(false);
      }),
    );
  });
});
