import { createHash } from "node:crypto";

/** LXD's spelling of times; the nanoseconds it has and JavaScript has not are zeros. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("Z", "000000Z");
}

/** What LXD writes where there is no time. */
export const NEVER_USED = "1970-01-01T00:00:00Z";
/** What LXD 5.0.2 writes for instances of a member that it cannot reach. */
export const UNKNOWN_TIME = "0001-01-01T00:00:00Z";

/** A UUID that is always the same for the same text. */
export function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A MAC address in LXD's range 00:16:3e that is always the same for the same text. */
export function macOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `00:16:3e:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`;
}

/** A certificate's fingerprint that is always the same for the same text. */
export function fingerprintOf(text: string): string {
  return createHash("sha256").update(`certificate ${text}`).digest("hex");
}

/** The last 64 bits of an SLAAC address (RFC 4291 appendix A), as the four groups after a /64. */
export function interfaceIdOf(mac: string): string {
  const octets = mac.split(":").map((octet) => Number.parseInt(octet, 16));
  octets[0] = (octets[0] ?? 0) ^ 2;
  const id = [...octets.slice(0, 3), 0xff, 0xfe, ...octets.slice(3)];
  return [0, 2, 4, 6].map((i) => (((id[i] ?? 0) << 8) | (id[i + 1] ?? 0)).toString(16)).join(":");
}

/** The strong ETag of a resource. */
export function etagOf(json: string): string {
  return `"${createHash("sha256").update(json).digest("hex")}"`;
}
