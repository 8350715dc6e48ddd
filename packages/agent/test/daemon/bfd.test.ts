import { type ChildProcess, fork } from "node:child_process";
import { on, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import type { SessionOptions, SessionStatus } from "@trivet/bfd";
import { CeaseReason, ErrorCode, Speaker } from "@trivet/bgp";
import { SimulatedCluster } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { Agent } from "../../src/daemon/agent.ts";
import { createLogger } from "../../src/daemon/log.ts";

const ROUTER = "127.96.0.1";
const OURS = "127.96.0.2";

let cluster: SimulatedCluster;
let folder: string;
let router: Speaker;
/** The router's BFD: a process of its own, so that it can die without a word. */
let bfd: ChildProcess;
let agent: Agent;

const yaml = (more: string) => `asn: 65010
routerId: 192.0.2.1
peers: [{address: ${ROUTER}, port: ${router.listening()[0]?.port ?? 0}, asn: 65000, localAddress: ${OURS}${more}}]
allow: [203.0.113.0/27, "2001:db8::/48"]
lxd: {socket: ${cluster.socket("langara")}}
gateway: {watch: false}
api: {socket: ${folder}/agent.sock, tls: {enabled: false}}
`;
const BFD = ", bfd: {transmitInterval: 100, receiveInterval: 100}";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "trivet-bfd-"));
  cluster = await SimulatedCluster.start();
  bfd = fork(join(import.meta.dirname, "../../../bfd/test/support/endpoint-child.ts"));
  await once(bfd, "message");
  router = new Speaker({
    asn: 65000,
    routerId: "192.0.2.254",
    listen: [{ address: ROUTER, port: 0 }],
    ranges: [{ prefix: "127.96.0.0/24", asn: 65010 }],
  });
  await router.start();
  agent = new Agent(parseConfig("agent.yaml", yaml(BFD)), { log: createLogger("silent", "test"), version: "test" });
});
afterEach(async () => {
  await agent.stop("goodbye");
  await router.stop();
  bfd.kill("SIGKILL");
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

function watch(more: Partial<SessionOptions> = {}): void {
  bfd.send([{ peer: OURS, local: ROUTER, transmitInterval: 100, receiveInterval: 100, ...more }]);
}

async function start(): Promise<void> {
  watch();
  await agent.start();
  await eventually("the session is established and watched", async () => {
    const [watched] = await agent.bfdSessions();
    return agent.sessions()[0]?.state === "established" && watched?.state === "Up";
  });
}

describe("a peer with bfd", () => {
  test("RFC 9384: when the router is lost the BGP session ends with Cease/BFD Down, long before its hold timer", async () => {
    await start();
    const told = once(router, "notification");
    bfd.kill("SIGKILL");
    // The router's TCP still stands here, so that what it is told can be seen.
    expect((await told)[0]).toMatchObject({
      direction: "received",
      message: { code: ErrorCode.Cease, subcode: CeaseReason.BfdDown },
    });
    expect(agent.sessions()[0]?.state).not.toBe("established");
  });

  test("a router that takes BFD down on purpose keeps its BGP session", async () => {
    await start();
    watch({ adminDown: true });
    await eventually("BFD is down here", async () => (await agent.bfdSessions())[0]?.state === "Down");
    expect(agent.sessions()[0]?.state).toBe("established");
  });

  test("whose thread dies is watched again", async () => {
    // Node tells of each worker that is made.
    const made = once(process, "worker") as Promise<[Worker]>;
    await start();
    void (await made)[0].terminate();
    await eventually("nothing is watched", async () => (await agent.bfdSessions().catch(() => [])).length === 0);
    await eventually("it is again", async () => (await agent.bfdSessions())[0]?.state === "Up");
    await eventually("and the session stands", () => agent.sessions()[0]?.state === "established");
  });

  test("a reload without it stops watching, and tells the router that this is meant", async () => {
    await start();
    const messages = on(bfd, "message");
    agent.reload(parseConfig("agent.yaml", yaml("")));
    // What came before, on the way up, is still in the queue.
    for await (const [status] of messages) if ((status as SessionStatus).remoteState === "AdminDown") break;
    expect(await agent.bfdSessions()).toEqual([]);
  });
});
