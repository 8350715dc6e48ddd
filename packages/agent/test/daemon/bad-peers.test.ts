import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INITIAL_CONTEXT, type OpenMessage, Speaker, encodeMessage } from "@trivet/bgp";
import { Address } from "@trivet/ip";
import { SimulatedCluster } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { Agent } from "../../src/daemon/agent.ts";

const OURS = "127.97.0.1";
const ROUTER = "127.97.0.2";
const BAD = "127.97.0.66";
const STRANGER = "127.97.0.77";

const OPEN: OpenMessage = {
  kind: "open",
  asn: 65099,
  holdTime: 90,
  identifier: Address.parse("192.0.2.66"),
  capabilities: [{ kind: "four-octet-as", asn: 65099 }],
};

/** An OPEN with some octets of its own. */
function open(changes: Partial<OpenMessage>, octets: Record<number, number> = {}): Uint8Array {
  const bytes = encodeMessage({ ...OPEN, ...changes }, INITIAL_CONTEXT);
  for (const [at, value] of Object.entries(octets)) bytes[Number(at)] = value;
  return bytes;
}

describe("a peer that connects to the agent and is wrong", () => {
  const log: { level: string; msg: string; peer?: string; address?: string; reason?: string }[] = [];
  const folder = mkdtempSync(join(tmpdir(), "trivet-bad-"));
  let cluster: SimulatedCluster;
  let router: Speaker;
  let agent: Agent;
  let port: number;

  beforeAll(async () => {
    cluster = await SimulatedCluster.start();
    router = new Speaker({
      asn: 65000,
      routerId: "192.0.2.254",
      listen: [{ address: ROUTER, port: 0 }],
      ranges: [{ prefix: "127.97.0.0/24", asn: 65010 }],
    });
    await router.start();
    port = await freePort();
    const config = `asn: 65010
routerId: 192.0.2.1
listen: [{address: ${OURS}, port: ${port}}]
peers:
- {name: good, address: ${ROUTER}, port: ${router.listening()[0]?.port ?? 0}, asn: 65000, localAddress: ${OURS}}
- {name: bad, address: ${BAD}, asn: 65099, passive: true}
allow: [203.0.113.0/27, "2001:db8::/48"]
lxd: {socket: ${cluster.socket("langara")}}
gateway: {watch: false}
api: {socket: ${folder}/agent.sock, tls: {enabled: false}}
`;
    const levels = { formatters: { level: (label: string) => ({ level: label }) } };
    const sink = { write: (line: string) => void log.push(JSON.parse(line) as (typeof log)[number]) };
    agent = new Agent(parseConfig("agent.yaml", config), { log: pino(levels, sink), version: "test" });
    const ready = once(agent, "ready");
    await agent.start();
    await ready;
    await eventually("the router has the routes", () => received() === agent.announcement.routes.size);
  });
  afterAll(async () => {
    await agent.stop("goodbye");
    await router.stop();
    await cluster.stop();
    rmSync(folder, { recursive: true });
  });

  const received = (): number => router.sessions().flatMap(({ peer }) => [...router.adjRibIn(peer)]).length;

  /** Connects, sends, and waits for the end. @returns code/subcode of the NOTIFICATION it is told last */
  async function told(from: string, bytes: Uint8Array): Promise<string> {
    const socket = connect({ host: OURS, port, localAddress: from });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.write(bytes);
    await once(socket, "close");
    const [, code = "", subcode = ""] =
      /f{32}[0-9a-f]{4}03(..)(..)(?:[0-9a-f]*)$/.exec(Buffer.concat(chunks).toString("hex")) ?? [];
    return `${parseInt(code, 16)}/${parseInt(subcode, 16)}`;
  }

  const HTTP = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: server1\r\n\r\n");
  test.each<[string, Uint8Array, string, RegExp]>([
    ["another AS", open({ asn: 65098, capabilities: [] }), "2/2", /says it is AS 65098, AS 65099 is configured/],
    ["the identifier 0.0.0.0", open({ identifier: Address.parse("0.0.0.0") }), "2/3", /identifier is 0\.0\.0\.0/],
    ["a hold time of 2 s", open({ holdTime: 2 }), "2/6", /hold time is 2 s; it must be 0 or at least 3/],
    ["BGP version 3", open({}, { 19: 3 }), "2/1", /version 3/],
    ["HTTP", HTTP, "1/1", /marker/],
    ["a message of 18 octets", open({}, { 16: 0, 17: 18 }), "1/2", /18/],
    ["a message of type 77", open({}, { 18: 77 }), "1/3", /77/],
  ])("%s: NOTIFICATION, one clear line, and no other session notices", async (_, bytes, notification, line) => {
    log.length = 0;
    expect(await told(BAD, bytes)).toBe(notification);
    const said = log.filter(({ peer, reason }) => peer === "bad" && reason !== undefined);
    expect(said).toMatchObject([{ level: "warn", msg: "no session" }]);
    expect(said[0]?.reason).toMatch(line);
    expect(agent.sessions()).toMatchObject([
      { peer: "good", state: "established", established: 1 },
      { peer: "bad", state: "active", established: 0 },
    ]);
    expect(received()).toBe(agent.announcement.routes.size);
  });

  test("someone whom no peer's configuration names is told so, and logged by its address", async () => {
    log.length = 0;
    expect(await told(STRANGER, open({}))).toBe("6/5");
    expect(log).toMatchObject([{ level: "warn", msg: "connection refused", address: STRANGER }]);
    expect(agent.sessions()[0]).toMatchObject({ peer: "good", state: "established", established: 1 });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, OURS);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
