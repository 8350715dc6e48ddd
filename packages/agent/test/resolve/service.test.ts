import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Name, RCODE, TYPE, axfr, query, recordText } from "@trivet/dns";
import { SimulatedCluster } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentClient } from "../../src/api/client.ts";
import { parseConfig } from "../../src/config/load.ts";
import { Agent } from "../../src/daemon/agent.ts";
import { createLogger } from "../../src/daemon/log.ts";
import type { DnsStatus, RecordView } from "../../src/resolve/service.ts";

const ZONE = "hive.example.net.";

let cluster: SimulatedCluster;
let folder: string;
let agents: { readonly agent: Agent; readonly ask: AgentClient; readonly port: number }[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "trivet-dns-"));
  cluster = await SimulatedCluster.start();
  agents = [];
  for (const server of cluster.scene.servers) agents.push(await start(server));
});
afterEach(async () => {
  for (const { agent, ask } of agents) {
    await ask[Symbol.asyncDispose]();
    await agent.stop("goodbye");
  }
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(server: string) {
  const socket = `${folder}/${server}.sock`;
  const yaml = `asn: 65010
routerId: 192.0.2.1
peers: [{address: 127.0.0.1, port: 1, asn: 65000}]
allow: ["2001:db8::/32"]
log: error
lxd: {socket: ${cluster.socket(server)}}
api: {socket: ${socket}, tls: {enabled: false}}
dns:
  listen: [{address: 127.0.0.1, port: ${await freePort()}}]
  nameservers: [ns1.example.net]
  zones: [{zone: hive.example.net, records: "www CNAME git.web"}]
  reverse: [{prefix: "2001:db8::/32"}]
  transfers: [{from: [127.0.0.0/8]}]
`;
  const agent = new Agent(parseConfig("agent.yaml", yaml), { log: createLogger("silent", "test"), version: "test" });
  const ready = once(agent, "ready");
  await agent.start();
  await ready;
  const ask = new AgentClient(socket);
  const { listen } = await ask.get<DnsStatus>("/v1/dns");
  return { agent, ask, port: Number(listen[0]?.split(":").at(-1)) };
}

/** agent.yaml takes no port 0, which for a name server makes no sense but in a test. */
async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function statuses(): Promise<DnsStatus[]> {
  return await Promise.all(agents.map(({ ask }) => ask.get<DnsStatus>("/v1/dns")));
}
const serialsOf = (all: DnsStatus[]) => all.map(({ zones }) => zones.find(({ origin }) => origin === ZONE)?.serial);
async function agreed(): Promise<number> {
  return await eventually("all servers answer with one serial", async () => {
    const all = await statuses();
    const [first, ...others] = serialsOf(all);
    return all.every(({ zones }) => zones.every(({ behind }) => !behind)) && others.every((serial) => serial === first)
      ? first
      : undefined;
  });
}

describe("three agents on the seeds' cluster", () => {
  test("answer for instances, forward and reverse, with the same zones on every server", async () => {
    await agreed();
    const zones: string[][] = [];
    for (const { port } of agents) {
      const server = { address: "127.0.0.1", port };
      const answer = await query(Name.parse("git.web.hive.example.net."), TYPE.AAAA, server);
      expect([answer.rcode, answer.answers.length > 0]).toEqual([RCODE.NOERROR, true]);
      expect(answer.answers.map(recordText).join()).toMatch(/^git\.web\.hive\.example\.net\. 60 IN AAAA 2001:db8:/);
      const missing = await query(Name.parse("nobody.web.hive.example.net."), TYPE.AAAA, server);
      expect(missing.rcode).toBe(RCODE.NXDOMAIN);
      const records: string[] = [];
      for await (const entry of axfr(Name.parse(ZONE), server)) records.push(recordText(entry));
      zones.push(records);
    }
    expect(zones[0]?.length).toBeGreaterThan(cluster.scene.instances.length);
    expect(zones[1]).toEqual(zones[0]);
    expect(zones[2]).toEqual(zones[0]);
  });

  test("a changed instance is in every server's zone at the next serial; an unchanged zone keeps its own", async () => {
    const before = await agreed();
    await cluster.configureInstance({ project: "web", name: "git" }, { config: { "user.dns.records": "@ TXT fresh" } });
    for (const { port } of agents)
      await eventually("the record is answered", async () => {
        const { answers } = await query(Name.parse("git.web.hive.example.net."), TYPE.TXT, {
          address: "127.0.0.1",
          port,
        });
        return answers.length === 1;
      });
    expect(await agreed()).toBe(before + 1);
    const reverse = (await statuses()).map(
      ({ zones }) => zones.find(({ origin }) => origin.endsWith("ip6.arpa."))?.serial,
    );
    expect(new Set(reverse)).toEqual(new Set([before]));
  });

  test("explains a name, and reports what cannot be used on its instance", async () => {
    await cluster.configureInstance(
      { project: "web", name: "git" },
      { config: { "user.dns.records": "@ NS evil.example.net." } },
    );
    const { ask } = agents[0] as (typeof agents)[number];
    const problem = await eventually(
      "the problem is reported",
      async () => (await ask.get<DnsStatus>("/v1/dns")).problems[0],
    );
    expect(problem).toMatchObject({ where: "instance web/git", key: "user.dns.records" });
    const records = await ask.get<RecordView[]>("/v1/dns/records?name=www.hive.example.net");
    expect(records).toEqual([
      { record: "www.hive.example.net. 60 IN CNAME git.web.hive.example.net.", why: "configuration" },
    ]);
    await expect(ask.get("/v1/dns/records?name=a..b")).rejects.toThrow("empty label");
  });
});
