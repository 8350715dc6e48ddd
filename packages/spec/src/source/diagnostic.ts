/** A place in a source file; lines and columns count from 1, the end is exclusive. Line 0: the file as a whole. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** The text of `line`; of a very long one, the part around `column`. */
  readonly excerpt: string;
  /** The column that the excerpt begins at: 1, unless the line is very long. */
  readonly excerptColumn: number;
}

/** A file as a whole, where no line is to blame. */
export function wholeFile(file: string): Location {
  return { file, line: 0, column: 0, endLine: 0, endColumn: 0, excerpt: "", excerptColumn: 1 };
}

/** `file:line:column`, as editors and terminals follow it. */
export function placeOf({ file, line, column }: Location): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** An `error` makes the input unusable; a `warning` is worth a change; a `note` is worth knowing. */
export type Severity = "error" | "warning" | "note";

/** One thing that is wrong with an input, where, and what to do about it. */
export interface Diagnostic extends Location {
  /** A stable name, such as `unknown-key`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
}

/** Input that cannot be used; `diagnostics` says all that is wrong with it. */
export class SpecError extends Error {
  override readonly name = "SpecError";
  readonly fault = "input";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const [first] = diagnostics;
    const rest = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : "";
    super(
      first === undefined ? "the input is unusable" : `${placeOf(first)}: ${first.message}; ${first.remedy}${rest}`,
    );
    this.diagnostics = diagnostics;
  }
}

/** Orders by file, line and column. */
export function compareDiagnostics(a: Diagnostic, b: Diagnostic): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column || (a.code < b.code ? -1 : 1);
}
