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
  const walk = new AttributeWalk(context);
  let offset = 0;
  while (offset < field.length) {
    const extended = ((field[offset] ?? 0) & AttributeFlag.ExtendedLength) !== 0;
    const start = offset + (extended ? 4 : 3);
    const end = start + (extended ? readU16(field, offset + 2) : (field[offset + 2] ?? 0));
    if (end > field.length) {
      walk.cutShort(field.subarray(offset));
      break;
    }
    walk.read(field.subarray(offset, end), field.subarray(start, end));
    offset = end;
  }
  return { ...finish(walk.draft), count: walk.count, problems: walk.problems };
}

/** One attribute after the other, each with its header (`raw`). */
class AttributeWalk {
  readonly draft: Draft = { rest: {}, unknown: [] };
  readonly problems: AttributeProblem[] = [];
  readonly #context: WireContext;
  readonly #seen = new Set<number>();
  readonly #repeated = new Set<number>();

  constructor(context: WireContext) {
    this.#context = context;
  }

  /** Types so far. */
  get count(): number {
    return this.#seen.size;
  }

  cutShort(raw: Uint8Array): void {
    const reason = `attribute ${raw[1] ?? 0} runs past the attributes' end (RFC 7606 §4)`;
    this.#report(raw, WITHDRAW, UpdateError.MalformedAttributeList, reason);
  }

  read(raw: Uint8Array, value: Uint8Array): void {
    const type = raw[1] ?? 0;
    const isMp = type === AttributeType.MpReachNlri || type === AttributeType.MpUnreachNlri;
    if (!this.#seen.has(type)) {
      this.#seen.add(type);
      if (isMp) this.#readMp(type, raw, value);
      else this.#readOther(type, raw, value);
      return;
    }
    const reason = `attribute ${type} is there again (RFC 7606 §3.g)`;
    if (isMp) throw new WireError(ErrorCode.Update, UpdateError.MalformedAttributeList, reason);
    // Once a type: thousands fit one message.
    if (!this.#repeated.has(type)) this.#report(raw, DISCARD, UpdateError.MalformedAttributeList, reason);
    this.#repeated.add(type);
  }

  #readMp(type: number, raw: Uint8Array, value: Uint8Array): void {
    if (kindOf(raw) !== OPTIONAL)
      throw attributeError(UpdateError.AttributeFlags, `attribute ${type} has wrong flags (RFC 7606 §5.3)`, raw);
    if (type === AttributeType.MpReachNlri) this.draft.reach = readMpReach(value, raw, this.#context);
    else this.draft.unreach = readMpUnreach(value, raw, this.#context);
  }

  #readOther(type: number, raw: Uint8Array, value: Uint8Array): void {
    const { peering, fourOctetAs } = this.#context;
    const rule = RULES.get(type);
    if (rule === undefined) this.#readUnknown(type, raw, value);
    else if (rule.internalOnly && peering === "external")
      this.#report(raw, DISCARD, rule.subcode, `${rule.name} came from an external peer (${rule.clause})`);
    else if (rule.twoOctetOnly && fourOctetAs)
      this.#report(raw, DISCARD, rule.subcode, `${rule.name} came with four-octet AS numbers (RFC 6793 §4.1)`);
    else if (kindOf(raw) !== rule.flags)
      this.#report(raw, WITHDRAW, UpdateError.AttributeFlags, `${rule.name} has wrong flags (RFC 7606 §3.c)`);
    else if (value.length === 0 && rule.mayBeEmpty === undefined)
      this.#report(raw, WITHDRAW, UpdateError.AttributeLength, `${rule.name} is empty (RFC 7606 §4)`);
    else {
      const wrong = rule.read(value, this.draft, this.#context);
      if (wrong !== undefined)
        this.#report(raw, rule.malformed, rule.subcode, `${rule.name} ${wrong} (${rule.clause})`);
    }
  }

  /** RFC 4271 §5: an optional one is passed on if it is transitive, and nothing else is done with it. */
  #readUnknown(type: number, raw: Uint8Array, value: Uint8Array): void {
    const kind = kindOf(raw);
    if ((kind & AttributeFlag.Optional) === 0) {
      const reason = `attribute ${type} is well-known, but not here (RFC 4271 §6.3)`;
      throw attributeError(UpdateError.UnrecognizedWellKnownAttribute, reason, raw);
    }
    if (kind === OPTIONAL_TRANSITIVE) this.draft.unknown.push({ type, partial: true, value: value.slice() });
  }

  #report(raw: Uint8Array, action: UpdateProblem["action"], subcode: number, reason: string): void {
    // RFC 4271 §6.3: a malformed AS_PATH is the one fault whose NOTIFICATION has no data.
    const data = subcode === UpdateError.MalformedAsPath ? new Uint8Array() : raw.slice();
    this.problems.push({ action, attribute: raw[1] ?? 0, reason, subcode, data });
  }
}

function kindOf(raw: Uint8Array): number {
  return (raw[0] ?? 0) & OPTIONAL_TRANSITIVE;
}

function attributeError(subcode: number, reason: string, raw: Uint8Array): WireError {
  return new WireError(ErrorCode.Update, subcode, reason, raw.slice());
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
