import { stripVTControlCharacters } from "node:util";

/**
 * Aligned columns, two spaces apart, without trailing blanks; colour codes count for nothing.
 *
 * @param header column names; left out of the output when there are no rows
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ""))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
