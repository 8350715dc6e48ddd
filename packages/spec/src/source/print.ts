import type { Diagnostic, Severity } from "./diagnostic.ts";

const WIDTH = 110;
const COLOURS: Record<Severity, number> = { error: 31, warning: 33, note: 36 };

/**
 * A diagnostic as people read it: place, message and code, the line with a caret under the fault, and the remedy.
 *
 * Control characters of the input are shown as `·`, so that a file cannot drive the terminal.
 */
export function formatDiagnostic(diagnostic: Diagnostic, options: { colour?: boolean } = {}): string {
  const paint = (code: number, text: string) => (options.colour === true ? `\x1b[${code}m${text}\x1b[0m` : text);
  const { file, line, column, severity } = diagnostic;
  const head = `${paint(1, `${file}:${line}:${column}:`)} ${paint(COLOURS[severity], `${severity}:`)} ${diagnostic.message} ${paint(2, `[${diagnostic.code}]`)}`;
  const lines = [head];
  if (diagnostic.excerpt.trim() !== "") {
    const { text, start, end } = window(diagnostic);
    const gutter = String(line);
    lines.push(paint(2, `  ${gutter} | `) + text);
    lines.push(
      paint(2, `  ${" ".repeat(gutter.length)} | `) +
        " ".repeat(start) +
        paint(COLOURS[severity], "^".repeat(end - start)),
    );
  }
  lines.push(`  ${paint(2, "=")} ${diagnostic.remedy}`);
  return lines.map((text) => (options.colour === true ? text : printable(text))).join("\n");
}

/** The part of a long line around the fault, and where the fault lies in it. */
function window(diagnostic: Diagnostic): { text: string; start: number; end: number } {
  const line = printable(diagnostic.excerpt);
  const start = diagnostic.column - 1;
  const end = Math.max(start + 1, diagnostic.endLine > diagnostic.line ? line.length : diagnostic.endColumn - 1);
  const from = end <= WIDTH ? 0 : Math.max(0, start - 30);
  const to = from + WIDTH;
  const text = (from > 0 ? "…" : "") + line.slice(from > 0 ? from + 1 : from, to) + (line.length > to ? "…" : "");
  return { text, start: start - from, end: Math.min(end - from, WIDTH) };
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this replaces
  return text.replace(/\t/g, " ").replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "·");
}
