/** Session states and their codes on the wire (RFC 5880 §4.1). */
export const STATES = ["AdminDown", "Down", "Init", "Up"] as const;
export type State = (typeof STATES)[number];

/** Why a session last changed its state (RFC 5880 §4.1, in the order of the codes). */
export const DIAGNOSTICS = [
  "No Diagnostic",
  "Control Detection Time Expired",
  "Echo Function Failed",
  "Neighbor Signaled Session Down",
  "Forwarding Plane Reset",
  "Path Down",
  "Concatenated Path Down",
  "Administratively Down",
  "Reverse Concatenated Path Down",
] as const;
export const DIAGNOSTIC = {
  none: 0,
  detectionExpired: 1,
  neighborDown: 3,
  adminDown: 7,
} as const;

/** The mandatory section of a control packet; intervals are in microseconds (RFC 5880 §4.1). */
export interface ControlPacket {
  /** 0 to 31; the first are named in {@link DIAGNOSTICS}. */
  readonly diagnostic: number;
  readonly state: State;
  readonly poll: boolean;
  readonly final: boolean;
  readonly controlPlaneIndependent: boolean;
  readonly demand: boolean;
  readonly detectMultiplier: number;
  readonly myDiscriminator: number;
  readonly yourDiscriminator: number;
  readonly desiredMinTx: number;
  readonly requiredMinRx: number;
  readonly requiredMinEchoRx: number;
}

const VERSION = 1;
const LENGTH = 24;
const FLAG = {
  poll: 0x20,
  final: 0x10,
  independent: 0x08,
  authentication: 0x04,
  demand: 0x02,
  multipoint: 0x01,
} as const;

/** @returns 24 octets, without an authentication section */
export function encodePacket(packet: ControlPacket): Buffer {
  const bytes = Buffer.alloc(LENGTH);
  bytes[0] = (VERSION << 5) | packet.diagnostic;
  bytes[1] =
    (STATES.indexOf(packet.state) << 6) |
    (packet.poll ? FLAG.poll : 0) |
    (packet.final ? FLAG.final : 0) |
    (packet.controlPlaneIndependent ? FLAG.independent : 0) |
    (packet.demand ? FLAG.demand : 0);
  bytes[2] = packet.detectMultiplier;
  bytes[3] = LENGTH;
  bytes.writeUInt32BE(packet.myDiscriminator, 4);
  bytes.writeUInt32BE(packet.yourDiscriminator, 8);
  bytes.writeUInt32BE(packet.desiredMinTx, 12);
  bytes.writeUInt32BE(packet.requiredMinRx, 16);
  bytes.writeUInt32BE(packet.requiredMinEchoRx, 20);
  return bytes;
}

/**
 * Reads a packet and makes the checks of RFC 5880 §6.8.6 that need no session.
 *
 * @returns the packet, or why it must be discarded
 */
export function decodePacket(payload: Uint8Array): ControlPacket | { readonly discard: string } {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (bytes.length < LENGTH) return { discard: `${bytes.length} octets, fewer than ${LENGTH}` };
  const [first = 0, flags = 0, detectMultiplier = 0, length = 0] = bytes;
  if (first >> 5 !== VERSION) return { discard: `version ${first >> 5}, not ${VERSION}` };
  const authenticated = (flags & FLAG.authentication) !== 0;
  if (length < LENGTH + (authenticated ? 2 : 0) || length > bytes.length)
    return { discard: `length field ${length} in ${bytes.length} octets` };
  if (detectMultiplier === 0) return { discard: "detect multiplier 0" };
  if ((flags & FLAG.multipoint) !== 0) return { discard: "multipoint bit set" };
  const myDiscriminator = bytes.readUInt32BE(4);
  if (myDiscriminator === 0) return { discard: "my discriminator 0" };
  const yourDiscriminator = bytes.readUInt32BE(8);
  const state = STATES[(flags >> 6) & 3] ?? "AdminDown";
  if (yourDiscriminator === 0 && state !== "Down" && state !== "AdminDown")
    return { discard: `your discriminator 0 in state ${state}` };
  if (authenticated) return { discard: "authentication is in use at the peer, and not here" };
  return {
    diagnostic: first & 0x1f,
    state,
    poll: (flags & FLAG.poll) !== 0,
    final: (flags & FLAG.final) !== 0,
    controlPlaneIndependent: (flags & FLAG.independent) !== 0,
    demand: (flags & FLAG.demand) !== 0,
    detectMultiplier,
    myDiscriminator,
    yourDiscriminator,
    desiredMinTx: bytes.readUInt32BE(12),
    requiredMinRx: bytes.readUInt32BE(16),
    requiredMinEchoRx: bytes.readUInt32BE(20),
  };
}
