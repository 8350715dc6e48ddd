import { ZoneFileError } from "../error.ts";
import type { Token } from "../wire/field.ts";

/** One word and where it stands; line and column count from 1. */
export interface Word extends Token {
  readonly line: number;
  readonly column: number;
}

/** An entry of a zone file: the words of a line, or of several within parentheses. */
export interface Entry {
  /** The entry begins with white space: it is about the name before (RFC 1035 §5.1). */
  readonly indented: boolean;
  readonly words: readonly Word[];
}

// In order: white space, comment, quoted string, parenthesis, plain word (escapes and `key="value"` of RFC 9460 included).
const TOKEN =
  /([ \t\r]+)|(;[^\n]*)|"((?:\\[\s\S]|[^"\\\n])*)"|([()])|((?:\\[\s\S]|="(?:\\[\s\S]|[^"\\\n])*"|[^\s;"()\\])+)|(\n)/y;

/**
 * Splits a zone file into entries, lazily.
 *
 * @param path for messages
 * @throws ZoneFileError at an open quote or parenthesis
 */
export function* entries(text: string, path: string): Generator<Entry> {
  let line = 1;
  let lineStart = 0;
  let depth = 0;
  let opened = { line: 1, column: 1 };
  let indented = false;
  let words: Word[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const column = at - lineStart + 1;
    const match = TOKEN.exec(text);
    if (match === null)
      throw new ZoneFileError(path, line, column, "a quote that is not closed on its line, or a lone backslash");
    const [, space, , quoted, parenthesis, plain, newline] = match;
    if (space !== undefined && column === 1 && depth === 0) indented = true;
    else if (quoted !== undefined) words.push({ text: quoted, quoted: true, line, column });
    else if (plain !== undefined) words.push({ text: plain, quoted: false, line, column });
    else if (parenthesis === "(") {
      if (depth++ === 0) opened = { line, column };
    } else if (parenthesis === ")") {
      if (--depth < 0) throw new ZoneFileError(path, line, column, "a `)` without a `(`");
    } else if (newline !== undefined) {
      line++;
      lineStart = at + 1;
      if (depth > 0) continue;
      if (words.length > 0) yield { indented, words };
      words = [];
      indented = false;
    }
  }
  if (depth > 0) throw new ZoneFileError(path, opened.line, opened.column, "a `(` that is never closed");
  if (words.length > 0) yield { indented, words };
}
