import { Address } from "@trivet/ip";
import { WireError } from "../error.ts";
import { decodeAsPath, mergeAsPaths } from "./as-path.ts";
import { AS_TRANS, AttributeFlag, AttributeType, ErrorCode, UpdateError } from "./codes.ts";
import { OPTIONAL, OPTIONAL_TRANSITIVE, WELL_KNOWN } from "./encode-attributes.ts";
import type { UpdateProblem, WireContext } from "./message.ts";
import { type MpNlri, type MpReach, readMpReach, readMpUnreach } from "./mp-nlri.ts";
import { readU16, readU32 } from "./octets.ts";
import {
  type Aggregator,
  type AsPathSegment,
  type LargeCommunity,
  ORIGINS,
  type PathAttributes,
  type UnknownAttribute,
} from "./path-attributes.ts";

/** A problem with what a NOTIFICATION would say, should it have to end the session after all (RFC 7606 §5.2). */
export interface AttributeProblem extends UpdateProblem {
  readonly subcode: number;
  readonly data: Uint8Array;
}

/** Attributes while they are read; any may be missing. */
interface Draft {
  origin?: PathAttributes["origin"];
  asPath?: AsPathSegment[];
  as4Path?: AsPathSegment[];
  as4Aggregator?: Aggregator;
  nextHop?: Address;
  reach?: MpReach;
  unreach?: MpNlri;
  aggregator?: Aggregator;
  rest: Partial<{ -readonly [K in keyof PathAttributes]: PathAttributes[K] }>;
  unknown: UnknownAttribute[];
}

interface AttributeRule {
  readonly name: string;
  readonly flags: number;
  /** What a malformed value asks for, and the clause that says so. */
  readonly malformed: "treat-as-withdraw" | "attribute-discard";
  readonly clause: string;
  readonly subcode: number;
  /** RFC 7606 §4: only these may have no value. */
  readonly mayBeEmpty?: true;
  /** From an external peer it is discarded unread. */
  readonly internalOnly?: true;
  /** RFC 6793 §4.1: discarded where both ends have four-octet AS numbers. */
  readonly twoOctetOnly?: true;
  /** Reads the value into the draft; a string says why it is malformed. */
  readonly read: (value: Uint8Array, draft: Draft, context: WireContext) => string | undefined;
}

export interface ReadAttributes {
  readonly count: number;
  readonly problems: readonly AttributeProblem[];
  readonly nextHop: Address | undefined;
  readonly reach: MpReach | undefined;
  readonly unreach: MpNlri | undefined;
  /** The types of the well-known mandatory attributes that are not there, NEXT_HOP aside (RFC 4271 §5). */
  readonly missing: readonly number[];
  /** What was read; `undefined` when something is missing. */
  readonly attributes: PathAttributes | undefined;
}

const LENGTH = UpdateError.AttributeLength;
const WITHDRAW = "treat-as-withdraw";
const DISCARD = "attribute-discard";

function sized(length: number, value: Uint8Array, read: () => void): string | undefined {
  if (value.length !== length) return `has ${value.length} octets, not ${length}`;
  read();
  return undefined;
}

function repeated(size: number, value: Uint8Array, read: (offset: number) => void): string | undefined {
  if (value.length % size !== 0) return `has ${value.length} octets, no multiple of ${size}`;
  for (let offset = 0; offset < value.length; offset += size) read(offset);
  return undefined;
}

function readAggregator(value: Uint8Array, octets: 2 | 4): Aggregator | string {
  if (value.length !== octets + 4) return `has ${value.length} octets, not ${octets + 4}`;
  const asn = octets === 4 ? readU32(value, 0) : readU16(value, 0);
  return asn === 0 ? "names AS 0 (RFC 7607 §2)" : { asn, address: Address.fromBytes(value.subarray(octets)) };
}

const RULES: ReadonlyMap<number, AttributeRule> = new Map<number, AttributeRule>([
  [
    AttributeType.Origin,
    {
      name: "ORIGIN",
      flags: WELL_KNOWN,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.1",
      subcode: UpdateError.InvalidOrigin,
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
      name: "AS_PATH",
      flags: WELL_KNOWN,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.2",
      subcode: UpdateError.MalformedAsPath,
      mayBeEmpty: true,
      read: (value, draft, { fourOctetAs }) => {
        const path = decodeAsPath(value, fourOctetAs ? 4 : 2);
        if (typeof path === "string") return `is malformed: ${path}`;
        draft.asPath = path;
        return undefined;
      },
    },
  ],
  [
    AttributeType.NextHop,
    {
      name: "NEXT_HOP",
      flags: WELL_KNOWN,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.3",
      subcode: UpdateError.InvalidNextHop,
      read: (value, draft) => {
        if (value.length !== 4) return `has ${value.length} octets, not 4`;
        draft.nextHop = Address.fromBytes(value);
        return undefined;
      },
    },
  ],
  [
    AttributeType.MultiExitDisc,
    {
      name: "MULTI_EXIT_DISC",
      flags: OPTIONAL,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.4",
      subcode: LENGTH,
      read: (value, { rest }) => sized(4, value, () => (rest.med = readU32(value, 0))),
    },
  ],
  [
    AttributeType.LocalPref,
    {
      name: "LOCAL_PREF",
      flags: WELL_KNOWN,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.5",
      subcode: LENGTH,
      internalOnly: true,
      read: (value, { rest }) => sized(4, value, () => (rest.localPref = readU32(value, 0))),
    },
  ],
  [
    AttributeType.AtomicAggregate,
    {
      name: "ATOMIC_AGGREGATE",
      flags: WELL_KNOWN,
      malformed: DISCARD,
      clause: "RFC 7606 §7.6",
      subcode: LENGTH,
      mayBeEmpty: true,
      read: (value, { rest }) => sized(0, value, () => (rest.atomicAggregate = true)),
    },
  ],
  [
    AttributeType.Aggregator,
    {
      name: "AGGREGATOR",
      flags: OPTIONAL_TRANSITIVE,
      malformed: DISCARD,
      clause: "RFC 7606 §7.7",
      subcode: LENGTH,
      read: (value, draft, { fourOctetAs }) => {
        const aggregator = readAggregator(value, fourOctetAs ? 4 : 2);
        if (typeof aggregator === "string") return aggregator;
        draft.aggregator = aggregator;
        return undefined;
      },
    },
  ],
  [
    AttributeType.Communities,
    {
      name: "COMMUNITIES",
      flags: OPTIONAL_TRANSITIVE,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.8",
      subcode: LENGTH,
      read: (value, { rest }) => {
        const communities: number[] = [];
        rest.communities = communities;
        return repeated(4, value, (at) => communities.push(readU32(value, at)));
      },
    },
  ],
  [
    AttributeType.OriginatorId,
    {
      name: "ORIGINATOR_ID",
      flags: OPTIONAL,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.9",
      subcode: LENGTH,
      internalOnly: true,
      read: (value, { rest }) => sized(4, value, () => (rest.originatorId = Address.fromBytes(value))),
    },
  ],
  [
    AttributeType.ClusterList,
    {
      name: "CLUSTER_LIST",
      flags: OPTIONAL,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.10",
      subcode: LENGTH,
      internalOnly: true,
      read: (value, { rest }) => {
        const ids: Address[] = [];
        rest.clusterList = ids;
        return repeated(4, value, (at) => ids.push(Address.fromBytes(value.subarray(at, at + 4))));
      },
    },
  ],
  [
    AttributeType.ExtendedCommunities,
    {
      name: "EXTENDED COMMUNITIES",
      flags: OPTIONAL_TRANSITIVE,
      malformed: WITHDRAW,
      clause: "RFC 7606 §7.14",
      subcode: LENGTH,
      read: (value, { rest }) => {
        const communities: bigint[] = [];
        rest.extendedCommunities = communities;
        return repeated(8, value, (at) =>
          communities.push((BigInt(readU32(value, at)) << 32n) | BigInt(readU32(value, at + 4))),
        );
      },
    },
  ],
  [
    AttributeType.As4Path,
    {
      name: "AS4_PATH",
      flags: OPTIONAL_TRANSITIVE,
      malformed: DISCARD,
      clause: "RFC 6793 §6",
      subcode: UpdateError.OptionalAttribute,
      mayBeEmpty: true,
      twoOctetOnly: true,
      read: (value, draft) => {
        const path = value.length === 0 ? "it is empty" : decodeAsPath(value, 4);
        if (typeof path === "string") return `is malformed: ${path}`;
        draft.as4Path = path;
        return undefined;
      },
    },
  ],
  [
    AttributeType.As4Aggregator,
    {
      name: "AS4_AGGREGATOR",
      flags: OPTIONAL_TRANSITIVE,
      malformed: DISCARD,
      clause: "RFC 6793 §6",
      subcode: UpdateError.OptionalAttribute,
      mayBeEmpty: true,
      twoOctetOnly: true,
      read: (value, draft) => {
        const aggregator = readAggregator(value, 4);
        if (typeof aggregator === "string") return aggregator;
        draft.as4Aggregator = aggregator;
        return undefined;
      },
    },
  ],
  [
    AttributeType.LargeCommunities,
    {
      name: "LARGE_COMMUNITY",
      flags: OPTIONAL_TRANSITIVE,
      malformed: WITHDRAW,
      clause: "RFC 8092 §6",
      subcode: LENGTH,
      read: (value, { rest }) => {
        const communities: LargeCommunity[] = [];
        rest.largeCommunities = communities;
        return repeated(12, value, (at) =>
          communities.push([readU32(value, at), readU32(value, at + 4), readU32(value, at + 8)]),
        );
      },
    },
  ],
  [
    AttributeType.OnlyToCustomer,
    {
      name: "ONLY_TO_CUSTOMER",
      flags: OPTIONAL_TRANSITIVE,
      malformed: WITHDRAW,
      clause: "RFC 9234 §5",
      subcode: LENGTH,
      read: (value, { rest }) => sized(4, value, () => (rest.onlyToCustomer = readU32(value, 0))),
    },
  ],
]);

/**
 * Reads the path attributes of an UPDATE under the rules of RFC 7606.
 *
 * @throws WireError when the session must end whatever else the UPDATE holds
 */
export function readAttributes(field: Uint8Array, context: WireContext): ReadAttributes {
  const draft: Draft = { rest: {}, unknown: [] };
  const problems: AttributeProblem[] = [];
  const seen = new Set<number>();
  let offset = 0;
  while (offset < field.length) {
    const flags = field[offset] ?? 0;
    const type = field[offset + 1] ?? 0;
    const extended = (flags & AttributeFlag.ExtendedLength) !== 0;
    const start = offset + (extended ? 4 : 3);
    const length = extended ? readU16(field, offset + 2) : (field[offset + 2] ?? 0);
    const end = start + length;
    if (end > field.length) {
      const reason = `attribute ${type} runs past the attributes' end (RFC 7606 §4)`;
      const data = field.slice(offset);
      problems.push({ action: WITHDRAW, attribute: type, reason, subcode: UpdateError.MalformedAttributeList, data });
      break;
    }
    const raw = field.subarray(offset, end);
    readAttribute(flags, type, field.subarray(start, end), raw, seen, draft, problems, context);
    seen.add(type);
    offset = end;
  }
  return { ...finish(draft), count: seen.size, problems };
}

function readAttribute(
  flags: number,
  type: number,
  value: Uint8Array,
  raw: Uint8Array,
  seen: ReadonlySet<number>,
  draft: Draft,
  problems: AttributeProblem[],
  context: WireContext,
): void {
  const report = (action: UpdateProblem["action"], subcode: number, reason: string): void => {
    // RFC 4271 §6.3: a malformed AS_PATH is the one fault whose NOTIFICATION has no data.
    const data = subcode === UpdateError.MalformedAsPath ? new Uint8Array() : raw.slice();
    problems.push({ action, attribute: type, reason, subcode, data });
  };
  const isMp = type === AttributeType.MpReachNlri || type === AttributeType.MpUnreachNlri;
  if (seen.has(type)) {
    if (isMp)
      throw new WireError(
        ErrorCode.Update,
        UpdateError.MalformedAttributeList,
        `attribute ${type} is there twice (RFC 7606 §3.g)`,
      );
    report(DISCARD, UpdateError.MalformedAttributeList, `attribute ${type} is there again (RFC 7606 §3.g)`);
    return;
  }
  const kind = flags & OPTIONAL_TRANSITIVE;
  if (isMp) {
    if (kind !== OPTIONAL)
      throw new WireError(
        ErrorCode.Update,
        UpdateError.AttributeFlags,
        `attribute ${type} has flags 0x${flags.toString(16)} (RFC 7606 §5.3)`,
        raw.slice(),
      );
    if (type === AttributeType.MpReachNlri) draft.reach = readMpReach(value, raw, context);
    else draft.unreach = readMpUnreach(value, raw, context);
    return;
  }
  const rule = RULES.get(type);
  if (rule === undefined) {
    if ((flags & AttributeFlag.Optional) === 0)
      throw new WireError(
        ErrorCode.Update,
        UpdateError.UnrecognizedWellKnownAttribute,
        `attribute ${type} is well-known, but not here (RFC 4271 §6.3)`,
        raw.slice(),
      );
    if ((flags & AttributeFlag.Transitive) !== 0) draft.unknown.push({ type, partial: true, value: value.slice() });
    return;
  }
  const { name } = rule;
  if (rule.internalOnly && context.peering === "external")
    report(DISCARD, rule.subcode, `${name} came from an external peer (${rule.clause})`);
  else if (rule.twoOctetOnly && context.fourOctetAs)
    report(DISCARD, rule.subcode, `${name} came from a peer with four-octet AS numbers (RFC 6793 §4.1)`);
  else if (kind !== rule.flags)
    report(WITHDRAW, UpdateError.AttributeFlags, `${name} has flags 0x${flags.toString(16)} (RFC 7606 §3.c)`);
  else if (value.length === 0 && rule.mayBeEmpty === undefined)
    report(WITHDRAW, LENGTH, `${name} is empty (RFC 7606 §4)`);
  else {
    const wrong = rule.read(value, draft, context);
    if (wrong !== undefined) report(rule.malformed, rule.subcode, `${name} ${wrong} (${rule.clause})`);
  }
}

function finish(draft: Draft): Omit<ReadAttributes, "count" | "problems"> {
  const { origin, reach, unreach, nextHop } = draft;
  // RFC 6793 §4.2.3: an AGGREGATOR that names a real AS says that a speaker without four-octet AS numbers made the aggregate
  // since, and the AS4_ attributes are out of date.
  const stale =
    draft.as4Aggregator !== undefined && draft.aggregator !== undefined && draft.aggregator.asn !== AS_TRANS;
  const asPath =
    draft.asPath !== undefined && draft.as4Path !== undefined && !stale
      ? mergeAsPaths(draft.asPath, draft.as4Path)
      : draft.asPath;
  const aggregator =
    draft.aggregator === undefined || stale ? draft.aggregator : (draft.as4Aggregator ?? draft.aggregator);
  const missing: number[] = [];
  if (origin === undefined) missing.push(AttributeType.Origin);
  if (asPath === undefined) missing.push(AttributeType.AsPath);
  const attributes =
    origin === undefined || asPath === undefined
      ? undefined
      : {
          origin,
          asPath,
          ...draft.rest,
          ...(aggregator === undefined ? {} : { aggregator }),
          ...(draft.unknown.length === 0 ? {} : { unknown: draft.unknown }),
        };
  return { nextHop, reach, unreach, missing, attributes };
}
