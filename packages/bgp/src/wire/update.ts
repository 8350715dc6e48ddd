import type { Prefix } from "@trivet/ip";
import { WireError } from "../error.ts";
import { AttributeType, ErrorCode, UpdateError } from "./codes.ts";
import { type AttributeProblem, type ReadAttributes, readAttributes } from "./decode-attributes.ts";
import { type AddressFamily, IPV4_UNICAST } from "./family.ts";
import type { Announcement, NextHop, UpdateMessage, WireContext } from "./message.ts";
import { readPrefixes } from "./nlri.ts";
import { readU16 } from "./octets.ts";

/**
 * Reads the body of an UPDATE (at least 4 octets) under the rules of RFC 7606: a fault costs no more than it must. What it cost is
 * in `problems`; the prefixes of an UPDATE to be treated as withdrawn are in `withdrawn`.
 *
 * @throws WireError when the session must end
 */
export function readUpdate(body: Uint8Array, context: WireContext): UpdateMessage {
  const withdrawnEnd = 2 + readU16(body, 0);
  const attributesStart = withdrawnEnd + 2;
  const attributesEnd = attributesStart + (attributesStart > body.length ? 0 : readU16(body, withdrawnEnd));
  if (attributesEnd > body.length)
    throw new WireError(
      ErrorCode.Update,
      UpdateError.MalformedAttributeList,
      "the lengths in the UPDATE exceed the message's (RFC 7606 §3.b)",
    );
  if (body.length === 4) return { kind: "update", withdrawn: [], announced: [], endOfRib: IPV4_UNICAST };

  const withdrawn = readField(body.subarray(2, withdrawnEnd), "WITHDRAWN ROUTES");
  const nlri = readField(body.subarray(attributesEnd), "NLRI");
  const read = readAttributes(body.subarray(attributesStart, attributesEnd), context);
  const { reach, unreach } = read;

  if (
    unreach?.empty === true &&
    read.count === 1 &&
    read.problems.length === 0 &&
    withdrawn.length === 0 &&
    nlri.length === 0
  )
    return { kind: "update", withdrawn: [], announced: [], endOfRib: unreach.family };

  const problems = [...read.problems, ...familyProblems(read, withdrawn.length + nlri.length > 0, context)];
  const reachable = nlri.length > 0 || reach !== undefined;
  if (reachable) problems.push(...missingProblems(read, nlri.length > 0), ...nextHopProblems(read, nlri.length > 0));
  const fatal = problems.find(({ action }) => action === "treat-as-withdraw");
  if (fatal !== undefined && !reachable)
    throw new WireError(
      ErrorCode.Update,
      fatal.subcode,
      `${fatal.reason}, and the UPDATE announces nothing, so that its prefixes may not have been understood (RFC 7606 §5.2)`,
      fatal.data,
    );

  const announced: Announcement[] = [];
  const add = (prefixes: readonly Prefix[] | undefined, nextHop: NextHop | undefined): void => {
    if (prefixes !== undefined && prefixes.length > 0 && nextHop !== undefined) announced.push({ nextHop, prefixes });
  };
  const ipv4 = context.families.includes(4);
  const gone = [...(ipv4 ? withdrawn : []), ...(unreach?.prefixes ?? [])];
  if (fatal === undefined) {
    add(ipv4 ? nlri : [], read.nextHop === undefined ? undefined : { address: read.nextHop });
    add(reach?.prefixes, reach?.nextHop);
  } else {
    for (const prefix of ipv4 ? nlri : []) gone.push(prefix);
    for (const prefix of reach?.prefixes ?? []) gone.push(prefix);
  }
  return {
    kind: "update",
    withdrawn: gone,
    announced,
    ...(announced.length === 0 || read.attributes === undefined ? {} : { attributes: read.attributes }),
    ...(problems.length === 0
      ? {}
      : { problems: problems.map(({ action, attribute, reason }) => ({ action, attribute, reason })) }),
  };
}

/** RFC 7606 §5.3: prefixes that cannot be told apart end the session. */
function readField(field: Uint8Array, name: string): Prefix[] {
  const prefixes = readPrefixes(field, 4);
  if (prefixes === undefined)
    throw new WireError(
      ErrorCode.Update,
      UpdateError.InvalidNetworkField,
      `${name} has an incorrect prefix (RFC 7606 §5.3)`,
    );
  return prefixes;
}

/** Families that were not agreed on: their routes are passed over (RFC 4760 §8). */
function familyProblems(
  { reach, unreach }: ReadAttributes,
  classic: boolean,
  context: WireContext,
): AttributeProblem[] {
  const problems: AttributeProblem[] = [];
  const ignore = (attribute: number, { afi, safi }: AddressFamily): void => {
    const reason = `routes of AFI ${afi}, SAFI ${safi} were not agreed on (RFC 4760 §8)`;
    const subcode = UpdateError.OptionalAttribute;
    problems.push({ action: "ignore-family", attribute, reason, subcode, data: new Uint8Array() });
  };
  if (classic && !context.families.includes(4)) ignore(0, IPV4_UNICAST);
  if (reach !== undefined && reach.prefixes === undefined) ignore(AttributeType.MpReachNlri, reach.family);
  if (unreach !== undefined && unreach.prefixes === undefined) ignore(AttributeType.MpUnreachNlri, unreach.family);
  return problems;
}

/** RFC 7606 §3.d. One that is there but malformed has its problem already. */
function missingProblems({ missing, nextHop, problems }: ReadAttributes, classic: boolean): AttributeProblem[] {
  const absent = classic && nextHop === undefined ? [...missing, AttributeType.NextHop] : missing;
  return absent
    .filter((type) => !problems.some(({ attribute }) => attribute === type))
    .map((type) => ({
      action: "treat-as-withdraw",
      attribute: type,
      reason: `attribute ${type} is missing (RFC 7606 §3.d)`,
      subcode: UpdateError.MissingWellKnownAttribute,
      data: Uint8Array.of(type),
    }));
}

/** RFC 4271 §6.3 with RFC 7606 §7.3: a next hop that no host can have. */
function nextHopProblems({ nextHop, reach }: ReadAttributes, classic: boolean): AttributeProblem[] {
  const used: [number, NextHop | undefined][] = [
    [AttributeType.NextHop, classic && nextHop !== undefined ? { address: nextHop } : undefined],
    [AttributeType.MpReachNlri, reach?.nextHop],
  ];
  return used.flatMap(([attribute, hop]) => {
    if (hop === undefined || isHost(hop)) return [];
    const reason = `the next hop ${hop.address.toString()} is no host's address (RFC 7606 §7.3)`;
    const data = hop.address.bytes;
    return [{ action: "treat-as-withdraw", attribute, reason, subcode: UpdateError.InvalidNextHop, data }];
  });
}

function isHost({ address, linkLocal }: NextHop): boolean {
  if (address.isMulticast) return false;
  if (address.family === 4 && (address.bytes[0] ?? 0) >= 0xf0) return false;
  return !address.isUnspecified || linkLocal !== undefined;
}
