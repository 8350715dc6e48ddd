/** One figure that a benchmark promises. */
export interface Goal {
  readonly name: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: string;
  /** The measured figure may be at most the limit, or must be at least it. */
  readonly kind: "at most" | "at least";
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Report {
  readonly title: string;
  /** How it was measured, in sentences. */
  readonly method: string;
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
  /** Every figure, for `--json`. */
  readonly data: unknown;
}

export interface BenchOptions {
  /** Samples of each figure. */
  readonly runs: number;
  /** Which of the compared programs; all when empty. */
  readonly only: readonly string[];
  /** One line on what is under way. */
  readonly progress: (line: string) => void;
}

export function held({ kind, measured, limit }: Goal): boolean {
  return kind === "at most" ? measured <= limit : measured >= limit;
}

/** The report as text that is read as it stands, and as Markdown. */
export function format({ title, method, tables, goals }: Report): string {
  const sections = [`# ${title}`, method];
  for (const table of tables) sections.push(`## ${table.title}`, grid(table.columns, table.rows));
  if (goals.length > 0) {
    const rows = goals.map((goal) => [
      goal.name,
      `${round(goal.measured)} ${goal.unit}`,
      `${goal.kind} ${goal.limit} ${goal.unit}`,
      held(goal) ? "held" : "missed",
    ]);
    sections.push("## Goals", grid(["goal", "measured", "wanted", ""], rows));
  }
  return `${sections.join("\n\n")}\n`;
}

export function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function grid(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [columns, ...rows];
  const widths = columns.map((_, i) => Math.max(3, ...all.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(columns), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)].join("\n");
}
