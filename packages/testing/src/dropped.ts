import { readFileSync } from "node:fs";

/** A counter of /proc/net/netstat, or 0: how many segments the kernel dropped for a reason. */
export function dropped(reason: string): number {
  const rows = readFileSync("/proc/self/net/netstat", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  for (const [i, row] of rows.entries()) {
    const column = row.indexOf(reason);
    if (column > 0 && Number.isInteger(Number(rows[i + 1]?.[column]))) return Number(rows[i + 1]?.[column]);
  }
  return 0;
}
