import { Address } from "@trivet/ip";
import { describe, expect, test } from "vitest";
import { type Capability, type OpenMessage, WireError, unicast } from "@trivet/bgp";
import { survivor } from "../../src/fsm/collision.ts";
import { type OpenConfig, buildOpen, negotiate } from "../../src/fsm/open.ts";

const CONFIG: OpenConfig = {
  localAsn: 65001,
  routerId: Address.parse("192.0.2.1"),
  peerAsn: 65000,
  holdTime: 90,
  families: [4, 6],
  extendedNextHop: true,
  strictRole: false,
};
const OPEN = buildOpen({ ...CONFIG, localAsn: 65000, peerAsn: 65001, routerId: Address.parse("192.0.2.254") });

/** Without capabilities of a kind, and with these. */
function withCapability(kind: Capability["kind"], ...capabilities: Capability[]): OpenMessage {
  return {
    ...OPEN,
    capabilities: [...OPEN.capabilities.filter((capability) => capability.kind !== kind), ...capabilities],
  };
}

function refused(message: OpenMessage, config = CONFIG): string {
  try {
    negotiate(config, message);
    return "not at all";
  } catch (error) {
    if (error instanceof WireError)
      return `${error.code}/${error.subcode} ${Buffer.from(error.data).toString("hex")}`.trim();
    throw error;
  }
}

describe("RFC 4271 §6.2 OPEN errors", () => {
  test("a good OPEN is not refused", () => expect(refused(OPEN)).toBe("not at all"));
  test("another AS: 2/2", () => expect(refused({ ...OPEN, asn: 65002 })).toBe("2/2"));
  test("AS 0: 2/2 (RFC 7607)", () => expect(refused({ ...OPEN, asn: 0 }, { ...CONFIG, peerAsn: 0 })).toBe("2/2"));
  test("identifier 0.0.0.0: 2/3", () => expect(refused({ ...OPEN, identifier: Address.parse("0.0.0.0") })).toBe("2/3"));
  test("hold time 1 or 2: 2/6", () => {
    expect(refused({ ...OPEN, holdTime: 1 })).toBe("2/6");
    expect(refused({ ...OPEN, holdTime: 2 })).toBe("2/6");
    expect(refused({ ...OPEN, holdTime: 3 })).toBe("not at all");
  });
  test("the local identifier: 2/3 within an AS, allowed between ASes (RFC 6286 §2.2)", () => {
    const message = { ...OPEN, identifier: CONFIG.routerId };
    expect(refused(message)).toBe("not at all");
    expect(refused({ ...message, asn: 65001 }, { ...CONFIG, peerAsn: 65001 })).toBe("2/3");
  });
  test("no family in common: 2/7 with the capabilities that were missed (RFC 5492 §5)", () => {
    const message = withCapability("multiprotocol", { kind: "multiprotocol", family: { afi: 25, safi: 70 } });
    expect(refused(message)).toBe("2/7 010400010001010400020001");
  });
});

describe("RFC 9234 §4.2 roles", () => {
  const role = (name: "provider" | "customer" | "peer"): Capability => ({ kind: "role", role: name });

  test("provider and customer belong together", () => {
    expect(negotiate({ ...CONFIG, role: "customer" }, withCapability("role", role("provider"))).role).toBe("provider");
  });
  test("two providers do not: 2/11", () => {
    expect(refused(withCapability("role", role("provider")), { ...CONFIG, role: "provider" })).toBe("2/11");
  });
  test("several roles of the peer: 2/11", () => {
    expect(refused(withCapability("role", role("peer"), role("customer")))).toBe("2/11");
  });
  test("no role of the peer: taken, or 2/11 in strict mode", () => {
    expect(refused(OPEN, { ...CONFIG, role: "peer" })).toBe("not at all");
    expect(refused(OPEN, { ...CONFIG, role: "peer", strictRole: true })).toBe("2/11");
  });
});

describe("what both OPENs agree on", () => {
  test("families in common; IPv4 unicast without the capability (RFC 4760 §8)", () => {
    expect(negotiate(CONFIG, OPEN).families).toEqual([4, 6]);
    expect(negotiate(CONFIG, withCapability("multiprotocol")).families).toEqual([4]);
    const onlySix = withCapability("multiprotocol", { kind: "multiprotocol", family: unicast(6) });
    expect(negotiate(CONFIG, onlySix).families).toEqual([6]);
  });
  test("IPv4 with IPv6 next hops needs both ends (RFC 8950 §4)", () => {
    expect(negotiate(CONFIG, OPEN).extendedNextHop).toBe(true);
    expect(negotiate({ ...CONFIG, extendedNextHop: false }, OPEN)).toMatchObject({
      extendedNextHop: false,
      peerExtendedNextHop: true,
    });
    expect(negotiate(CONFIG, withCapability("extended-next-hop")).extendedNextHop).toBe(false);
  });
  test("four-octet AS numbers, long messages and refresh are the peer's to have", () => {
    expect(negotiate(CONFIG, OPEN)).toMatchObject({ fourOctetAs: true, extendedMessage: true, enhancedRefresh: true });
    expect(negotiate(CONFIG, { ...OPEN, capabilities: [] })).toMatchObject({
      fourOctetAs: false,
      extendedMessage: false,
      routeRefresh: false,
    });
  });
  test.each([true, false])(
    "graceful restart is offered with restart time, R, F (%s) and N bits (RFC 4724 §3, RFC 8538 §2)",
    (forwarding) => {
      const restart = { time: 30, restarting: true, forwarding };
      const capability = buildOpen({ ...CONFIG, restart }).capabilities.find(({ kind }) => kind === "graceful-restart");
      expect(capability).toMatchObject({ restarting: true, notification: true, restartTime: 30 });
      expect(capability).toMatchObject({ families: [{ forwarding }, { forwarding }] });
    },
  );
  test("graceful restart is not offered unless asked for", () => {
    expect(OPEN.capabilities.some(({ kind }) => kind === "graceful-restart")).toBe(false);
  });
});

describe("RFC 4271 §6.8 collisions", () => {
  const local = { routerId: Address.parse("192.0.2.9"), asn: 65001 };

  test("the connection of the end with the greater identifier survives, compared as numbers", () => {
    expect(survivor(local, { routerId: Address.parse("192.0.2.10"), asn: 1 })).toBe("accepted");
    expect(survivor(local, { routerId: Address.parse("10.255.255.255"), asn: 1 })).toBe("initiated");
  });
  test("with equal identifiers that of the greater AS (RFC 6286 §2.3)", () => {
    expect(survivor(local, { ...local, asn: 65002 })).toBe("accepted");
  });
});
