import { Address } from "@trivet/ip";
import { decodeAsPath } from "./as-path.ts";
import { AttributeType, UpdateError } from "./codes.ts";
import { OPTIONAL, OPTIONAL_TRANSITIVE, WELL_KNOWN } from "./encode-attributes.ts";
import type { WireContext } from "./message.ts";
import type { MpNlri, MpReach } from "./mp-nlri.ts";
import { readU16, readU32 } from "./octets.ts";
import {
  type Aggregator,
  type AsPathSegment,
  type LargeCommunity,
  ORIGINS,
  type PathAttributes,
  type UnknownAttribute,
} from "./path-attributes.ts";

/** Attributes while they are read; any may be missing. */
export interface Draft {
  origin?: PathAttributes["origin"];
  asPath?: AsPathSegment[];
  as4Path?: AsPathSegment[];
  aggregator?: Aggregator;
  as4Aggregator?: Aggregator;
  nextHop?: Address;
  reach?: MpReach;
  unreach?: MpNlri;
  rest: Partial<{ -readonly [K in keyof PathAttributes]: PathAttributes[K] }>;
  unknown: UnknownAttribute[];
}

interface AttributeRule {
  readonly name: string;
  /** Optional and transitive, as they must be. */
  readonly flags: number;
  /** What a malformed value costs, and the clause that says so. */
  readonly malformed: "treat-as-withdraw" | "attribute-discard";
  readonly clause: string;
  /** Of the NOTIFICATION, should it come to that. */
  readonly subcode: number;
  /** RFC 7606 §4: only these may have no value, or have rules of their own for it. */
  readonly mayBeEmpty?: true;
  /** From an external peer it is discarded unread. */
  readonly internalOnly?: true;
  /** RFC 6793 §4.1: discarded where both ends have four-octet AS numbers. */
  readonly twoOctetOnly?: true;
  /** Reads the value into the draft; a string says why it is malformed. */
  readonly read: (value: Uint8Array, draft: Draft, context: WireContext) => string | undefined;
}

const wellKnown = (name: string) => ({ name, flags: WELL_KNOWN });
const optional = (name: string) => ({ name, flags: OPTIONAL });
const transitive = (name: string) => ({ name, flags: OPTIONAL_TRANSITIVE });
const elseWithdraw = (clause: string, subcode: number = UpdateError.AttributeLength) =>
  ({ malformed: "treat-as-withdraw", clause, subcode }) as const;
const elseDiscard = (clause: string, subcode: number = UpdateError.AttributeLength) =>
  ({ malformed: "attribute-discard", clause, subcode }) as const;

/** What each attribute that is known here must look like, and what a malformed one costs; by type. */
export const RULES: ReadonlyMap<number, AttributeRule> = new Map<number, AttributeRule>([
  [
    AttributeType.Origin,
    {
      ...wellKnown("ORIGIN"),
      ...elseWithdraw("RFC 7606 §7.1", UpdateError.InvalidOrigin),
      read: (value, draft) => {
        if (value.length !== 1) return `has ${value.length} octets, not 1`;
        const origin = ORIGINS[value[0] ?? 0];
        if (origin === undefined) return `is ${value[0]}, which is not defined`;
        draft.origin = origin;
        return undefined;
      },
    },
  ],
  [
    AttributeType.AsPath,
    {
      ...wellKnown("AS_PATH"),
      ...elseWithdraw("RFC 7606 §7.2", UpdateError.MalformedAsPath),
      mayBeEmpty: true,
      read: (value, draft, { fourOctetAs }) =>
        unless(decodeAsPath(value, fourOctetAs ? 4 : 2), (path) => (draft.asPath = path)),
    },
  ],
  [
    AttributeType.NextHop,
    {
      ...wellKnown("NEXT_HOP"),
      ...elseWithdraw("RFC 7606 §7.3", UpdateError.InvalidNextHop),
      read: (value, draft) => sized(4, value, () => (draft.nextHop = Address.fromBytes(value))),
    },
  ],
  [
    AttributeType.MultiExitDisc,
    {
      ...optional("MULTI_EXIT_DISC"),
      ...elseWithdraw("RFC 7606 §7.4"),
      read: (value, { rest }) => sized(4, value, () => (rest.med = readU32(value, 0))),
    },
  ],
  [
    AttributeType.LocalPref,
    {
      ...wellKnown("LOCAL_PREF"),
      ...elseWithdraw("RFC 7606 §7.5"),
      internalOnly: true,
      read: (value, { rest }) => sized(4, value, () => (rest.localPref = readU32(value, 0))),
    },
  ],
  [
    AttributeType.AtomicAggregate,
    {
      ...wellKnown("ATOMIC_AGGREGATE"),
      ...elseDiscard("RFC 7606 §7.6"),
      mayBeEmpty: true,
      read: (value, { rest }) => sized(0, value, () => (rest.atomicAggregate = true)),
    },
  ],
  [
    AttributeType.Aggregator,
    {
      ...transitive("AGGREGATOR"),
      ...elseDiscard("RFC 7606 §7.7"),
      read: (value, draft, { fourOctetAs }) =>
        unless(readAggregator(value, fourOctetAs ? 4 : 2), (aggregator) => (draft.aggregator = aggregator)),
    },
  ],
  [
    AttributeType.Communities,
    {
      ...transitive("COMMUNITIES"),
      ...elseWithdraw("RFC 7606 §7.8"),
      read: (value, { rest }) =>
        repeated(
          4,
          value,
          (at) => readU32(value, at),
          (list) => (rest.communities = list),
        ),
    },
  ],
  [
    AttributeType.OriginatorId,
    {
      ...optional("ORIGINATOR_ID"),
      ...elseWithdraw("RFC 7606 §7.9"),
      internalOnly: true,
      read: (value, { rest }) => sized(4, value, () => (rest.originatorId = Address.fromBytes(value))),
    },
  ],
  [
    AttributeType.ClusterList,
    {
      ...optional("CLUSTER_LIST"),
      ...elseWithdraw("RFC 7606 §7.10"),
      internalOnly: true,
      read: (value, { rest }) =>
        repeated(
          4,
          value,
          (at) => Address.fromBytes(value.subarray(at, at + 4)),
          (list) => (rest.clusterList = list),
        ),
    },
  ],
  [
    AttributeType.ExtendedCommunities,
    {
      ...transitive("EXTENDED COMMUNITIES"),
      ...elseWithdraw("RFC 7606 §7.14"),
      read: (value, { rest }) => {
        const read = (at: number): bigint => (BigInt(readU32(value, at)) << 32n) | BigInt(readU32(value, at + 4));
        return repeated(8, value, read, (list) => (rest.extendedCommunities = list));
      },
    },
  ],
  [
    AttributeType.As4Path,
    {
      ...transitive("AS4_PATH"),
      ...elseDiscard("RFC 6793 §6", UpdateError.OptionalAttribute),
      mayBeEmpty: true,
      twoOctetOnly: true,
      read: (value, draft) =>
        unless(value.length === 0 ? "is empty" : decodeAsPath(value, 4), (path) => (draft.as4Path = path)),
    },
  ],
  [
    AttributeType.As4Aggregator,
    {
      ...transitive("AS4_AGGREGATOR"),
      ...elseDiscard("RFC 6793 §6", UpdateError.OptionalAttribute),
      mayBeEmpty: true,
      twoOctetOnly: true,
      read: (value, draft) => unless(readAggregator(value, 4), (aggregator) => (draft.as4Aggregator = aggregator)),
    },
  ],
  [
    AttributeType.LargeCommunities,
    {
      ...transitive("LARGE_COMMUNITY"),
      ...elseWithdraw("RFC 8092 §6"),
      read: (value, { rest }) => {
        const read = (at: number): LargeCommunity => [
          readU32(value, at),
          readU32(value, at + 4),
          readU32(value, at + 8),
        ];
        return repeated(12, value, read, (list) => (rest.largeCommunities = list));
      },
    },
  ],
  [
    AttributeType.OnlyToCustomer,
    {
      ...transitive("ONLY_TO_CUSTOMER"),
      ...elseWithdraw("RFC 9234 §5"),
      read: (value, { rest }) => sized(4, value, () => (rest.onlyToCustomer = readU32(value, 0))),
    },
  ],
]);

function sized(length: number, value: Uint8Array, read: () => void): string | undefined {
  if (value.length !== length) return `has ${value.length} octets, not ${length}`;
  read();
  return undefined;
}

function repeated<T>(
  size: number,
  value: Uint8Array,
  read: (offset: number) => T,
  take: (list: T[]) => void,
): string | undefined {
  if (value.length % size !== 0) return `has ${value.length} octets, no multiple of ${size}`;
  take(Array.from({ length: value.length / size }, (_, i) => read(i * size)));
  return undefined;
}

/** Takes what was read; a string is why it could not be. */
function unless<T>(result: T | string, take: (value: T) => void): string | undefined {
  if (typeof result === "string") return result;
  take(result);
  return undefined;
}

function readAggregator(value: Uint8Array, octets: 2 | 4): Aggregator | string {
  if (value.length !== octets + 4) return `has ${value.length} octets, not ${octets + 4}`;
  const asn = octets === 4 ? readU32(value, 0) : readU16(value, 0);
  return asn === 0 ? "names AS 0 (RFC 7607 §2)" : { asn, address: Address.fromBytes(value.subarray(octets)) };
}
