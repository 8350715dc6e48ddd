import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentClient, type StatusAnswer } from "@trivet/agent";
import { Speaker, type SpeakerEvents } from "@trivet/bgp";
import type { Prefix } from "@trivet/ip";
import { type SceneInstance, SimulatedCluster, scaledScene } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { type BenchOptions, type Report, round } from "../report.ts";

const SIZES = [
  { instances: 63, limit: 50 },
  { instances: 5_000, limit: 100 },
] as const;
const CHANGES_PER_RUN = 100;
const BURST = 100;
const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");

interface Measurement {
  readonly instances: number;
  /** Milliseconds from the change to its UPDATE, sorted. */
  readonly samples: readonly number[];
  /** Milliseconds from the first of 100 changes at once to the last UPDATE. */
  readonly burst: number;
}

const METHOD = `How long from a change in LXD until the router is told: a simulated three-server LXD (API and events on unix sockets) and a
BGP collector are in one process, the agent (\`trivet agent\`) in another, with one session over loopback. Time runs from the call that
stops or starts an instance of the agent's server to the arrival of the UPDATE that withdraws or announces its route: the event, the
agent's GET of the instance, the new snapshot, the decision, the encoding and the wire. Changes come one after the other, each once the
one before has arrived. "burst" stops ${BURST} instances at once, until the last route is withdrawn.`;

export async function run(options: BenchOptions): Promise<Report> {
  const measured: Measurement[] = [];
  for (const { instances } of SIZES) {
    options.progress(`latency: ${instances} instances`);
    measured.push(await measure(instances, options.runs * CHANGES_PER_RUN));
  }
  return {
    title: "From a change in LXD to the UPDATE",
    method: METHOD,
    tables: [
      {
        title: "Milliseconds",
        columns: ["instances", "changes", "p50", "p95", "p99", "most", `burst of ${BURST}`],
        rows: measured.map(({ instances, samples, burst }) => [
          String(instances),
          String(samples.length),
          ...[0.5, 0.95, 0.99, 1].map((part) => round(quantile(samples, part))),
          Number.isNaN(burst) ? "" : round(burst),
        ]),
      },
    ],
    goals: SIZES.map(({ instances, limit }) => ({
      name: `p99 with ${instances} instances`,
      measured: quantile(measured.find((one) => one.instances === instances)?.samples ?? [], 0.99),
      limit,
      unit: "ms",
      kind: "at most",
    })),
    data: measured,
  };
}

async function measure(instances: number, changes: number): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), "trivet-bench-"));
  await using cluster = await SimulatedCluster.start({ scene: scaledScene(instances) });
  const [server = ""] = cluster.scene.servers;
  const collector = new Speaker({
    asn: 65000,
    routerId: "192.0.2.254",
    listen: [{ address: "127.0.0.1", port: 0 }],
    ranges: [{ prefix: "127.0.0.0/8", asn: 65010 }],
  });
  await collector.start();
  const port = collector.listening()[0]?.port ?? 0;
  const agent = await startAgent(folder, cluster.socket(server), port);
  try {
    const own = ownRoutes(cluster, server);
    await eventually("the collector has every route", () =>
      collector.sessions().some(({ prefixesReceived }) => prefixesReceived[4] + prefixesReceived[6] >= own.length),
    );
    const samples: number[] = [];
    for (let change = 0; change < changes; change++) {
      const one = own[change % own.length] as Owned;
      const stop = Math.floor(change / own.length) % 2 === 0;
      const began = performance.now();
      const arrived = updates(collector, [one.route], stop ? "withdrawn" : "announced");
      await Promise.all([stop ? cluster.stopInstance(one.instance) : cluster.startInstance(one.instance), arrived]);
      samples.push((await arrived) - began);
    }
    return { instances, samples: samples.sort((a, b) => a - b), burst: await burst(cluster, collector, own) };
  } finally {
    const ended = once(agent, "exit");
    agent.kill("SIGINT");
    await ended;
    await collector.stop();
    rmSync(folder, { recursive: true });
  }
}

interface Owned {
  readonly instance: SceneInstance;
  /** Its first route, that no other instance has. */
  readonly route: string;
}

/** The server's running instances with a route of their own. */
function ownRoutes(cluster: SimulatedCluster, server: string): Owned[] {
  const { instances } = cluster.scene;
  const count = new Map<string, number>();
  for (const prefix of instances.flatMap(({ routes }) => routes)) count.set(prefix, (count.get(prefix) ?? 0) + 1);
  return instances
    .filter((instance) => instance.server === server && instance.running)
    .flatMap((instance) => {
      const route = instance.routes.find((prefix) => count.get(prefix) === 1);
      return route === undefined ? [] : [{ instance, route }];
    });
}

/** When the last of these routes was told of; milliseconds of `performance.now()`. */
async function updates(
  collector: Speaker,
  routes: readonly string[],
  kind: "announced" | "withdrawn",
): Promise<number> {
  const left = new Set(routes);
  return await new Promise((resolve) => {
    const listen = ({ update }: SpeakerEvents["update"][0]): void => {
      for (const prefix of prefixes(update, kind)) left.delete(prefix.toString());
      if (left.size > 0) return;
      collector.off("update", listen);
      resolve(performance.now());
    };
    collector.on("update", listen);
  });
}

function prefixes(update: SpeakerEvents["update"][0]["update"], kind: "announced" | "withdrawn"): readonly Prefix[] {
  return kind === "announced" ? update.announced.flatMap((group) => group.prefixes) : update.withdrawn;
}

async function burst(cluster: SimulatedCluster, collector: Speaker, own: readonly Owned[]): Promise<number> {
  const running = own.filter(({ instance }) => cluster.instance(instance).running).slice(0, BURST);
  if (running.length < BURST) return Number.NaN;
  const began = performance.now();
  const arrived = updates(
    collector,
    running.map(({ route }) => route),
    "withdrawn",
  );
  await Promise.all(running.map(async ({ instance }) => await cluster.stopInstance(instance)));
  return (await arrived) - began;
}

async function startAgent(folder: string, lxd: string, port: number): Promise<ChildProcess> {
  const socket = join(folder, "agent.sock");
  const config = {
    asn: 65010,
    routerId: "192.0.2.1",
    peers: [{ address: "127.0.0.1", port, asn: 65000 }],
    allow: ["203.0.113.0/24", "2001:db8::/32"],
    lxd: { socket: lxd },
    api: { socket, tls: { enabled: false } },
    log: "warn",
  };
  writeFileSync(join(folder, "agent.yaml"), JSON.stringify(config));
  const child = spawn(process.execPath, [MAIN, "agent", "--config", join(folder, "agent.yaml")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await eventually("the agent is ready", async () => {
    await using api = new AgentClient(socket);
    return (await api.get<StatusAnswer>("/v1/status")).ready;
  });
  return child;
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
