import { type Address, compareBytes } from "@trivet/ip";

interface End {
  readonly routerId: Address;
  readonly asn: number;
}

/**
 * Which of two colliding connections survives: the one that the end with the greater BGP identifier initiated (RFC 4271 §6.8); with
 * equal identifiers, the end with the greater AS number (RFC 6286 §2.3).
 */
export function survivor(local: End, remote: End): "initiated" | "accepted" {
  const order = compareBytes(local.routerId.bytes, remote.routerId.bytes) || local.asn - remote.asn;
  return order > 0 ? "initiated" : "accepted";
}
