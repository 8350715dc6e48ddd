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
}

const SCENARIOS: readonly Scenario[] = [
  { name: "100k IPv4", family: 4, count: 100_000 },
  { name: "1M IPv4", family: 4, count: 1_000_000 },
  { name: "100k IPv6", family: 6, count: 100_000 },
];

interface Measurement {
  readonly scenario: string;
  readonly speaker: string;
  readonly label: string;
  /** Milliseconds from Established to the last prefix, for one new peer after the other. */
  readonly samples: readonly number[];
  readonly updates: number;
  readonly octets: number;
  /** Milliseconds that the speaker's threads were on a CPU for the first peer, however busy the machine was. */
  readonly cpu: number;
  /** MiB resident after the first peer had everything, and the most until then. */
  readonly resident: number;
  readonly peak: number;
}

const METHOD = `How long a new peer waits for a full table: each speaker runs in a network namespace of its own, has loaded the routes
(one attribute set) and has ten configured peers. A sink in another namespace, the same for all, connects as one of them after the
other and only counts prefixes. Time runs from Established (both KEEPALIVEs are sent and the speaker's has come) to the last
prefix; CPU is what the speaker's threads used meanwhile. "first" is the first peer of a fresh process, which pays for encoding and for cold code; "median" is over all peers.
"prepared octets" is a socket that is written octets made beforehand: the floor that sink and kernel set. Memory is resident memory
of the process after its first peer had everything, and its peak until then. FRR waits 1 s for more changes by default
(coalesce-time); it is shown without too. Debian 12's GoBGP 3.10, FRR 8.4 and BIRD 2.0.12.`;

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
      measured.push(await measure(scenario, speaker, Math.min(options.runs, SINKS)));
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
  { name, family, count }: Scenario,
  speaker: SpeakerUnderTest,
  runs: number,
): Promise<Measurement> {
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
    return { scenario: name, speaker: speaker.name, label: speaker.label, samples, octets, updates, ...first };
  } finally {
    await namespace.remove();
    await sinks.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

function memoryOf(pid: number): { resident: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mebibytes = (field: string): number => Number(new RegExp(`^${field}:\\s*(\\d+)`, "m").exec(status)?.[1]) / 1024;
  return { resident: mebibytes("VmRSS"), peak: mebibytes("VmHWM") };
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

function table(title: string, rows: readonly Measurement[]): Table {
  const ours = rows.find(({ speaker }) => speaker === "trivet");
  return {
    title,
    columns: [
      "speaker",
      "first",
      "median",
      "ratio (first)",
      "ratio (median)",
      "CPU",
      "UPDATEs",
      "MB sent",
      "RSS",
      "peak RSS",
    ],
    rows: rows.map(({ label, samples, cpu, updates, octets, resident, peak }) => [
      label,
      `${round(samples[0] ?? Number.NaN)} ms`,
      `${round(median(samples))} ms`,
      ours === undefined ? "" : `${round((samples[0] ?? Number.NaN) / (ours.samples[0] ?? Number.NaN))}×`,
      ours === undefined ? "" : `${round(median(samples) / median(ours.samples))}×`,
      `${round(cpu)} ms`,
      String(updates),
      round(octets / 1e6),
      `${round(resident)} MiB`,
      `${round(peak)} MiB`,
    ]),
  };
}

/** Of the first peer of a fresh process, which is the hardest. */
function goals(measured: readonly Measurement[]): Goal[] {
  const of = (scenario: string, speaker: string): Measurement | undefined =>
    measured.find((one) => one.scenario === scenario && one.speaker === speaker);
  const first = (scenario: string, speaker: string): number => of(scenario, speaker)?.samples[0] ?? Number.NaN;
  const goal = (name: string, measuredValue: number, kind: Goal["kind"], limit: number, unit: string): Goal[] =>
    Number.isNaN(measuredValue) ? [] : [{ name, measured: measuredValue, kind, limit, unit }];
  return [
    ...goal("100k IPv4 to a new peer", first("100k IPv4", "trivet"), "at most", 25, "ms"),
    ...goal(
      "100k IPv4, GoBGP's time over trivet's",
      first("100k IPv4", "gobgp") / first("100k IPv4", "trivet"),
      "at least",
      10,
      "×",
    ),
    ...goal("1M IPv4 to a new peer", first("1M IPv4", "trivet"), "at most", 300, "ms"),
    ...goal("1M IPv4, resident memory", of("1M IPv4", "trivet")?.resident ?? Number.NaN, "at most", 300, "MiB"),
    ...goal("100k IPv6 to a new peer", first("100k IPv6", "trivet"), "at most", 30, "ms"),
  ];
}
