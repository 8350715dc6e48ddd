import { WireError } from "../error.ts";
import { CLASS, FLAG, TYPE } from "./codes.ts";
import { type Edns, readEdns, writeEdns } from "./edns.ts";
import type { Name } from "./name.ts";
import { Reader } from "./reader.ts";
import { type MessageRecord, type ResourceRecord, readRecord, writeRecord } from "./record.ts";
import { Writer } from "./writer.ts";

export interface Question {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

/** A whole message, taken apart. The server's own path does without; clients, transfers and tests read messages so. */
export interface Message {
  readonly id: number;
  /** Bits of {@link FLAG}. */
  readonly flags: number;
  readonly opcode: number;
  /** With the upper bits from EDNS. */
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly MessageRecord[];
  readonly authorities: readonly MessageRecord[];
  /** Without the OPT record; a TSIG record, if any, is the last. */
  readonly additionals: readonly MessageRecord[];
  readonly edns: Edns | undefined;
}

const FLAG_BITS = FLAG.QR | FLAG.AA | FLAG.TC | FLAG.RD | FLAG.RA | FLAG.AD | FLAG.CD;

/** @throws WireError */
export function decodeMessage(bytes: Uint8Array): Message {
  const from = new Reader(bytes);
  const id = from.u16();
  const bits = from.u16();
  const [questionCount, answerCount, authorityCount, additionalCount] = [
    from.u16(),
    from.u16(),
    from.u16(),
    from.u16(),
  ];
  const questions = times(questionCount, () => ({ name: from.name(), type: from.u16(), class: from.u16() }));
  const answers = times(answerCount, () => readRecord(from));
  const authorities = times(authorityCount, () => readRecord(from));
  const all = times(additionalCount, () => readRecord(from));
  if (from.left > 0) throw new WireError("octets follow the message");
  const opts = all.filter(({ type }) => type === TYPE.OPT);
  const [opt] = opts;
  if (opts.length > 1 || opt?.name.isRoot === false) throw new WireError("a malformed OPT record");
  const edns = opt && readEdns(opt.class, opt.ttl, opt.rdata);
  return {
    id,
    flags: bits & FLAG_BITS,
    opcode: (bits >>> 11) & 0xf,
    rcode: (bits & 0xf) | ((edns?.extendedRcode ?? 0) << 4),
    questions,
    answers,
    authorities,
    additionals: all.filter(({ type }) => type !== TYPE.OPT),
    edns,
  };
}

function times<T>(count: number, read: () => T): T[] {
  const items = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}

export interface MessageParts {
  readonly id: number;
  readonly flags?: number;
  readonly opcode?: number;
  readonly rcode?: number;
  readonly question: { readonly name: Name; readonly type: number; readonly class?: number };
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  readonly additionals?: readonly ResourceRecord[];
  readonly edns?: Edns | undefined;
}

/** One message is encoded at a time, so all share one buffer. */
const SCRATCH = new Writer();

/** @throws Overflow when the message would be longer than 65,535 octets */
export function encodeMessage(parts: MessageParts): Uint8Array {
  const { answers = [], authorities = [], additionals = [], question, edns } = parts;
  const rcode = parts.rcode ?? 0;
  const to = SCRATCH;
  to.reset();
  to.u16(parts.id);
  to.u16((parts.flags ?? 0) | ((parts.opcode ?? 0) << 11) | (rcode & 0xf));
  to.u16(1);
  to.u16(answers.length);
  to.u16(authorities.length);
  to.u16(additionals.length + (edns === undefined ? 0 : 1));
  to.name(question.name);
  to.u16(question.type);
  to.u16(question.class ?? CLASS.IN);
  for (const record of [...answers, ...authorities, ...additionals]) writeRecord(to, record);
  if (edns !== undefined) writeEdns(to, { ...edns, extendedRcode: rcode >>> 4 });
  return to.written.slice();
}
