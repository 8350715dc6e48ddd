import { describe, expect, test } from "vitest";
import { EncodeError } from "../../src/error.ts";
import { type Capability, IPV4_UNICAST, IPV6_UNICAST, type OpenMessage, encodeMessage } from "../../src/wire/index.ts";
import { address, external, fault, frame, hex, readAll, readOne, toHex } from "./bytes.ts";

const open = (body: string): Uint8Array => frame(1, hex(body));
const read = (body: string): OpenMessage => {
  const message = readOne(open(body));
  if (message.kind !== "open") throw new Error("no OPEN");
  return message;
};
const base: OpenMessage = {
  kind: "open",
  asn: 64496,
  holdTime: 90,
  identifier: address("192.0.2.1"),
  capabilities: [],
};
/** Version 4, AS 64496, hold time 90, 192.0.2.1 */
const BASE = "04 fbf0 005a c0000201";

describe("RFC 4271 §4.2 OPEN", () => {
  test("without optional parameters", () => {
    expect(encodeMessage(base, external)).toEqual(open(`${BASE} 00`));
    expect(read(`${BASE} 00`)).toEqual(base);
  });

  test("RFC 6793 §4.1: the capability's AS number counts, and AS_TRANS stands in the header", () => {
    const wide: OpenMessage = { ...base, asn: 4200000001, capabilities: [{ kind: "four-octet-as", asn: 4200000001 }] };
    const body = "04 5ba0 005a c0000201 08 02 06 41 04 fa56ea01";
    expect(toHex(encodeMessage(wide, external))).toBe(toHex(open(body)));
    expect(read(body)).toEqual(wide);
  });

  test.each<[string, Capability, string]>([
    ["RFC 4760 multiprotocol", { kind: "multiprotocol", family: IPV6_UNICAST }, "01 04 0002 00 01"],
    ["RFC 2918 route refresh", { kind: "route-refresh" }, "02 00"],
    [
      "RFC 8950 extended next hop",
      { kind: "extended-next-hop", entries: [{ family: IPV4_UNICAST, nextHopAfi: 2 }] },
      "05 06 0001 0001 0002",
    ],
    ["RFC 8654 extended message", { kind: "extended-message" }, "06 00"],
    ["RFC 9234 role", { kind: "role", role: "customer" }, "09 01 03"],
    [
      "RFC 4724 graceful restart, R and F set, and N of RFC 8538",
      {
        kind: "graceful-restart",
        restarting: true,
        notification: true,
        restartTime: 120,
        families: [
          { family: IPV4_UNICAST, forwarding: true },
          { family: IPV6_UNICAST, forwarding: false },
        ],
      },
      "40 0a c078 0001 01 80 0002 01 00",
    ],
    [
      "a graceful restart helper",
      { kind: "graceful-restart", restarting: false, notification: false, restartTime: 0, families: [] },
      "40 02 0000",
    ],
    ["RFC 6793 four-octet AS", { kind: "four-octet-as", asn: 64496 }, "41 04 0000fbf0"],
    ["RFC 7313 enhanced route refresh", { kind: "enhanced-route-refresh" }, "46 00"],
    ["FQDN", { kind: "fqdn", hostname: "r1", domain: "ex" }, "49 06 02 7231 02 6578"],
    ["one not known here (LLGR)", { kind: "unknown", code: 71, value: hex("00010100000078") }, "47 07 00010100000078"],
  ])("capability: %s", (_, capability, bytes) => {
    const octets = hex(bytes).length;
    const body = `${BASE} ${toHex(Uint8Array.of(octets + 2))} 02 ${toHex(Uint8Array.of(octets))} ${bytes}`;
    expect(read(body).capabilities).toEqual([capability]);
    expect(toHex(encodeMessage({ ...base, capabilities: [capability] }, external))).toBe(toHex(open(body)));
  });

  test.each([
    ["multiprotocol of 3 octets", "01 03 000201"],
    ["role 5, which is not assigned", "09 01 05"],
    ["graceful restart of 3 octets", "40 03 c07800"],
    ["four-octet AS of 2 octets", "41 02 fbf0"],
    ["extended next hop of 5 octets", "05 05 0001000100"],
    ["FQDN that is longer than itself", "49 02 0561"],
    ["FQDN that is no UTF-8", "49 03 01ff00"],
  ])("a malformed capability is as good as one not known: %s", (_, bytes) => {
    const value = hex(bytes);
    const octets = value.length;
    const body = `${BASE} ${toHex(Uint8Array.of(octets + 2))} 02 ${toHex(Uint8Array.of(octets))} ${bytes}`;
    expect(read(body).capabilities).toEqual([{ kind: "unknown", code: value[0], value: value.slice(2) }]);
  });

  test("RFC 5492 §4: several parameters, several capabilities in one, repeated ones", () => {
    expect(read(`${BASE} 0c 02 04 0200 0600 02 04 0200 4600`).capabilities.map(({ kind }) => kind)).toEqual([
      "route-refresh",
      "extended-message",
      "route-refresh",
      "enhanced-route-refresh",
    ]);
  });
});

describe("RFC 9072 extended optional parameters", () => {
  const many: OpenMessage = {
    ...base,
    capabilities: Array.from({ length: 60 }, (_, i) => ({ kind: "unknown", code: 128 + i, value: hex("010203") })),
  };

  test("are written when 255 octets do not suffice, and only then", () => {
    const bytes = encodeMessage(many, external);
    expect(toHex(bytes.subarray(28, 35))).toBe("ffff012f02012c");
    expect(readOne(bytes)).toEqual(many);
    expect(encodeMessage({ ...many, capabilities: many.capabilities.slice(0, 50) }, external)[28]).toBe(252);
    expect(encodeMessage({ ...many, capabilities: many.capabilities.slice(0, 51) }, external)[28]).toBe(255);
  });

  test("are read whatever the one-octet length says, and when they are short", () => {
    expect(read(`${BASE} 09 ff 0005 02 0002 0200`).capabilities).toEqual([{ kind: "route-refresh" }]);
  });

  test("have an end", () => {
    const endless = Array.from({ length: 20 }, () => ({
      kind: "unknown" as const,
      code: 1,
      value: new Uint8Array(255),
    }));
    expect(() => encodeMessage({ ...base, capabilities: endless }, external)).toThrow(EncodeError);
  });
});

describe("RFC 4271 §6.2 OPEN errors", () => {
  test.each([
    ["version 3: Unsupported Version Number, with the one spoken", "03 fbf0 005a c0000201 00", [2, 1, "0004"]],
    ["RFC 7607: AS 0: Bad Peer AS", "04 0000 005a c0000201 00", [2, 2, ""]],
    ["RFC 7607: AS 0 in the capability", "04 5ba0 005a c0000201 08 02 06 41 04 00000000", [2, 2, ""]],
    ["identifier 0.0.0.0: Bad BGP Identifier", "04 fbf0 005a 00000000 00", [2, 3, ""]],
    ["parameter 1: Unsupported Optional Parameter", `${BASE} 02 01 00`, [2, 4, ""]],
    ["hold time 1: Unacceptable Hold Time", "04 fbf0 0001 c0000201 00", [2, 6, ""]],
    ["hold time 2", "04 fbf0 0002 c0000201 00", [2, 6, ""]],
    ["parameters shorter than said: Unspecific", `${BASE} 04 0200`, [2, 0, ""]],
    ["parameters longer than said", `${BASE} 02 02 00 00`, [2, 0, ""]],
    ["a parameter cut short", `${BASE} 04 02 06 0200`, [2, 0, ""]],
    ["a capability cut short", `${BASE} 04 02 02 0204`, [2, 0, ""]],
    ["an extended length cut short", `${BASE} 02 ff 00`, [2, 0, ""]],
  ])("%s", (_, body, expected) => {
    expect(fault(() => readAll(open(body)))).toEqual(expected);
  });

  test("hold time 0 is allowed, and so is an identifier that is no host (RFC 6286 §2.1)", () => {
    expect(read("04 fbf0 0000 e0000001 00")).toMatchObject({ holdTime: 0, identifier: address("224.0.0.1") });
  });
});
