import { CLASS, FLAG, OPCODE, RCODE, TYPE } from "../wire/codes.ts";
import type { Name } from "../wire/name.ts";
import { isNewer } from "../wire/rdata.ts";
import { type ResourceRecord, writeRecord } from "../wire/record.ts";
import { Overflow, Writer } from "../wire/writer.ts";
import type { Difference } from "../zone/difference.ts";
import type { Journal } from "../zone/journal.ts";
import type { Zone } from "../zone/zone.ts";

/** Compression pointers reach no further, so longer messages would only grow. */
const MESSAGE_TARGET = 0x4000;

/** So many changed records are never worth a full transfer. */
const SMALL = 100;

export interface Transfer {
  readonly incremental: boolean;
  readonly records: Iterable<ResourceRecord>;
}

/** RFC 5936 §2.2: all records, between two copies of the SOA record. The zone is immutable, so both are of one version. */
export function fullTransfer(zone: Zone): Transfer {
  function* records(): Generator<ResourceRecord> {
    yield zone.soaRecord;
    yield* zone.records();
    yield zone.soaRecord;
  }
  return { incremental: false, records: records() };
}

/**
 * RFC 1995 §4: the changes since the client's version; the whole zone when the journal does not reach back so far or the changes
 * are more than the zone; the SOA record alone when the client has nothing to gain.
 */
export function incrementalTransfer(zone: Zone, journal: Journal | undefined, serial: number): Transfer {
  if (serial === zone.serial || isNewer(serial, zone.serial)) return { incremental: true, records: [zone.soaRecord] };
  const differences = journal?.since(serial);
  if (differences === undefined) return fullTransfer(zone);
  const changed = differences.reduce((sum, { removed, added }) => sum + removed.length + added.length + 2, 0);
  return changed > zone.nodes.size * 2 + SMALL
    ? fullTransfer(zone)
    : { incremental: true, records: steps(zone, differences) };
}

function* steps(zone: Zone, differences: readonly Difference[]): Generator<ResourceRecord> {
  yield zone.soaRecord;
  for (const { oldSoa, newSoa, removed, added } of differences) {
    yield oldSoa;
    yield* removed;
    yield newSoa;
    yield* added;
  }
  yield zone.soaRecord;
}

/** Octets left in every message for a signature: the longest key name, algorithm and MAC take 358. */
export const SIGNATURE_ROOM = 400;

/** The messages of a full transfer by zone, for the other secondaries that will ask for the same version. */
const SHARED = new WeakMap<Zone, SharedMessages>();

/**
 * The messages of a full transfer, with id 0. They are made as they are asked for, and once a version of a zone, whoever asks.
 * They must not be written to.
 */
export function fullTransferMessages(zone: Zone): Iterable<Uint8Array> {
  let shared = SHARED.get(zone);
  if (shared === undefined) {
    shared = new SharedMessages(transferMessages({ name: zone.origin, type: TYPE.AXFR }, fullTransfer(zone).records));
    SHARED.set(zone, shared);
  }
  return shared;
}

class SharedMessages {
  readonly #made: Uint8Array[] = [];
  readonly #source: Iterator<Uint8Array>;

  constructor(source: Iterator<Uint8Array>) {
    this.#source = source;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (let i = 0; ; i++) {
      let message = this.#made[i];
      if (message === undefined) {
        const next = this.#source.next();
        if (next.done === true) return;
        message = next.value.slice();
        this.#made.push(message);
      }
      yield message;
    }
  }
}

/**
 * Packs the records of a transfer into messages with id 0. The array of a message is valid until the next is asked for.
 *
 * @param question that was asked, repeated in the first message
 */
export function* transferMessages(
  question: { readonly name: Name; readonly type: number },
  records: Iterable<ResourceRecord>,
): Generator<Uint8Array> {
  const to = new Writer(0xffff - SIGNATURE_ROOM);
  let count = 0;
  begin(to);
  to.patch16(4, 1);
  to.name(question.name);
  to.u16(question.type);
  to.u16(CLASS.IN);
  for (const record of records) {
    const before = to.at;
    if (count > 0 && before >= MESSAGE_TARGET) {
      yield end(to, count);
      begin(to);
      count = 0;
    }
    const start = to.at;
    try {
      writeRecord(to, record);
    } catch (error) {
      // The zone takes no record that does not fit a message of its own.
      if (!(error instanceof Overflow) || count === 0) throw error;
      to.rewind(start);
      yield end(to, count);
      begin(to);
      count = 0;
      writeRecord(to, record);
    }
    count++;
  }
  yield end(to, count);
}

function begin(to: Writer): void {
  to.reset();
  to.u16(0);
  to.u16(FLAG.QR | FLAG.AA | (OPCODE.QUERY << 11) | RCODE.NOERROR);
  to.u32(0);
  to.u32(0);
}

function end(to: Writer, count: number): Uint8Array {
  to.patch16(6, count);
  return to.written;
}

export function isTransfer(type: number): boolean {
  return type === TYPE.AXFR || type === TYPE.IXFR;
}
