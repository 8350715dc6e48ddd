import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { SessionStatus } from "@trivet/bfd";
import { type PeerRoute, Speaker } from "@trivet/bgp";
import { NS1, SimulatedCluster } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { Agent } from "../../src/daemon/agent.ts";
import { createLogger } from "../../src/daemon/log.ts";

const ROUTER = "127.96.4.1";
const OURS = "127.96.4.2";
const [ANYCAST] = NS1;
const NAME_SERVER = { project: "dns", name: "ns1-01" };
const EVENTS = 10_000;
const SECONDS = 10;
/** Seconds without a message after which the router gives the session up; a KEEPALIVE is due every third of it. */
const HOLD = 9;
/** BFD that ends after 3 s of silence: of the agent's, not of a busy machine that runs other tests beside. */
const TIMERS = { transmitInterval: 300, receiveInterval: 300, multiplier: 10 };

let cluster: SimulatedCluster;
let folder: string;
let router: Speaker;
/** The router's BFD, in a process of its own. */
let bfd: ChildProcess;
let agent: Agent;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "trivet-storm-"));
  cluster = await SimulatedCluster.start();
  bfd = fork(join(import.meta.dirname, "../../../bfd/test/support/endpoint-child.ts"));
  await once(bfd, "message");
  router = new Speaker({
    asn: 65000,
    routerId: "192.0.2.254",
    listen: [{ address: ROUTER, port: 0 }],
    ranges: [{ prefix: "127.96.4.0/24", asn: 65010, holdTime: HOLD }],
  });
  await router.start();
  const yaml = `asn: 65010
routerId: 192.0.2.1
peers:
  - address: ${ROUTER}
    port: ${router.listening()[0]?.port ?? 0}
    asn: 65000
    localAddress: ${OURS}
    holdTime: ${HOLD}
    bfd: ${JSON.stringify(TIMERS)}
allow: [203.0.113.0/27, "2001:db8::/48"]
lxd: {socket: ${cluster.socket("langara")}}
gateway: {watch: false}
api: {socket: ${folder}/agent.sock, tls: {enabled: false}}
`;
  agent = new Agent(parseConfig("agent.yaml", yaml), { log: createLogger("silent", "test"), version: "test" });
});
afterEach(async () => {
  await agent.stop("goodbye");
  await router.stop();
  bfd.kill("SIGKILL");
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

test(
  `${EVENTS} events of instances in ${SECONDS} s: BFD and BGP go on, and the routes are those of the end`,
  { timeout: 120_000 },
  async () => {
    const up = new Promise<void>((resolve) => {
      bfd.on("message", ({ state }: SessionStatus) => {
        if (state === "Up") resolve();
      });
    });
    bfd.send([{ peer: OURS, local: ROUTER, ...TIMERS }]);
    const ready = once(agent, "ready");
    await agent.start();
    await Promise.all([up, ready]);
    await eventually("the router has all routes", () => {
      const { size } = agent.announcement.routes;
      return size > 0 && routes().size === size;
    });
    const before = { prefixes: prefixes(), established: agent.sessions()[0]?.established };
    const lost: SessionStatus[] = [];
    bfd.on("message", (status: SessionStatus) => lost.push(status));

    const instances = cluster.scene.instances.filter(({ running }) => running);
    const began = performance.now();
    const elapsed = (): number => performance.now() - began;
    let events = 0;
    while (events < EVENTS) {
      const due = Math.min(EVENTS, Math.ceil((elapsed() / (SECONDS * 1000)) * EVENTS));
      for (; events < due; events++) {
        const { project, name } = instances[events % instances.length] as (typeof instances)[number];
        // Each changes what its routes carry, so that none can be passed over.
        void cluster.configureInstance({ project, name }, { config: { "user.trivet.announce.med": String(events) } });
      }
      await pause(5);
    }
    const took = elapsed() / 1000;
    const { config } = cluster.instance(NAME_SERVER);
    await eventually(
      "the router has what was last",
      () => String(routes().get(ANYCAST)?.med) === config["user.trivet.announce.med"],
    );

    expect(took).toBeLessThan(2 * SECONDS);
    expect(lost).toEqual([]);
    const [watched] = await agent.bfdSessions();
    expect(watched).toMatchObject({ state: "Up", flaps: 0 });
    expect(agent.sessions()[0]).toMatchObject({ state: "established", established: before.established });
    expect(prefixes()).toEqual(before.prefixes);
  },
);

function routes(): Map<string, PeerRoute["attributes"]> {
  const all = router.sessions().flatMap(({ peer }) => [...router.adjRibIn(peer)]);
  return new Map(all.map(({ prefix, attributes }) => [prefix.toString(), attributes]));
}

function prefixes(): string[] {
  return [...routes().keys()].toSorted();
}
