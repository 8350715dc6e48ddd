/**
 * Asks several servers the same questions: a JSON object on standard input, one on standard output. Answers are normalised: names
 * in lower case, records sorted.
 */
import { text } from "node:stream/consumers";
import {
  type Message,
  type MessageRecord,
  FLAG,
  Name,
  parseType,
  query,
  recordText,
  typeText,
} from "../../src/index.ts";

export interface Questions {
  readonly servers: Readonly<Record<string, { readonly address: string; readonly port: number }>>;
  readonly questions: readonly (readonly [name: string, type: string])[];
}

export interface Answer {
  readonly rcode: number;
  readonly flags: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
}

function normalised(message: Message): Answer {
  const lines = (records: readonly MessageRecord[]): string[] =>
    records
      .filter(({ type }) => typeText(type) !== "TSIG")
      .map((record) => recordText(record).toLowerCase())
      .sort();
  const flags = [
    [FLAG.AA, "aa"],
    [FLAG.TC, "tc"],
    [FLAG.RA, "ra"],
  ] as const;
  return {
    rcode: message.rcode,
    flags: flags
      .filter(([bit]) => (message.flags & bit) !== 0)
      .map(([, name]) => name)
      .join(" "),
    answer: lines(message.answers),
    authority: lines(message.authorities),
    additional: lines(message.additionals),
  };
}

if (process.argv[1] === import.meta.filename) {
  const { servers, questions } = JSON.parse(await text(process.stdin)) as Questions;
  const answers: Record<string, Record<string, Answer>> = {};
  for (const [name, type] of questions) {
    const asked = Object.entries(servers).map(async ([server, at]) => [
      server,
      normalised(await query(Name.parse(name), parseType(type), at)),
    ]);
    answers[`${name} ${type}`] = Object.fromEntries(await Promise.all(asked)) as Record<string, Answer>;
  }
  process.stdout.write(JSON.stringify(answers));
}
