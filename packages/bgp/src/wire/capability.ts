import { CapabilityCode } from "./codes.ts";
import type { AddressFamily } from "./family.ts";
import { OctetWriter, readU16, readU32 } from "./octets.ts";

/** RFC 9234 §4.1, in the order of their codes: what the sender is to the receiver. */
export const ROLES = ["provider", "rs", "rs-client", "customer", "peer"] as const;
export type Role = (typeof ROLES)[number];

/** RFC 4724 §3: a family whose routes the sender can keep over a restart, and whether its forwarding state survived this one. */
export interface RestartFamily {
  readonly family: AddressFamily;
  readonly forwarding: boolean;
}

/** What a speaker can do (RFC 5492). One that is malformed or not known here is `unknown`, with its octets. */
export type Capability =
  | { readonly kind: "multiprotocol"; readonly family: AddressFamily }
  | { readonly kind: "route-refresh" }
  | {
      /** RFC 8950 §4: routes of `family` may have a next hop of AFI `nextHopAfi`. */
      readonly kind: "extended-next-hop";
      readonly entries: readonly { readonly family: AddressFamily; readonly nextHopAfi: number }[];
    }
  | { readonly kind: "extended-message" }
  | { readonly kind: "role"; readonly role: Role }
  | {
      /** RFC 4724 §3; `notification` is the N bit of RFC 8538 §2. */
      readonly kind: "graceful-restart";
      readonly restarting: boolean;
      readonly notification: boolean;
      /** Seconds, 0 to 4095. */
      readonly restartTime: number;
      readonly families: readonly RestartFamily[];
    }
  | { readonly kind: "four-octet-as"; readonly asn: number }
  | { readonly kind: "enhanced-route-refresh" }
  | { readonly kind: "fqdn"; readonly hostname: string; readonly domain: string }
  | { readonly kind: "unknown"; readonly code: number; readonly value: Uint8Array };

const RESTARTING = 0x8000;
const NOTIFICATION = 0x4000;
const RESTART_TIME = 0x0fff;
const FORWARDING = 0x80;

/** Writes a capability's code, length and value (RFC 5492 §4). */
export function writeCapability(writer: OctetWriter, capability: Capability): void {
  const value = new OctetWriter();
  const code = writeValue(value, capability);
  writer.u8(code).u8(value.length).bytes(value.finish());
}

function writeValue(value: OctetWriter, capability: Capability): number {
  switch (capability.kind) {
    case "multiprotocol":
      value.u16(capability.family.afi).u8(0).u8(capability.family.safi);
      return CapabilityCode.Multiprotocol;
    case "route-refresh":
      return CapabilityCode.RouteRefresh;
    case "extended-next-hop":
      for (const { family, nextHopAfi } of capability.entries) value.u16(family.afi).u16(family.safi).u16(nextHopAfi);
      return CapabilityCode.ExtendedNextHop;
    case "extended-message":
      return CapabilityCode.ExtendedMessage;
    case "role":
      value.u8(ROLES.indexOf(capability.role));
      return CapabilityCode.Role;
    case "graceful-restart":
      value.u16(
        (capability.restarting ? RESTARTING : 0) |
          (capability.notification ? NOTIFICATION : 0) |
          Math.min(capability.restartTime, RESTART_TIME),
      );
      for (const { family, forwarding } of capability.families)
        value
          .u16(family.afi)
          .u8(family.safi)
          .u8(forwarding ? FORWARDING : 0);
      return CapabilityCode.GracefulRestart;
    case "four-octet-as":
      value.u32(capability.asn);
      return CapabilityCode.FourOctetAs;
    case "enhanced-route-refresh":
      return CapabilityCode.EnhancedRouteRefresh;
    case "fqdn":
      for (const text of [capability.hostname, capability.domain]) {
        const octets = Buffer.from(text, "utf8");
        value.u8(octets.length).bytes(octets);
      }
      return CapabilityCode.Fqdn;
    case "unknown":
      value.bytes(capability.value);
      return capability.code;
  }
}

/** Reads one capability, whose length has been checked to be there. */
export function readCapability(code: number, value: Uint8Array): Capability {
  return readKnown(code, value) ?? { kind: "unknown", code, value: value.slice() };
}

function readKnown(code: number, value: Uint8Array): Capability | undefined {
  const length = value.length;
  switch (code) {
    case CapabilityCode.Multiprotocol:
      if (length !== 4) return undefined;
      return { kind: "multiprotocol", family: { afi: readU16(value, 0), safi: value[3] ?? 0 } };
    case CapabilityCode.RouteRefresh:
      return length === 0 ? { kind: "route-refresh" } : undefined;
    case CapabilityCode.ExtendedNextHop:
      if (length % 6 !== 0) return undefined;
      return {
        kind: "extended-next-hop",
        entries: offsets(0, length, 6).map((at) => ({
          family: { afi: readU16(value, at), safi: readU16(value, at + 2) },
          nextHopAfi: readU16(value, at + 4),
        })),
      };
    case CapabilityCode.ExtendedMessage:
      return length === 0 ? { kind: "extended-message" } : undefined;
    case CapabilityCode.Role: {
      const role = length === 1 ? ROLES[value[0] ?? 0] : undefined;
      return role === undefined ? undefined : { kind: "role", role };
    }
    case CapabilityCode.GracefulRestart:
      if (length % 4 !== 2) return undefined;
      return {
        kind: "graceful-restart",
        restarting: (readU16(value, 0) & RESTARTING) !== 0,
        notification: (readU16(value, 0) & NOTIFICATION) !== 0,
        restartTime: readU16(value, 0) & RESTART_TIME,
        families: offsets(2, length, 4).map((at) => ({
          family: { afi: readU16(value, at), safi: value[at + 2] ?? 0 },
          forwarding: ((value[at + 3] ?? 0) & FORWARDING) !== 0,
        })),
      };
    case CapabilityCode.FourOctetAs:
      return length === 4 ? { kind: "four-octet-as", asn: readU32(value, 0) } : undefined;
    case CapabilityCode.EnhancedRouteRefresh:
      return length === 0 ? { kind: "enhanced-route-refresh" } : undefined;
    case CapabilityCode.Fqdn:
      return readFqdn(value);
    default:
      return undefined;
  }
}

function readFqdn(value: Uint8Array): Capability | undefined {
  const hostEnd = 1 + (value[0] ?? 0);
  const domainEnd = hostEnd + 1 + (value[hostEnd] ?? 0);
  if (value.length !== domainEnd) return undefined;
  const hostname = decodeUtf8(value.subarray(1, hostEnd));
  const domain = decodeUtf8(value.subarray(hostEnd + 1));
  return hostname === undefined || domain === undefined ? undefined : { kind: "fqdn", hostname, domain };
}

/** The text, or `undefined` when the octets are not UTF-8. */
export function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function offsets(from: number, to: number, step: number): number[] {
  return Array.from({ length: (to - from) / step }, (_, i) => from + i * step);
}
