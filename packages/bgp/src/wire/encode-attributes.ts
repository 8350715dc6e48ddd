import { EncodeError } from "../error.ts";
import { as4PathOf, encodeAsPath } from "./as-path.ts";
import { AS_TRANS, AttributeFlag, AttributeType } from "./codes.ts";
import type { WireContext } from "./message.ts";
import { OctetWriter } from "./octets.ts";
import { ORIGINS, type PathAttributes } from "./path-attributes.ts";

export const WELL_KNOWN = AttributeFlag.Transitive;
export const OPTIONAL = AttributeFlag.Optional;
export const OPTIONAL_TRANSITIVE = AttributeFlag.Optional | AttributeFlag.Transitive;

/**
 * All path attributes but MP_REACH_NLRI and MP_UNREACH_NLRI, in the order of their types (RFC 4271 §5).
 *
 * @param nextHop the four octets of NEXT_HOP, where it is to be there
 */
export function writeAttributes(
  attributes: PathAttributes,
  nextHop: Uint8Array | undefined,
  context: WireContext,
): Uint8Array {
  const writer = new OctetWriter();
  const { med, localPref, aggregator, originatorId, onlyToCustomer } = attributes;
  const put = (type: number, flags: number, value: Uint8Array | undefined): void => {
    if (value !== undefined) writeAttribute(writer, type, flags, value);
  };
  const octets = context.fourOctetAs ? 4 : 2;
  put(AttributeType.Origin, WELL_KNOWN, Uint8Array.of(ORIGINS.indexOf(attributes.origin)));
  put(AttributeType.AsPath, WELL_KNOWN, encodeAsPath(attributes.asPath, octets));
  put(AttributeType.NextHop, WELL_KNOWN, nextHop);
  put(AttributeType.MultiExitDisc, OPTIONAL, optional(med, u32));
  put(AttributeType.LocalPref, WELL_KNOWN, optional(localPref, u32));
  if (attributes.atomicAggregate === true) put(AttributeType.AtomicAggregate, WELL_KNOWN, new Uint8Array());
  put(
    AttributeType.Aggregator,
    OPTIONAL_TRANSITIVE,
    optional(aggregator, (a) => encodeAggregator(a, octets)),
  );
  put(
    AttributeType.Communities,
    OPTIONAL_TRANSITIVE,
    list(attributes.communities, (w, c) => w.u32(c)),
  );
  put(
    AttributeType.OriginatorId,
    OPTIONAL,
    optional(originatorId, (id) => id.bytes),
  );
  put(
    AttributeType.ClusterList,
    OPTIONAL,
    list(attributes.clusterList, (w, id) => w.bytes(id.bytes)),
  );
  put(
    AttributeType.ExtendedCommunities,
    OPTIONAL_TRANSITIVE,
    list(attributes.extendedCommunities, (w, c) => w.u64(c)),
  );
  if (octets === 2) {
    const as4Path = as4PathOf(attributes.asPath);
    put(
      AttributeType.As4Path,
      OPTIONAL_TRANSITIVE,
      optional(as4Path, (path) => encodeAsPath(path, 4)),
    );
    if (aggregator !== undefined && aggregator.asn > 0xffff)
      put(AttributeType.As4Aggregator, OPTIONAL_TRANSITIVE, encodeAggregator(aggregator, 4));
  }
  put(
    AttributeType.LargeCommunities,
    OPTIONAL_TRANSITIVE,
    list(attributes.largeCommunities, (w, c) => w.u32(c[0]).u32(c[1]).u32(c[2])),
  );
  put(AttributeType.OnlyToCustomer, OPTIONAL_TRANSITIVE, optional(onlyToCustomer, u32));
  for (const { type, partial, value } of attributes.unknown ?? [])
    put(type, OPTIONAL_TRANSITIVE | (partial ? AttributeFlag.Partial : 0), value);
  return writer.finish();
}

function writeAttribute(writer: OctetWriter, type: number, flags: number, value: Uint8Array): void {
  if (value.length > 0xff)
    writer
      .u8(flags | AttributeFlag.ExtendedLength)
      .u8(type)
      .u16(value.length);
  else writer.u8(flags).u8(type).u8(value.length);
  writer.bytes(value);
}

function encodeAggregator({ asn, address }: NonNullable<PathAttributes["aggregator"]>, octets: 2 | 4): Uint8Array {
  if (address.family !== 4) throw new EncodeError("the aggregator's address must be IPv4 (RFC 4271 §4.3)");
  const writer = new OctetWriter();
  if (octets === 4) writer.u32(asn);
  else writer.u16(asn > 0xffff ? AS_TRANS : asn);
  return writer.bytes(address.bytes).finish();
}

function optional<T>(value: T | undefined, encode: (value: T) => Uint8Array): Uint8Array | undefined {
  return value === undefined ? undefined : encode(value);
}

/** An empty list is no attribute: RFC 7606 §4 forbids the empty value. */
function list<T>(
  values: readonly T[] | undefined,
  write: (writer: OctetWriter, value: T) => unknown,
): Uint8Array | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const writer = new OctetWriter();
  for (const value of values) write(writer, value);
  return writer.finish();
}

function u32(value: number): Uint8Array {
  return new OctetWriter().u32(value).finish();
}
