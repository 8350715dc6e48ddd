import { CLASS, FLAG, RCODE, TYPE } from "../wire/codes.ts";
import type { Name } from "../wire/name.ts";
import { targetOf, writeRdata } from "../wire/rdata.ts";
import { writeRecord } from "../wire/record.ts";
import { negativeBody } from "./negative.ts";
import { Overflow, Writer } from "../wire/writer.ts";
import { type LookupResult, type OwnedSet, lookup } from "../zone/lookup.ts";
import { findSet } from "../zone/node.ts";
import type { Zone } from "../zone/zone.ts";

/**
 * Everything after the question of an answer, ready to be copied behind the question of any query for the same name and type:
 * compressed names point into the question or into the body, both at the same offsets whatever the case of the name.
 */
export interface Prepared {
  /** AA and RCODE. */
  readonly bits: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
  /** Holds the body, `length` octets from `start` on. */
  readonly body: Uint8Array;
  readonly start: number;
  readonly length: number;
  /** Length of the body without the additional records that an answer can do without. */
  readonly neededLength: number;
  readonly neededAdditionals: number;
  /** The name is one of the zone's: there are only so many such answers, and they are worth keeping. */
  readonly exists: boolean;
}

/** One message is encoded at a time, so all share one buffer. */
const SCRATCH = new Writer();

const WITH_TARGETS = new Set<number>([TYPE.NS, TYPE.MX, TYPE.SRV]);

/** Looks up a name of the zone and encodes the answer. Nothing of `name` is kept. */
export function prepare(zone: Zone, name: Name, type: number): Prepared {
  const result = lookup(zone, name, type);
  if (result.negative && result.answers.length === 0) {
    const body = negativeBody(zone, name.wire.length);
    const bits = FLAG.AA | result.rcode;
    const { length } = body;
    return { ...EMPTY, bits, authorities: 1, body, length, neededLength: length, exists: result.exists };
  }
  const to = SCRATCH;
  to.reset();
  // The header's place, and the question, for names to point to.
  to.at = 12;
  to.name(name);
  to.u32(0);
  const start = to.at;
  try {
    return encode(zone, result, to, start);
  } catch (error) {
    if (!(error instanceof Overflow)) throw error;
    // No message holds this answer.
    return { ...EMPTY, bits: RCODE.SERVFAIL, exists: result.exists };
  }
}

const EMPTY: Prepared = {
  bits: 0,
  answers: 0,
  authorities: 0,
  additionals: 0,
  body: new Uint8Array(),
  start: 0,
  length: 0,
  neededLength: 0,
  neededAdditionals: 0,
  exists: true,
};

function encode(zone: Zone, result: LookupResult, to: Writer, start: number): Prepared {
  let answers = 0;
  for (const owned of result.answers) answers += writeSet(to, owned);
  let authorities = 0;
  if (result.referral !== undefined) authorities += writeSet(to, result.referral);
  if (result.negative) {
    writeRecord(to, zone.negativeSoa);
    authorities++;
  }
  const wanted = [...(result.referral === undefined ? [] : [result.referral]), ...result.answers];
  let neededAdditionals = 0;
  let neededLength = to.at - start;
  let additionals = 0;
  for (const owned of addressesFor(zone, wanted, result)) {
    const before = to.at;
    try {
      additionals += writeSet(to, owned);
    } catch (error) {
      if (!(error instanceof Overflow) || result.referral !== undefined) throw error;
      to.rewind(before);
      break;
    }
    // RFC 9471: a referral without its glue leads nowhere.
    if (result.referral !== undefined) [neededAdditionals, neededLength] = [additionals, to.at - start];
  }
  return {
    bits: (result.authoritative ? FLAG.AA : 0) | result.rcode,
    answers,
    authorities,
    additionals,
    // Valid until the next message is encoded: it is copied at once.
    body: to.written,
    start,
    length: to.at - start,
    neededLength,
    neededAdditionals,
    exists: result.exists,
  };
}

function* addressesFor(zone: Zone, sets: readonly OwnedSet[], result: LookupResult): Generator<OwnedSet> {
  const done = new Set<string>();
  for (const { set } of sets) {
    if (!WITH_TARGETS.has(set.type)) continue;
    for (const rdata of set.rdatas) {
      const target = targetOf(set.type, rdata);
      const node = zone.nodes.get(target.key);
      if (node === undefined || done.has(target.key)) continue;
      done.add(target.key);
      for (const type of [TYPE.A, TYPE.AAAA]) {
        const addresses = findSet(node, type);
        const answered = result.answers.some(({ set: other }) => other === addresses);
        if (addresses !== undefined && !answered) yield { name: target, set: addresses };
      }
    }
  }
}

function writeSet(to: Writer, { name, set }: OwnedSet): number {
  for (const rdata of set.rdatas) {
    to.name(name);
    to.u16(set.type);
    to.u16(CLASS.IN);
    to.u32(set.ttl);
    const lengthAt = to.at;
    to.u16(0);
    writeRdata(set.type, rdata, to);
    to.patch16(lengthAt, to.at - lengthAt - 2);
  }
  return set.rdatas.length;
}
