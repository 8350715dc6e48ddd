/** BGP-4 on the wire: bytes to messages and back (RFC 4271 §4). */
export * from "./codes.ts";
export * from "./family.ts";
export * from "./message.ts";
export * from "./path-attributes.ts";
export { type Capability, ROLES, type RestartFamily, type Role } from "./capability.ts";
export { MessageReader } from "./reader.ts";
export { encodeMessage } from "./encode.ts";
export { type AttributeBlock, encodeAttributes, encodeEndOfRib, packAnnouncements, packWithdrawals } from "./pack.ts";
export { cease, describeNotification, hardReset, shutdownText, unwrapHardReset } from "./notification.ts";
export {
  WELL_KNOWN_COMMUNITIES,
  formatCommunity,
  formatExtendedCommunity,
  formatLargeCommunity,
  parseCommunity,
  parseExtendedCommunity,
  parseLargeCommunity,
} from "./community.ts";
