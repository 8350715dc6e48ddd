import { WireError } from "../error.ts";
import type { Incoming, Responder } from "../query/responder.ts";
import { fullTransferMessages, incrementalTransfer, isTransfer, transferMessages } from "../transfer/outbound.ts";
import { ResponseSigner, type Verified } from "../tsig/tsig.ts";
import { CLASS, RCODE, TYPE } from "../wire/codes.ts";
import { Name } from "../wire/name.ts";
import { readSoa } from "../wire/rdata.ts";
import { Reader } from "../wire/reader.ts";
import { readRecord } from "../wire/record.ts";
import type { ZoneStore } from "../zone/store.ts";
import { copyOf } from "../wire/copy.ts";

/**
 * Opens the transfer a TCP query asks for.
 *
 * @param out room for a refusal, 65,535 octets
 * @returns the messages of the transfer; a single answer that refuses it; `undefined` when the query is no transfer
 */
export function openTransfer(
  responder: Responder,
  zones: ZoneStore,
  incoming: Incoming,
  out: Uint8Array,
  now: () => number,
): Iterable<Uint8Array> | undefined {
  const { query, counters } = responder;
  if (query.read(incoming.bytes, incoming.length) !== RCODE.NOERROR || !isTransfer(query.type)) return undefined;
  const single = (length: number): Iterable<Uint8Array> => {
    counters.add("transfersRefused");
    return length === 0 ? [] : [out.slice(0, length)];
  };
  try {
    let verified: Verified | undefined;
    if (query.tsigAt !== 0) {
      const result = responder.verify(incoming);
      if ("error" in result) return single(responder.reject(incoming, result, out));
      verified = result;
    }
    const name = Name.fromWire(copyOf(incoming.bytes, 12, query.nameEnd));
    const zone = zones.get(name);
    // RFC 5936 §2.2.1: REFUSED says nothing about whether the zone is here.
    if (zone === undefined || query.class !== CLASS.IN || !responder.mayTransfer(name, incoming, verified))
      return single(responder.refuse(incoming, out, RCODE.REFUSED));
    const transfer =
      query.type === TYPE.IXFR
        ? incrementalTransfer(zone, zones.journal(name), clientSerial(incoming, query.authorityAt))
        : undefined;
    counters.add(transfer?.incremental === true ? "incrementalTransfers" : "transfers");
    const messages =
      transfer === undefined
        ? fullTransferMessages(zone)
        : transferMessages({ name, type: query.type }, transfer.records);
    const signer = verified && new ResponseSigner(verified);
    return addressed(messages, query.id, name, signer, now);
  } catch (error) {
    if (error instanceof WireError) return single(responder.refuse(incoming, out, error.rcode));
    throw error;
  }
}

/** Gives the messages the id of the query, the first one the question as it was written, and signs them. */
function* addressed(
  messages: Iterable<Uint8Array>,
  id: number,
  name: Name,
  signer: ResponseSigner | undefined,
  now: () => number,
): Generator<Uint8Array> {
  for (const message of messages) {
    const own = message.slice();
    own[0] = id >>> 8;
    own[1] = id;
    if (own[5] === 1) own.set(name.wire, 12);
    yield signer === undefined ? own : signer.sign(own, now() / 1000);
  }
}

/** RFC 1995 §3: the client's version is the SOA record in the authority section. */
function clientSerial({ bytes, length }: Incoming, at: number): number {
  const soa = readRecord(new Reader(bytes.subarray(0, length), at));
  if (soa.type !== TYPE.SOA || soa.rdata.length === 0) throw new WireError("an IXFR query without a SOA record");
  return readSoa(soa.rdata).serial;
}
