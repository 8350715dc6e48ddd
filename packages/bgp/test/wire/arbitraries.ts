import { Address, type Family, Prefix } from "@trivet/ip";
import fc from "fast-check";
import {
  type AddressFamily,
  type AsPathSegment,
  type Capability,
  IPV4_UNICAST,
  IPV6_UNICAST,
  type Message,
  type NextHop,
  ORIGINS,
  type PathAttributes,
  ROLES,
  type UpdateMessage,
} from "../../src/wire/index.ts";

const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const asn = fc.oneof(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 0x10000, max: 0xffff_ffff }));
const address4 = octets(4).map((bytes) => Address.fromBytes(bytes));
const addressFamily: fc.Arbitrary<AddressFamily> = fc.record({ afi: u16, safi: u8 });

function some<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(value, { minLength: 1, maxLength: 12 });
}

const segment = (number: fc.Arbitrary<number>, ...kinds: AsPathSegment["kind"][]): fc.Arbitrary<AsPathSegment> =>
  fc.record({ kind: fc.constantFrom(...kinds), asns: some(number) });

/** Confederation segments lead and have two-octet AS numbers: AS4_PATH cannot tell of them (RFC 6793 §4.2.3). */
const asPath = fc
  .tuple(
    fc.array(segment(fc.integer({ min: 1, max: 0xffff }), "confed-sequence", "confed-set"), { maxLength: 2 }),
    fc.array(segment(asn, "sequence", "set"), { maxLength: 4 }),
  )
  .map((parts) => parts.flat());

const internalAttributes = { localPref: u32, originatorId: address4, clusterList: some(address4) };
const anyAttributes = {
  origin: fc.constantFrom(...ORIGINS),
  asPath,
  med: u32,
  atomicAggregate: fc.constant(true),
  aggregator: fc.record({ asn, address: address4 }),
  communities: some(u32),
  extendedCommunities: some(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
  largeCommunities: some(fc.tuple(u32, u32, u32)),
  onlyToCustomer: u32,
  unknown: fc.uniqueArray(
    fc.record({
      type: fc.integer({ min: 40, max: 255 }),
      partial: fc.constant(true),
      value: fc.uint8Array({ maxLength: 300 }),
    }),
    { minLength: 1, maxLength: 3, selector: ({ type }) => type },
  ),
};

export function pathAttributes(peering: "internal" | "external"): fc.Arbitrary<PathAttributes> {
  const model = peering === "internal" ? { ...anyAttributes, ...internalAttributes } : anyAttributes;
  return fc.record(model, { requiredKeys: ["origin", "asPath"] }) as fc.Arbitrary<PathAttributes>;
}

const address6 = octets(16).map((bytes) => {
  bytes[0] = 0x20; // neither multicast nor unspecified
  return Address.fromBytes(bytes);
});
const linkLocal = octets(8).map((bytes) =>
  Address.fromBytes(Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...bytes])),
);

export function prefix(family: Family): fc.Arbitrary<Prefix> {
  return fc
    .tuple(octets(family === 4 ? 4 : 16), fc.integer({ min: 0, max: family === 4 ? 32 : 128 }))
    .map(([bytes, length]) => Prefix.of(Address.fromBytes(bytes), length));
}

const nextHop4 = octets(4).map((bytes): NextHop => {
  bytes[0] = 10;
  return { address: Address.fromBytes(bytes) };
});
const nextHop6: fc.Arbitrary<NextHop> = fc.oneof(
  fc.record({ address: address6 }),
  fc.record({ address: address6, linkLocal }),
);

/** @param hops what next hops an IPv4 prefix may have */
export function announcement(
  family: Family,
  peering: "internal" | "external",
  hops: readonly Family[],
): fc.Arbitrary<UpdateMessage> {
  const nextHop =
    family === 6 || !hops.includes(4) ? nextHop6 : hops.includes(6) ? fc.oneof(nextHop4, nextHop6) : nextHop4;
  return fc
    .record({
      nextHop,
      prefixes: fc.array(prefix(family), { minLength: 1, maxLength: 40 }),
      attributes: pathAttributes(peering),
    })
    .map(({ attributes, ...one }) => ({ kind: "update", withdrawn: [], announced: [one], attributes }));
}

export const withdrawal: fc.Arbitrary<UpdateMessage> = fc
  .constantFrom<Family>(4, 6)
  .chain((family) => fc.array(prefix(family), { minLength: 1, maxLength: 40 }))
  .map((withdrawn) => ({ kind: "update", withdrawn, announced: [] }));

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const capability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ kind: fc.constant("multiprotocol" as const), family: addressFamily }),
  fc.constantFrom(
    { kind: "route-refresh" } as const,
    { kind: "extended-message" } as const,
    { kind: "enhanced-route-refresh" } as const,
  ),
  fc.record({
    kind: fc.constant("extended-next-hop" as const),
    entries: fc.array(fc.record({ family: addressFamily, nextHopAfi: u16 }), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant("role" as const), role: fc.constantFrom(...ROLES) }),
  fc.record({
    kind: fc.constant("graceful-restart" as const),
    restarting: fc.boolean(),
    notification: fc.boolean(),
    restartTime: fc.integer({ min: 0, max: 4095 }),
    families: fc.array(fc.record({ family: addressFamily, forwarding: fc.boolean() }), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant("fqdn" as const), hostname: text, domain: text }),
  fc.record({
    kind: fc.constant("unknown" as const),
    code: fc.integer({ min: 128, max: 255 }),
    value: fc.uint8Array({ maxLength: 255 }),
  }),
);

const open: fc.Arbitrary<Message> = fc
  .record({
    asn,
    holdTime: fc.oneof(fc.constant(0), fc.integer({ min: 3, max: 0xffff })),
    identifier: address4.filter((address) => !address.isUnspecified),
    capabilities: fc.array(capability, { maxLength: 12 }),
  })
  .map(({ asn: number, holdTime, identifier, capabilities }) => ({
    kind: "open",
    asn: number,
    holdTime,
    identifier,
    capabilities: capabilities.concat({ kind: "four-octet-as", asn: number }),
  }));

/** Every message but announcements, which depend on the session. */
export const otherMessage: fc.Arbitrary<Message> = fc.oneof(
  open,
  withdrawal,
  fc.constantFrom<Message>(
    { kind: "keepalive" },
    { kind: "update", withdrawn: [], announced: [], endOfRib: IPV4_UNICAST },
    { kind: "update", withdrawn: [], announced: [], endOfRib: IPV6_UNICAST },
  ),
  fc.record({
    kind: fc.constant("notification" as const),
    code: u8,
    subcode: u8,
    data: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({ kind: fc.constant("route-refresh" as const), family: addressFamily, subtype: u8 }),
);
