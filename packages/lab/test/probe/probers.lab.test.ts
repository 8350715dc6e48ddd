import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describeLab, eventually } from "@trivet/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Namespace } from "../../src/index.ts";
import type { FlowPlan } from "../../src/probe/flow.ts";
import type { ProbeEvents } from "../../src/probe/probe.ts";
import { RemoteProber } from "../../src/probe/remote.ts";
import type { Gap, PartialReport } from "../../src/probe/report.ts";

const INTERVAL = 10;
/** Milliseconds of probing where nothing happens. */
const LASTS = 5_000;
const HOSTS = { ipv4: ["192.0.2.1", "192.0.2.2"], ipv6: ["2001:db8::1", "2001:db8::2"] } as const;

const PLANS = (["ipv4", "ipv6"] as const).flatMap((family): FlowPlan[] => {
  const [source, target] = HOSTS[family];
  const flow = (kind: FlowPlan["kind"], n: number): FlowPlan => ({
    kind,
    name: `${kind}/${family}/${n}`,
    source,
    target,
    instance: "host",
  });
  return [1, 2, 3, 4, 5, 6].map((n) => flow(n > 4 ? "echo" : "dns", n));
});

describeLab("probers between two hosts", { programs: ["nsd", "nft", "nsenter", "chrt"] }, () => {
  const folder = mkdtempSync(join(tmpdir(), "trivet-probe-"));
  let client: Namespace;
  let host: Namespace;

  beforeAll(async () => {
    client = await Namespace.create("client");
    host = await Namespace.create("host");
    await Namespace.link(client, { dev: "eth0", addresses: [`${HOSTS.ipv4[0]}/24`, `${HOSTS.ipv6[0]}/64`] }, host, {
      dev: "eth0",
      addresses: [`${HOSTS.ipv4[1]}/24`, `${HOSTS.ipv6[1]}/64`],
    });
    const config = join(folder, "nsd.conf");
    writeFileSync(
      config,
      `server:
  ip-address: ${HOSTS.ipv4[1]}
  ip-address: ${HOSTS.ipv6[1]}
  identity: dns07
  rrl-ratelimit: 0
  username: ""
  database: ""
  zonesdir: ${folder}
  pidfile: ${folder}/nsd.pid
  xfrdfile: ${folder}/xfrd.state
  zonelistfile: ${folder}/zone.list
remote-control:
  control-enable: no
`,
    );
    // The probers come before everything; who answers them must not come last, beside the labs of other tests.
    host.spawn(["nice", "-n", "-15", "nsd", "-d", "-c", config], { stdio: "ignore" });
    for (const address of [HOSTS.ipv4[1], HOSTS.ipv6[1]])
      await eventually("the name server answers", async () => {
        const { stdout } = await client.run([
          "dig",
          "+short",
          "+tries=1",
          "+time=1",
          `@${address}`,
          "CH",
          "TXT",
          "id.server",
        ]);
        return stdout.includes("dns07");
      });
  });
  afterAll(async () => {
    await client.remove();
    await host.remove();
    rmSync(folder, { recursive: true });
  });

  async function probe(during: () => Promise<void>): Promise<{ report: PartialReport; gaps: Gap[] }> {
    const events = new EventEmitter<ProbeEvents>();
    const gaps: Gap[] = [];
    events.on("gap", (gap) => gaps.push(gap));
    const prober = new RemoteProber(["nsenter", `--net=/run/netns/${client.name}`], PLANS, events);
    await prober.start(INTERVAL);
    await during();
    return { report: await prober.stop(), gaps };
  }

  test("lose nothing, and say who answers", async () => {
    const { report, gaps } = await probe(async () => await pause(LASTS));
    expect(gaps).toEqual([]);
    // Not more than the test itself lasts, and never less than the interval; how fine it is on a quiet machine is no matter of a test.
    expect(report.resolution).toBeGreaterThanOrEqual(INTERVAL);
    expect(report.resolution).toBeLessThan(1_000);
    expect(report.flows.map(({ name }) => name)).toEqual(PLANS.map(({ name }) => name));
    for (const { name, kind, sent, answered, lost, answers } of report.flows) {
      expect({ name, lost, answered }).toEqual({ name, lost: 0, answered: sent });
      // However late it was now and then, which the resolution owns to, it went on to the end.
      expect(sent * report.resolution).toBeGreaterThan(0.9 * LASTS);
      expect(answers).toEqual({ [kind === "dns" ? "dns07" : "host"]: sent });
    }
  });

  test("measure an interruption as long as it was, in every flow", async () => {
    let inner = 0;
    let outer = 0;
    const { report, gaps } = await probe(async () => {
      await pause(500);
      // Times in nanoseconds: before and after the packets' fate changes.
      const { stdout } = await host.run(["bash", "-ec"].concat(CUT) as [string, ...string[]]);
      const [first = 0, closed = 0, opening = 0, last = 0] = stdout.trim().split("\n").map(Number);
      inner = (opening - closed) / 1e6;
      outer = (last - first) / 1e6;
      await pause(500);
    });
    expect(gaps).toHaveLength(PLANS.length);
    const slack = INTERVAL + report.resolution;
    for (const { milliseconds, lost } of gaps) {
      expect(milliseconds).toBeGreaterThanOrEqual(inner - slack);
      expect(milliseconds).toBeLessThanOrEqual(outer + slack);
      expect(lost).toBeGreaterThan(0);
    }
    expect(report.flows.map(({ longestGap }) => longestGap?.milliseconds)).toEqual(
      PLANS.map(({ name }) => gaps.find(({ flow }) => flow === name)?.milliseconds),
    );
  });

  test("a host that is not there: everything is lost", async () => {
    const events = new EventEmitter<ProbeEvents>();
    const nowhere = PLANS.map((plan) => ({ ...plan, target: plan.target.replace(/2$/, "9") }));
    const prober = new RemoteProber(["nsenter", `--net=/run/netns/${client.name}`], nowhere, events);
    await prober.start(INTERVAL);
    await pause(300);
    for (const { sent, lost, answered, longestGap } of (await prober.stop()).flows) {
      expect([lost, answered]).toEqual([sent, 0]);
      expect(longestGap?.milliseconds).toBeGreaterThan(200);
    }
  });

  test("a prober that cannot begin says why", async () => {
    const events = new EventEmitter<ProbeEvents>();
    const [plan] = PLANS as [FlowPlan];
    const prober = new RemoteProber(
      ["nsenter", `--net=/run/netns/${client.name}`],
      [{ ...plan, source: "192.0.2.77" }],
      events,
    );
    await expect(prober.start(INTERVAL)).rejects.toThrow(/EADDRNOTAVAIL/);
  });
});

const CUT = `
date +%s%N
nft 'table inet cut { chain in { type filter hook input priority 0; policy drop; }; }'
date +%s%N
sleep 0.3
date +%s%N
nft delete table inet cut
date +%s%N
`;
