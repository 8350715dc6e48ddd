/** Bidirectional Forwarding Detection: RFC 5880 asynchronous mode, 5881 single hop, 5883 multihop. */
export { BfdEndpoint, type SessionOptions } from "./endpoint/endpoint.ts";
export type { SessionStatus } from "./engine.ts";
export { BfdConfigError, BfdEndedError, BfdSocketError } from "./error.ts";
export { type ControlPacket, DIAGNOSTICS, type State, decodePacket, encodePacket } from "./wire/packet.ts";
