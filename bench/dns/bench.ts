import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Namespace, missingRequirements } from "@trivet/lab";
import { type BenchOptions, type Goal, type Report, type Table, round } from "../report.ts";
import { SERVERS, type ServerUnderTest, bundle, start } from "./servers.ts";
import { PORT, questions, transferredRecords, zoneFile } from "./zone.ts";

/** Seconds of one run of dnsperf. */
const SECONDS = 4;
const SIZES = [10_000, 100_000];

interface Scenario {
  readonly name: string;
  readonly hosts: number;
  readonly workers: number;
}

const SCENARIOS: readonly Scenario[] = [1, 2].flatMap((workers) =>
  SIZES.map((hosts) => ({
    name: `${hosts / 1000}k records, ${workers === 1 ? "one core" : "two workers"}`,
    hosts,
    workers,
  })),
);

interface Measurement {
  readonly scenario: string;
  readonly server: string;
  readonly label: string;
  /** Queries a second for names that exist, and for names that do not. */
  readonly hits: readonly number[];
  readonly misses: readonly number[];
  /** Microseconds of processor time that a query for an existing name takes the server: steadier on a busy machine. */
  readonly cpu: readonly number[];
  /** Milliseconds. */
  readonly transfers: readonly number[];
  /** Of a server that has just started. */
  readonly firstTransfers: readonly number[];
  readonly transferOctets: number;
  /** MiB, all processes, shared pages counted once: after start, and in the end. */
  readonly loaded: number;
  readonly resident: number;
}

const METHOD = `Each server has the same zone, in a network namespace of its own, one server after the other in each round, so that
what else the machine does meets all of them. dnsperf (10 clients, up to 200 queries under way, ${SECONDS} s a run, no EDNS) asks over
loopback for random names of the zone, or for names that do not exist. "One core": the server is kept on processor 0 and dnsperf on
processor 1, one worker each. "Two workers": both may use both processors, which dnsperf needs as well. Transfers go to a sink that only
counts records: three after each start, of which the first is also shown by itself. CPU is the server's processor time for a query that hits, which says more than the rate on a machine with other work. Memory is the proportional share (PSS) of all the server's processes. trivet is bundled, as in a release. Rate limiting is off in all. Figures are medians.`;

export async function run(options: BenchOptions): Promise<Report> {
  const programs = ["ip", "dig", "dnsperf", "taskset", "nsd", "knotd", "named", "pdns_server"];
  const missing = missingRequirements({ programs });
  if (missing.length > 0) throw new Error(missing.join("; "));
  await Namespace.removeStale();
  const servers = SERVERS.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const folder = mkdtempSync(join(tmpdir(), "trivet-bench-"));
  try {
    await bundle(folder);
    for (const hosts of SIZES) {
      writeFileSync(join(folder, `${hosts}.zone`), [...zoneFile(hosts)].join(""));
      writeFileSync(join(folder, `${hosts}.hits`), [...questions(hosts, true)].join(""));
      writeFileSync(join(folder, `${hosts}.misses`), [...questions(hosts, false)].join(""));
    }
    const measured: Measurement[] = [];
    for (const scenario of SCENARIOS) {
      const rounds: Measurement[] = [];
      for (let round = 0; round < options.runs; round++)
        for (const server of servers) {
          options.progress(`dns: ${scenario.name}, round ${round + 1}, ${server.label}`);
          rounds.push(await measure(scenario, server, folder));
        }
      for (const { name } of servers) measured.push(merged(rounds.filter(({ server }) => server === name)));
    }
    return {
      title: "DNS: answers a second, transfers and memory",
      method: METHOD,
      tables: SCENARIOS.map(({ name }) => table(name, measured)),
      goals: goals(measured),
      data: measured,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  { name, hosts, workers }: Scenario,
  server: ServerUnderTest,
  folder: string,
): Promise<Measurement> {
  const namespace = await Namespace.create("dns-bench");
  try {
    const zone = join(folder, `${hosts}.zone`);
    const own = join(folder, server.name);
    await start(server, { namespace, folder: own, zoneFile: zone, workers, pin: workers === 1 ? 0 : undefined });
    const loaded = await memory(namespace);
    const transfers = await transfer(namespace, transferredRecords(hosts), 3);
    const ask = async (kind: "hits" | "misses"): Promise<number> =>
      await dnsperf(namespace, join(folder, `${hosts}.${kind}`), workers === 1 ? 1 : undefined);
    await ask("hits"); // warm
    const before = await processorTime(namespace);
    const rate = await ask("hits");
    const cpu = ((await processorTime(namespace)) - before) / (rate * SECONDS);
    const misses = [await ask("misses")];
    return {
      scenario: name,
      server: server.name,
      label: server.label,
      hits: [rate],
      misses,
      cpu: [cpu],
      transfers: transfers.map(({ milliseconds }) => milliseconds),
      firstTransfers: transfers.slice(0, 1).map(({ milliseconds }) => milliseconds),
      transferOctets: transfers[0]?.octets ?? 0,
      loaded,
      resident: await memory(namespace),
    };
  } finally {
    await namespace.remove();
    rmSync(join(folder, server.name), { recursive: true, force: true });
  }
}

async function dnsperf(namespace: Namespace, queries: string, pin: number | undefined): Promise<number> {
  const command = [
    "dnsperf",
    "-s",
    "127.0.0.1",
    "-p",
    String(PORT),
    "-d",
    queries,
    "-l",
    String(SECONDS),
    "-c",
    "10",
    "-q",
    "200",
  ];
  const argv = pin === undefined ? command : ["taskset", "-c", String(pin), ...command];
  const { stdout } = await namespace.run(argv as [string, ...string[]], { timeout: SECONDS * 4000 });
  const rate = /Queries per second:\s+([\d.]+)/.exec(stdout)?.[1];
  if (rate === undefined) throw new Error(`dnsperf says nothing of a rate: ${stdout.slice(-300)}`);
  return Number(rate);
}

async function transfer(
  namespace: Namespace,
  records: number,
  times: number,
): Promise<{ milliseconds: number; octets: number }[]> {
  const script = join(import.meta.dirname, "axfr.ts");
  const { stdout } = await namespace.run([process.execPath, script, String(records), String(times)]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number))
    .map(([milliseconds = 0, octets = 0]) => ({ milliseconds, octets }));
}

/** The server's processes: all in the namespace but `ip`, which lists them and is gone by then. */
async function processes(namespace: Namespace, file: string): Promise<string[]> {
  const { stdout } = await namespace.run(["ip", "netns", "pids", namespace.name]);
  return stdout
    .split("\n")
    .map((pid) => `/proc/${pid}/${file}`)
    .filter((path) => path !== `/proc//${file}` && existsSync(path))
    .map((path) => readFileSync(path, "utf8"));
}

/** MiB. */
async function memory(namespace: Namespace): Promise<number> {
  const texts = await processes(namespace, "smaps_rollup");
  return texts.reduce((sum, text) => sum + Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0), 0) / 1024;
}

/** Microseconds, user and system (proc(5): fields 14 and 15, in hundredths of a second). */
async function processorTime(namespace: Namespace): Promise<number> {
  const texts = await processes(namespace, "stat");
  return texts.reduce((sum, text) => {
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11]) + Number(fields[12])) * 10_000;
  }, 0);
}

function merged(rounds: readonly Measurement[]): Measurement {
  const [first] = rounds;
  if (first === undefined) throw new RangeError("nothing was measured");
  return {
    ...first,
    hits: rounds.flatMap(({ hits }) => hits),
    misses: rounds.flatMap(({ misses }) => misses),
    cpu: rounds.flatMap(({ cpu }) => cpu),
    transfers: rounds.flatMap(({ transfers }) => transfers),
    firstTransfers: rounds.flatMap(({ firstTransfers }) => firstTransfers),
    loaded: median(rounds.map(({ loaded }) => loaded)),
    resident: median(rounds.map(({ resident }) => resident)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function table(scenario: string, all: readonly Measurement[]): Table {
  const rows = all.filter((measured) => measured.scenario === scenario);
  const best = rows.find(({ server }) => server === "nsd") ?? rows[0];
  const kilo = (values: readonly number[]): string => round(median(values) / 1000);
  return {
    title: scenario,
    columns: [
      "server",
      "hits, kq/s",
      "of NSD's",
      "least to most",
      "CPU, µs a query",
      "misses, kq/s",
      "first AXFR, ms",
      "AXFR, ms",
      "AXFR, MB",
      "loaded, MiB",
      "in the end, MiB",
    ],
    rows: rows.map((row) => [
      row.label,
      kilo(row.hits),
      round(median(row.hits) / median(best?.hits ?? row.hits)),
      `${round(Math.min(...row.hits) / 1000)} – ${round(Math.max(...row.hits) / 1000)}`,
      round(median(row.cpu)),
      kilo(row.misses),
      round(median(row.firstTransfers)),
      round(median(row.transfers)),
      round(row.transferOctets / 1e6),
      round(row.loaded),
      round(row.resident),
    ]),
  };
}

function goals(all: readonly Measurement[]): Goal[] {
  const find = (server: string, hosts: number, workers: number): Measurement | undefined => {
    const scenario = SCENARIOS.find((other) => other.hosts === hosts && other.workers === workers)?.name;
    return all.find((measured) => measured.server === server && measured.scenario === scenario);
  };
  const made: Goal[] = [];
  for (const hosts of SIZES) {
    const [one, two] = [find("trivet", hosts, 1), find("trivet", hosts, 2)];
    const [nsd, pdns] = [find("nsd", hosts, 1), find("pdns", hosts, 1)];
    const size = `${hosts / 1000}k records`;
    if (one && pdns)
      made.push({
        name: `${size}: queries on one core, to PowerDNS's`,
        measured: median(one.hits) / median(pdns.hits),
        limit: 1,
        unit: "times",
        kind: "at least",
      });
    if (two && nsd)
      made.push({
        name: `${size}: queries with two workers, to NSD's on one core`,
        measured: median(two.hits) / median(nsd.hits),
        limit: 1,
        unit: "times",
        kind: "at least",
      });
    if (one && nsd && hosts === 100_000)
      made.push({
        name: `${size}: time of a transfer, to NSD's`,
        measured: median(one.transfers) / median(nsd.transfers),
        limit: 2,
        unit: "times",
        kind: "at most",
      });
  }
  return made;
}
