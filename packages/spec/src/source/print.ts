import { type Diagnostic, type Severity, placeOf } from "./diagnostic.ts";

const WIDTH = 110;
const COLOURS: Record<Severity, number> = { error: 31, warning: 33, note: 36 };

/**
 * A diagnostic as people read it: place, message and code, the line with a caret under the fault, and the remedy.
 *
 * Control characters of the input are shown as `·`, so that a file cannot drive the terminal.
 */
export function formatDiagnostic(diagnostic: Diagnostic, options: { colour?: boolean } = {}): string {
  const paint = (code: number, text: string) => (options.colour === true ? `\x1b[${code}m${text}\x1b[0m` : text);
  const { line, severity, message, code } = diagnostic;
  const place = paint(1, `${printable(placeOf(diagnostic))}:`);
  const lines = [`${place} ${paint(COLOURS[severity], `${severity}:`)} ${printable(message)} ${paint(2, `[${code}]`)}`];
  if (diagnostic.excerpt.trim() !== "") {
    const { before, marked, after } = window(diagnostic);
    const gutter = String(line);
    const carets = "^".repeat(Math.max(1, widthOf(marked)));
    lines.push(
      paint(2, `  ${gutter} | `) + before + marked + after,
      paint(2, `  ${" ".repeat(gutter.length)} | `) + " ".repeat(widthOf(before)) + paint(COLOURS[severity], carets),
    );
  }
  lines.push(`  ${paint(2, "=")} ${printable(diagnostic.remedy)}`);
  return lines.join("\n");
}

/** The part of a long line around the fault: what stands before it, the fault, and what follows. */
function window(diagnostic: Diagnostic): { before: string; marked: string; after: string } {
  const text = printable(diagnostic.excerpt);
  const start = diagnostic.column - diagnostic.excerptColumn;
  const toEnd = diagnostic.endLine > diagnostic.line;
  const end = Math.max(start + 1, toEnd ? text.length : diagnostic.endColumn - diagnostic.excerptColumn);
  const from = end <= WIDTH && diagnostic.excerptColumn === 1 ? 0 : Math.max(0, start - 30);
  const to = from + WIDTH;
  const cut = from > 0 || diagnostic.excerptColumn > 1;
  return {
    before: (cut ? "…" : "") + text.slice(cut ? from + 1 : from, start),
    marked: text.slice(start, Math.min(end, to)),
    after: text.slice(Math.min(end, to), to) + (text.length > to ? "…" : ""),
  };
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this replaces
  return text.replace(/\t/g, " ").replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "·");
}

/** Columns that a terminal gives to a text: two to East Asian characters and emoji, none to what combines with the one before. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) if (!/\p{M}|\p{Cf}/u.test(character)) width += WIDE.test(character) ? 2 : 1;
  return width;
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
