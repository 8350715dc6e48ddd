import { EncodeError } from "../error.ts";
import { AS_TRANS } from "./codes.ts";
import { OctetWriter, readU16, readU32 } from "./octets.ts";
import type { AsPathSegment } from "./path-attributes.ts";

/** By code (RFC 4271 §4.3, RFC 5065 §3). */
const KINDS = [undefined, "set", "sequence", "confed-sequence", "confed-set"] as const;
/** A segment counts its AS numbers in one octet. */
const MAX_SEGMENT = 255;

/** The value of AS_PATH or AS4_PATH. AS numbers that do not fit two octets become AS_TRANS (RFC 6793 §4.2.2). */
export function encodeAsPath(path: readonly AsPathSegment[], octets: 2 | 4): Uint8Array {
  const writer = new OctetWriter();
  for (const { kind, asns } of path) {
    if (asns.length === 0) throw new EncodeError(`an AS_PATH ${kind} is empty`);
    if (asns.length > MAX_SEGMENT && kind.endsWith("set"))
      throw new EncodeError(`an AS_PATH ${kind} of ${asns.length} AS numbers cannot be written: ${MAX_SEGMENT} fit`);
    for (let from = 0; from < asns.length; from += MAX_SEGMENT) {
      const part = asns.slice(from, from + MAX_SEGMENT);
      writer.u8(KINDS.indexOf(kind)).u8(part.length);
      for (const asn of part) {
        if (octets === 4) writer.u32(asn);
        else writer.u16(asn > 0xffff ? AS_TRANS : asn);
      }
    }
  }
  return writer.finish();
}

/** Reads AS_PATH or AS4_PATH; a string says why it is malformed (RFC 7606 §7.2, RFC 7607 §2). */
export function decodeAsPath(value: Uint8Array, octets: 2 | 4): AsPathSegment[] | string {
  const path: AsPathSegment[] = [];
  for (let offset = 0; offset < value.length;) {
    const kind = KINDS[value[offset] ?? 0];
    const count = value[offset + 1];
    if (count === undefined) return "has an octet left over";
    if (kind === undefined) return `has segment type ${value[offset]}, which is not known`;
    if (count === 0) return "has an empty segment";
    const start = offset + 2;
    offset = start + count * octets;
    if (offset > value.length) return "has a segment cut short";
    const asns: number[] = [];
    for (let at = start; at < offset; at += octets) asns.push(octets === 4 ? readU32(value, at) : readU16(value, at));
    if (asns.includes(0)) return "has AS 0 (RFC 7607 §2)";
    path.push({ kind, asns });
  }
  return path;
}

/** The AS4_PATH that goes with a two-octet AS_PATH, or `undefined` when none must (RFC 6793 §4.2.2). */
export function as4PathOf(path: readonly AsPathSegment[]): AsPathSegment[] | undefined {
  const plain = path.filter(({ kind }) => !isConfed(kind));
  return plain.some(({ asns }) => asns.some((asn) => asn > 0xffff)) ? plain : undefined;
}

/**
 * The path that AS_PATH and AS4_PATH tell together: AS4_PATH, and before it what AS_PATH has more (RFC 6793 §4.2.3).
 */
export function mergeAsPaths(path: readonly AsPathSegment[], as4Path: readonly AsPathSegment[]): AsPathSegment[] {
  const newer = as4Path.filter(({ kind }) => !isConfed(kind)); // RFC 6793 §6
  let lead = hops(path) - hops(newer);
  if (lead < 0) return [...path];
  const merged: AsPathSegment[] = [];
  for (const segment of path) {
    // Confederation segments count nothing: they are kept while leading, or next to what is prepended.
    const count = hops([segment]);
    if (count <= lead) merged.push(segment);
    else {
      if (lead > 0) merged.push({ kind: segment.kind, asns: segment.asns.slice(0, lead) });
      break;
    }
    lead -= count;
  }
  const [first, ...others] = newer;
  const last = merged.at(-1);
  // Prepending split one sequence in two.
  if (last?.kind === "sequence" && first?.kind === "sequence" && last.asns.length + first.asns.length <= MAX_SEGMENT)
    return [...merged.slice(0, -1), { kind: "sequence", asns: [...last.asns, ...first.asns] }, ...others];
  return [...merged, ...newer];
}

/** RFC 4271 §9.1.2.2, RFC 5065 §5.3: a set counts as one, confederation segments count nothing. */
function hops(path: readonly AsPathSegment[]): number {
  let count = 0;
  for (const { kind, asns } of path) count += kind === "sequence" ? asns.length : kind === "set" ? 1 : 0;
  return count;
}

function isConfed(kind: AsPathSegment["kind"]): boolean {
  return kind === "confed-sequence" || kind === "confed-set";
}
