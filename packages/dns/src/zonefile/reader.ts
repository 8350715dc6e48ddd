import { RecordError, ZoneFileError } from "../error.ts";
import { parseGeneric } from "../wire/codes.ts";
import { parseName, parsePeriod } from "../wire/field.ts";
import { tryParseType } from "../wire/mnemonic.ts";
import type { Name } from "../wire/name.ts";
import { parseRdata, readSoa } from "../wire/rdata.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { TYPE } from "../wire/codes.ts";
import { expand } from "./generate.ts";
import { type Entry, type Word, entries } from "./lexer.ts";

export interface ZoneFileOptions {
  /** Until an $ORIGIN says otherwise. */
  readonly origin: Name;
  /** For messages; `zone file` unless told. */
  readonly path?: string;
}

/**
 * Reads a zone file (RFC 1035 §5.1, with $TTL of RFC 2308 §4 and $GENERATE), record by record. $INCLUDE is refused: a file says
 * nothing about other files.
 *
 * @throws ZoneFileError with line and column
 */
export function* readZoneFile(text: string, options: ZoneFileOptions): Generator<ResourceRecord> {
  const path = options.path ?? "zone file";
  const state: State = {
    path,
    origin: options.origin,
    ttl: undefined,
    soaMinimum: undefined,
    last: undefined,
    lastTtl: undefined,
  };
  for (const entry of entries(text, path)) yield* readEntry(entry, state);
}

interface State {
  readonly path: string;
  origin: Name;
  /** Of $TTL. */
  ttl: number | undefined;
  soaMinimum: number | undefined;
  last: Name | undefined;
  lastTtl: number | undefined;
}

function* readEntry(entry: Entry, state: State): Generator<ResourceRecord> {
  const { words } = entry;
  const [first, second] = words;
  if (first === undefined) return;
  const directive =
    !entry.indented && !first.quoted && first.text.startsWith("$") ? first.text.toUpperCase() : undefined;
  if (directive === undefined) {
    yield readRecordEntry(entry, state);
    return;
  }
  if (second === undefined) throw fault(state, first, `${directive} needs a value`);
  if (directive === "$ORIGIN") state.origin = at(state, second, () => parseName(second.text, state.origin));
  else if (directive === "$TTL") state.ttl = at(state, second, () => parsePeriod(second.text));
  else if (directive === "$GENERATE") {
    const lines = at(state, second, () => expand(words.slice(1).map(({ text }) => text)));
    for (const texts of lines) {
      const generated = texts.map((text) => ({ text, quoted: false, line: first.line, column: first.column }));
      yield readRecordEntry({ indented: false, words: generated }, state);
    }
  } else throw fault(state, first, `${directive} is not supported; zone files here have $ORIGIN, $TTL and $GENERATE`);
}

function readRecordEntry({ indented, words }: Entry, state: State): ResourceRecord {
  const [first] = words as [Word, ...Word[]];
  let next = 0;
  if (!indented) {
    state.last = at(state, first, () => parseName(first.text, state.origin));
    next++;
  }
  const name = state.last;
  if (name === undefined) throw fault(state, first, "the first record has no name");
  // TTL and class may come in either order, and either may be missing.
  let ttl: number | undefined;
  let type: number | undefined;
  for (; next < words.length && type === undefined; next++) {
    const word = words[next];
    if (word === undefined) break;
    const text = word.text.toUpperCase();
    if (ttl === undefined && /^\d/.test(text)) ttl = at(state, word, () => parsePeriod(text));
    else if (text === "IN" || parseGenericClass(text) === 1) continue;
    else if (["CH", "HS", "CS"].includes(text) || parseGenericClass(text) !== undefined)
      throw fault(state, word, `class ${text}: zones here are of class IN`);
    else {
      type = at(state, word, () => tryParseType(text));
      if (type === undefined) throw fault(state, word, `\`${word.text}\` is no record type`);
    }
  }
  if (type === undefined) throw fault(state, first, "a record without a type");
  const data = words.slice(next);
  const known = type;
  const rdata = at(state, data[0] ?? first, () => parseRdata(known, data, state.origin));
  if (type === TYPE.SOA) state.soaMinimum = readSoa(rdata).minimum;
  const used = ttl ?? state.ttl ?? state.lastTtl ?? state.soaMinimum;
  if (used === undefined) throw fault(state, first, "a record without a TTL; write one, or $TTL before it");
  state.lastTtl = used;
  return { name, type, ttl: used, rdata };
}

function parseGenericClass(text: string): number | undefined {
  return parseGeneric("CLASS", text);
}

function at<T>(state: State, word: Word, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RecordError) throw fault(state, word, error.message);
    throw error;
  }
}

function fault({ path }: State, { line, column }: Word, problem: string): ZoneFileError {
  return new ZoneFileError(path, line, column, problem);
}
