/** Control characters, and those that turn the direction of writing: on a terminal they do more than say something. */
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;
const LONGEST = 300;

/** What a guest or its owner wrote, fit to be shown on a terminal: on one line, without control characters, and not too long. */
export function printable(text: string, longest = LONGEST): string {
  // Only as much as may be shown is looked at.
  const line = text.slice(0, 4 * longest).replaceAll(UNPRINTABLE, " ");
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}
