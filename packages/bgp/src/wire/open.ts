import { Address } from "@trivet/ip";
import { EncodeError, WireError } from "../error.ts";
import { type Capability, readCapability, writeCapability } from "./capability.ts";
import { AS_TRANS, ErrorCode, OpenError } from "./codes.ts";
import type { OpenMessage } from "./message.ts";
import { OctetWriter, readU16 } from "./octets.ts";

const VERSION = 4;
const CAPABILITIES = 2;
/** RFC 9072 §2: this length and type say that extended lengths follow. */
const EXTENDED = 255;

/** RFC 4271 §4.2: the body of an OPEN. The capabilities share one optional parameter. */
export function writeOpen(writer: OctetWriter, message: OpenMessage): void {
  if (message.identifier.family !== 4) throw new EncodeError("a BGP identifier has four octets (RFC 4271 §4.2)");
  writer
    .u8(VERSION)
    .u16(message.asn > 0xffff ? AS_TRANS : message.asn) // RFC 6793 §9
    .u16(message.holdTime)
    .bytes(message.identifier.bytes);
  const capabilities = new OctetWriter();
  for (const capability of message.capabilities) writeCapability(capabilities, capability);
  const length = capabilities.length;
  if (length === 0) writer.u8(0);
  else if (length + 2 < EXTENDED)
    writer
      .u8(length + 2)
      .u8(CAPABILITIES)
      .u8(length);
  else
    writer
      .u8(EXTENDED)
      .u8(EXTENDED)
      .u16(length + 3)
      .u8(CAPABILITIES)
      .u16(length);
  writer.bytes(capabilities.finish());
}

/**
 * Reads the body of an OPEN (at least 10 octets), with the checks of RFC 4271 §6.2 that need no configuration.
 *
 * @throws WireError
 */
export function readOpen(body: Uint8Array): OpenMessage {
  if (body[0] !== VERSION)
    throw openError(
      OpenError.UnsupportedVersion,
      `BGP version ${body[0]} is not spoken here`,
      Uint8Array.of(0, VERSION),
    );
  const holdTime = readU16(body, 3);
  const identifier = Address.fromBytes(body.subarray(5, 9));
  const capabilities = readParameters(body);
  const fourOctet = capabilities.find((capability) => capability.kind === "four-octet-as");
  const asn = fourOctet?.asn ?? readU16(body, 1);
  if (asn === 0) throw openError(OpenError.BadPeerAs, "the AS number is 0 (RFC 7607 §2)");
  if (holdTime === 1 || holdTime === 2)
    throw openError(OpenError.UnacceptableHoldTime, `the hold time is ${holdTime} s; it must be 0 or at least 3`);
  // RFC 6286 §2.2: any four octets but zero are an identifier.
  if (identifier.isUnspecified) throw openError(OpenError.BadIdentifier, "the BGP identifier is 0.0.0.0");
  return { kind: "open", asn, holdTime, identifier, capabilities };
}

function readParameters(body: Uint8Array): Capability[] {
  let offset = 10;
  let end = offset + (body[9] ?? 0);
  // RFC 9072 §2: the type decides; the one-octet length is then ignored.
  const extended = body[9] !== 0 && body[10] === EXTENDED;
  if (extended) {
    offset = 13;
    end = offset + readU16(body, 11);
  }
  if (end !== body.length || offset > body.length)
    throw openError(OpenError.Unspecific, "the length of the optional parameters does not match the message's");
  const capabilities: Capability[] = [];
  while (offset < end) {
    const type = body[offset];
    const length = extended ? readU16(body, offset + 1) : (body[offset + 1] ?? 0);
    const start = offset + (extended ? 3 : 2);
    offset = start + length;
    if (offset > end) throw openError(OpenError.Unspecific, "an optional parameter is cut short");
    if (type !== CAPABILITIES)
      throw openError(OpenError.UnsupportedOptionalParameter, `optional parameter ${type} is not known here`);
    readCapabilities(body.subarray(start, offset), capabilities);
  }
  return capabilities;
}

function readCapabilities(bytes: Uint8Array, into: Capability[]): void {
  for (let offset = 0; offset < bytes.length;) {
    const start = offset + 2;
    const end = start + (bytes[offset + 1] ?? 0);
    if (end > bytes.length) throw openError(OpenError.Unspecific, "a capability is cut short (RFC 5492 §4)");
    into.push(readCapability(bytes[offset] ?? 0, bytes.subarray(start, end)));
    offset = end;
  }
}

function openError(subcode: number, reason: string, data?: Uint8Array): WireError {
  return new WireError(ErrorCode.Open, subcode, reason, data);
}
