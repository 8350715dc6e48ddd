import type { Address } from "@trivet/ip";
import { WireError } from "../error.ts";
import { mergeAsPaths } from "./as-path.ts";
import { type Draft, RULES } from "./attribute-rules.ts";
import { AS_TRANS, AttributeFlag, AttributeType, ErrorCode, UpdateError } from "./codes.ts";
import { OPTIONAL, OPTIONAL_TRANSITIVE } from "./encode-attributes.ts";
import type { UpdateProblem, WireContext } from "./message.ts";
import { type MpNlri, type MpReach, readMpReach, readMpUnreach } from "./mp-nlri.ts";
import { readU16 } from "./octets.ts";
import type { PathAttributes } from "./path-attributes.ts";

/** A problem with what a NOTIFICATION would say, should it have to end the session after all (RFC 7606 §5.2). */
export interface AttributeProblem extends UpdateProblem {
  readonly subcode: number;
  readonly data: Uint8Array;
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

const WITHDRAW = "treat-as-withdraw";
const DISCARD = "attribute-discard";

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
    report(WITHDRAW, UpdateError.AttributeLength, `${name} is empty (RFC 7606 §4)`);
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
