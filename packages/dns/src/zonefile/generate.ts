import { RecordError } from "../error.ts";

const MAX_LINES = 65_536;

/**
 * Expands `$GENERATE START-STOP[/STEP] NAME TYPE DATA`: `$` stands for the number, `${OFFSET,WIDTH,BASE}` for a changed one,
 * `\$` for a dollar sign.
 *
 * @throws RecordError
 */
export function expand([range = "", ...template]: readonly string[]): string[][] {
  const [, start, stop, step = "1"] = /^(\d{1,9})-(\d{1,9})(?:\/([1-9]\d{0,8}))?$/.exec(range) ?? [];
  if (start === undefined || stop === undefined || Number(start) > Number(stop))
    throw new RecordError(range, "is no range START-STOP or START-STOP/STEP");
  if (template.length < 2) throw new RecordError(range, "is not followed by a name and a record");
  if ((Number(stop) - Number(start)) / Number(step) >= MAX_LINES)
    throw new RecordError(range, `is a range of more than ${MAX_LINES} numbers`);
  const lines = [];
  for (let number = Number(start); number <= Number(stop); number += Number(step))
    lines.push(template.map((word) => substitute(word, number)));
  return lines;
}

function substitute(word: string, number: number): string {
  return word.replaceAll(/\\\$|\$(?:\{(-?\d{1,9})(?:,(\d{1,2})(?:,([dox]))?)?\})?/g, (match, offset, width, base) => {
    if (match === "\\$") return match;
    const value = number + Number(offset ?? 0);
    if (value < 0) throw new RecordError(word, "becomes negative");
    return value.toString(base === "x" ? 16 : base === "o" ? 8 : 10).padStart(Number(width ?? 0), "0");
  });
}
