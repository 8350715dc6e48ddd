import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Family } from "@trivet/ip";
import { Namespace, missingRequirements } from "@trivet/lab";
import { type BenchOptions, type Goal, type Report, type Table, round } from "../report.ts";
import { SINKS, sinkAddress, sinkAddresses, speakerAddress } from "./session.ts";
import { SPEAKERS, type SpeakerUnderTest } from "./speakers.ts";

interface Scenario {
  readonly name: string;
  readonly family: Family;
  readonly count: number;
  /** Fresh processes of each speaker; loading a million routes takes some a minute. */
  readonly processes: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "100k IPv4", family: 4, count: 100_000, processes: 3 },
  { name: "1M IPv4", family: 4, count: 1_000_000, processes: 1 },
  { name: "100k IPv6", family: 6, count: 100_000, processes: 3 },
];

/** What one process of a speaker did. */
interface ProcessMeasurement {
  /** Milliseconds from Established to the last prefix, for one new peer after the other. */
  readonly samples: readonly number[];
  readonly updates: number;
  readonly octets: number;
  /** Milliseconds that the speaker's threads were on a CPU for the first peer, however busy the machine was. */
  readonly cpu: number;
  /** MB resident after the first peer had everything, and the most until then. */
  readonly resident: number;
  readonly peak: number;
}

interface Measurement {
  readonly scenario: string;
  readonly speaker: string;
  readonly label: string;
  readonly processes: readonly ProcessMeasurement[];
}

const METHOD = `How long a new peer waits for a full table: each speaker runs in a network namespace of its own, has loaded the routes
(one attribute set) and has ten configured peers. A sink in another namespace, the same for all, connects as one of them after the
other and only counts prefixes. Time runs from Established (both KEEPALIVEs are sent and the speaker's has come) to the last prefix.
"first" is the first peer of a fresh process, which pays for encoding and for cold code (median of three processes; one for a million
routes); the goals are judged by it. "median" and "best" are over all peers of all processes. CPU is what the speaker's threads used
for the first peer, and RSS its resident memory after. "prepared octets" is a socket that is written octets made beforehand: the floor
that sink and kernel set. FRR by default waits 1 s for more changes (coalesce-time); it is shown without too. The others are Debian
12's GoBGP 3.10, FRR 8.4 and BIRD 2.0.12 with their defaults.`;

export async function run(options: BenchOptions): Promise<Report> {
  const missing = missingRequirements({
    programs: ["ip", "gobgpd", "gobgp", "bgpd", "zebra", "bird", "birdc", "vtysh"],
  });
  if (missing.length > 0) throw new Error(missing.join("; "));
  await Namespace.removeStale();
  const speakers = SPEAKERS.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const measured: Measurement[] = [];
  for (const scenario of SCENARIOS)
    for (const speaker of speakers) {
      options.progress(`bgp: ${scenario.name}, ${speaker.label}`);
      const processes: ProcessMeasurement[] = [];
      for (let i = 0; i < scenario.processes; i++)
        processes.push(await measure(scenario, speaker, Math.min(options.runs, SINKS)));
      measured.push({ scenario: scenario.name, speaker: speaker.name, label: speaker.label, processes });
    }
  return {
    title: "A full table to a new peer",
    method: METHOD,
    tables: SCENARIOS.map(({ name }) =>
      table(
        name,
        measured.filter(({ scenario }) => scenario === name),
      ),
    ),
    goals: goals(measured),
    data: measured,
  };
}

async function measure(
  { family, count }: Scenario,
  speaker: SpeakerUnderTest,
  runs: number,
): Promise<ProcessMeasurement> {
  const folder = mkdtempSync(join(tmpdir(), "trivet-bench-"));
  const namespace = await Namespace.create("speaker");
  const sinks = await Namespace.create("sinks");
  const length = family === 4 ? 24 : 64;
  try {
    await Namespace.link(namespace, { dev: "eth0", addresses: [`${speakerAddress(family)}/${length}`] }, sinks, {
      dev: "eth0",
      addresses: sinkAddresses(family).map((address) => `${address}/${length}`),
    });
    const { pid = 0 } = await speaker.start({ namespace, folder, family, count });
    const samples: number[] = [];
    let last = { milliseconds: 0, octets: 0, updates: 0 };
    let first = { cpu: 0, resident: 0, peak: 0 };
    const before = cpuOf(pid);
    for (let i = 0; i < runs; i++) {
      const sink = [join(import.meta.dirname, "sink.ts"), sinkAddress(family, i), speakerAddress(family)];
      const { stdout } = await sinks.run([process.execPath, ...sink, String(family), String(count)], {
        timeout: 120_000,
      });
      last = JSON.parse(stdout) as typeof last;
      samples.push(last.milliseconds);
      if (i === 0) first = { cpu: cpuOf(pid) - before, ...memoryOf(pid) };
    }
    const { octets, updates } = last;
    return { samples, octets, updates, ...first };
  } finally {
    await namespace.remove();
    await sinks.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

function memoryOf(pid: number): { resident: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s*(\\d+)`, "m").exec(status)?.[1]) * 1024) / 1e6;
  return { resident: megabytes("VmRSS"), peak: megabytes("VmHWM") };
}

/** Milliseconds on a CPU, of all threads. */
function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`);
  return threads.reduce((sum, path) => sum + Number(readFileSync(path, "utf8").split(" ")[0]) / 1e6, 0);
}

function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Of the first peer of each fresh process, which is the hardest. */
function first({ processes }: Measurement): number {
  return median(processes.map(({ samples }) => samples[0] ?? Number.NaN));
}

function all({ processes }: Measurement): number[] {
  return processes.flatMap(({ samples }) => samples);
}

function table(title: string, rows: readonly Measurement[]): Table {
  const ours = rows.find(({ speaker }) => speaker === "trivet");
  const ratio = (of: (one: Measurement) => number, row: Measurement): string =>
    ours === undefined ? "" : `${round(of(row) / of(ours))}×`;
  const typical = (row: Measurement): number => median(all(row));
  return {
    title,
    columns: ["speaker", "first", "ratio", "median", "ratio", "best", "CPU", "UPDATEs", "MB sent", "RSS", "peak RSS"],
    rows: rows.map((row) => {
      const of = (field: Exclude<keyof ProcessMeasurement, "samples">): number =>
        median(row.processes.map((one) => one[field]));
      return [
        row.label,
        `${round(first(row))} ms`,
        ratio(first, row),
        `${round(typical(row))} ms`,
        ratio(typical, row),
        `${round(Math.min(...all(row)))} ms`,
        `${round(of("cpu"))} ms`,
        String(of("updates")),
        round(of("octets") / 1e6),
        `${round(of("resident"))} MB`,
        `${round(of("peak"))} MB`,
      ];
    }),
  };
}

function goals(measured: readonly Measurement[]): Goal[] {
  const of = (scenario: string, speaker: string): Measurement | undefined =>
    measured.find((one) => one.scenario === scenario && one.speaker === speaker);
  const firstOf = (scenario: string, speaker: string): number => {
    const found = of(scenario, speaker);
    return found === undefined ? Number.NaN : first(found);
  };
  const goal = (name: string, value: number, kind: Goal["kind"], limit: number, unit: string): Goal[] =>
    Number.isNaN(value) ? [] : [{ name, measured: value, kind, limit, unit }];
  const [four, million, six] = ["100k IPv4", "1M IPv4", "100k IPv6"] as const;
  const timesFaster = firstOf(four, "gobgp") / firstOf(four, "trivet");
  const resident = of(million, "trivet")?.processes[0]?.resident ?? Number.NaN;
  return [
    ...goal(`${four} to a new peer`, firstOf(four, "trivet"), "at most", 25, "ms"),
    ...goal(`${four}, GoBGP's time over trivet's`, timesFaster, "at least", 10, "×"),
    ...goal(`${million} to a new peer`, firstOf(million, "trivet"), "at most", 300, "ms"),
    ...goal(`${million}, resident memory`, resident, "at most", 300, "MB"),
    ...goal(`${six} to a new peer`, firstOf(six, "trivet"), "at most", 30, "ms"),
  ];
}
