import { setTimeout as pause } from "node:timers/promises";
import {
  ANYCAST,
  type FlowReport,
  type Lab,
  LabError,
  type ProbeReport,
  down,
  missingRequirements,
  startProbe,
  up,
} from "@trivet/lab";
import { type BenchOptions, type Goal, type Report, type Table, round } from "../report.ts";
import { type Announcer, complete, lxd, trivet } from "./announcers.ts";
import {
  type Scenario,
  agentCrash,
  agentRestart,
  instanceDrain,
  instanceRestart,
  nothing,
  ports,
  powerCut,
  providerDeath,
  routerRestart,
  serverDrain,
} from "./scenarios.ts";
import { EVERY, TUNNELS, tune } from "./tuning.ts";

/** Milliseconds between two probes of a flow. */
const INTERVAL = 30;

const METHOD = `A lab of three servers (\`trivet lab\`: LXD 5.0.2, OVN, three FRR 8.4 routers, two provider routers), probed from beyond the
providers: DNS to the anycast name servers, pings to single instances, each over several ways, every ${INTERVAL} ms. BFD of agents, routers
and providers runs at ${EVERY} ms × 3, VRRP at ${EVERY} ms, BFD of OVN's tunnels at ${TUNNELS} ms × 3; with LXD's own BGP, which has no
BFD, the routers have it with everybody else, but a hold time of 9 s. Two processors run all of it: VRRP and BFD come before everything else
there, and Open vSwitch does not wait for the rest of its server. A gap lies between two answered probes and is measured by when they were
sent, less the interval. "anycast" are the flows to the addresses that three instances share, "single" those to services that have one
instance, on a server that lives, and to the servers' gateway, which the routers share; flows to what ran on the server that is cut off, or
drained, are left out. "resolution" is the longest time that the probe itself was kept from sending. "unrelated ports" is what the lab's switches lose by themselves.`;

/** Milliseconds of a gap of which more is told while it runs; in planned work, of any. */
const WORTH_TELLING = 400;
/** Seconds before anything happens. */
const BEFORE = 3;

/** With LXD's own BGP a dead server's routes stay for the hold time, 9 s. */
const OWN_BGP_WATCH = 30;

interface Measurement {
  readonly announcer: string;
  readonly scenario: Scenario;
  readonly report: ProbeReport;
  readonly anycast: Sum;
  readonly single: Sum;
}

interface Sum {
  readonly flows: number;
  readonly sent: number;
  readonly lost: number;
  /** Milliseconds. */
  readonly longest: number;
}

export async function run({ progress, only }: BenchOptions): Promise<Report> {
  const missing = missingRequirements();
  if (missing.length > 0) throw new Error(missing.join("; "));
  const name = `b${process.pid}`;
  progress(`lab ${name}`);
  try {
    const lab = await up({ name, platform: "lxd", servers: 3, ceph: false, bare: false });
    const servers = lab.servers.map((server) => server.name);
    const cuts = servers.map((server) => powerCut(server, 15));
    const planned = [nothing, agentCrash, agentRestart, instanceDrain, serverDrain];
    const measured = [
      ...(await scenarios(lab, trivet, [...planned, ports, ...cuts, routerRestart, providerDeath], only, progress)),
      ...(await scenarios(lab, lxd, [instanceRestart, powerCut("orilla", OWN_BGP_WATCH)], only, progress)),
    ];
    return reported(measured);
  } finally {
    progress("taking the lab down");
    await down(name);
  }
}

async function scenarios(
  lab: Lab,
  announcer: Announcer,
  list: readonly Scenario[],
  only: readonly string[],
  progress: BenchOptions["progress"],
): Promise<Measurement[]> {
  if (only.length > 0 && !only.includes(announcer.name)) return [];
  await announcer.start(lab);
  const measured: Measurement[] = [];
  for (const scenario of list) {
    // Routers that were restarted have forgotten it.
    await tune(lab, announcer === trivet);
    await complete(lab);
    await quiet(lab, progress);
    progress(`${announcer.name}: ${scenario.name}`);
    const one = await measure(lab, announcer, scenario);
    progress(`anycast ${text(one.anycast)}, single ${text(one.single)}, resolution ${one.report.resolution} ms`);
    for (const { name, longestGap: gap } of one.report.flows)
      if (gap !== null && gap.milliseconds > (scenario.planned ? 0 : WORTH_TELLING))
        progress(`  ${name}: ${gap.milliseconds.toFixed(0)} ms from ${gap.start}`);
    measured.push(one);
    await scenario.undo?.(lab);
  }
  return measured;
}

/** Waits until no flow loses anything for two seconds: OVN, VRRP and BFD have settled. */
async function quiet(lab: Lab, progress: BenchOptions["progress"]): Promise<void> {
  for (let tries = 0; tries < 30; tries++) {
    try {
      const probe = await startProbe(lab, { interval: INTERVAL });
      await pause(2_000);
      if ((await probe.stop()).lost === 0) return;
    } catch (error) {
      // While a server boots, LXD does not tell every instance's address.
      if (!(error instanceof LabError)) throw error;
      progress(error.message);
      await pause(2_000);
    }
  }
  progress("the lab loses packets though nothing is wrong with it: this machine is too busy to measure on");
}

async function measure(lab: Lab, announcer: Announcer, scenario: Scenario): Promise<Measurement> {
  const probe = await startProbe(lab, { interval: INTERVAL });
  let report: ProbeReport;
  try {
    await pause(BEFORE * 1000);
    await scenario.act(lab);
    await pause(scenario.watch * 1000);
  } finally {
    report = await probe.stop();
  }
  const anycast = report.flows.filter(({ target }) => isAnycast(target));
  const gone = new Set(
    lab.topology.plan.services.filter(({ server }) => server === scenario.server).map((service) => service.name),
  );
  const single = report.flows.filter(
    ({ target, name, kind }) => !isAnycast(target) && !gone.has(name.split("/")[0] ?? "") && kind === "echo",
  );
  return { announcer: announcer.name, scenario, report, anycast: sum(anycast), single: sum(single) };
}

function isAnycast(target: string): boolean {
  return target === ANYCAST.ipv4 || target === ANYCAST.ipv6;
}

function sum(flows: readonly FlowReport[]): Sum {
  const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    flows: flows.length,
    sent: total(flows.map(({ sent }) => sent)),
    lost: total(flows.map(({ lost }) => lost)),
    longest: Math.max(0, ...flows.map(({ longestGap }) => longestGap?.milliseconds ?? 0)),
  };
}

function text({ lost, longest }: Sum): string {
  return `${lost} lost, longest gap ${longest.toFixed(0)} ms`;
}

function reported(measured: readonly Measurement[]): Report {
  const tables = [...Map.groupBy(measured, ({ announcer }) => announcer)].map(([announcer, own]): Table => ({
    title: announcer,
    columns: ["what happens", "anycast: lost", "longest gap", "single: lost", "longest gap", "probes", "resolution"],
    rows: own.map(({ scenario, anycast, single, report }) => [
      scenario.name,
      `${anycast.lost} of ${anycast.sent}`,
      `${anycast.longest.toFixed(0)} ms`,
      `${single.lost} of ${single.sent}`,
      `${single.longest.toFixed(0)} ms`,
      String(report.sent),
      `${round(report.resolution)} ms`,
    ]),
  }));
  const own = measured.filter(({ announcer }) => announcer === trivet.name);
  const cuts = own.filter(({ scenario }) => scenario.name.startsWith("power cut"));
  const goals: Goal[] = [
    ...(cuts.length === 0
      ? []
      : [
          {
            name: "power cut: longest gap of an anycast flow",
            measured: Math.max(...cuts.map(({ anycast }) => anycast.longest)),
            limit: 400,
            unit: "ms",
            kind: "at most" as const,
          },
          {
            name: "power cut: longest gap to a single instance on a living server",
            measured: Math.max(...cuts.map(({ single }) => single.longest)),
            limit: 1500,
            unit: "ms",
            kind: "at most" as const,
          },
        ]),
    ...own
      .filter(({ scenario }) => scenario.planned)
      .map(({ scenario, anycast, single }) => ({
        name: `${scenario.name}: lost probes`,
        measured: anycast.lost + single.lost,
        limit: 0,
        unit: "lost",
        kind: "at most" as const,
      })),
  ];
  const data = measured.map(({ announcer, scenario, report }) => ({ announcer, scenario: scenario.name, report }));
  return { title: "Failover and maintenance, packet by packet", method: METHOD, tables, goals, data };
}
