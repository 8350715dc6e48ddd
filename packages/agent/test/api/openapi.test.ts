import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Speaker } from "@trivet/bgp";
import { SimulatedCluster } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import type { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../src/api/app.ts";
import { addDrainControls } from "../../src/api/drain.ts";
import { OPERATIONS, openApi } from "../../src/api/openapi.ts";
import { parseConfig } from "../../src/config/load.ts";
import { Agent } from "../../src/daemon/agent.ts";
import { createLogger } from "../../src/daemon/log.ts";
import { Metrics } from "../../src/daemon/metrics.ts";

describe("the API's OpenAPI document", () => {
  const folder = mkdtempSync(join(tmpdir(), "trivet-api-"));
  let cluster: SimulatedCluster;
  let router: Speaker;
  let agent: Agent;
  let app: Hono;

  beforeAll(async () => {
    cluster = await SimulatedCluster.start();
    router = new Speaker({
      asn: 65000,
      routerId: "192.0.2.254",
      listen: [{ address: "127.0.0.1", port: 0 }],
      ranges: [{ prefix: "127.0.0.0/8", asn: 65010, gracefulRestart: {} }],
    });
    await router.start();
    const config = `asn: 65010
routerId: 192.0.2.1
peers:
- {address: 127.0.0.1, port: ${router.listening()[0]?.port ?? 0}, asn: 65000}
- {address: 127.0.0.99, port: 9, asn: 65000}
allow: [203.0.113.0/27]
lxd: {socket: ${cluster.socket("langara")}}
api: {socket: ${folder}/agent.sock, tls: {enabled: false}}
dns:
  listen: [{address: 127.0.0.1, port: ${await freePort()}}]
  nameservers: [ns1.example.net]
  zones: [{zone: hive.example.net, records: "www CNAME git.web"}]
`;
    agent = new Agent(parseConfig("agent.yaml", config), { log: createLogger("silent", "test"), version: "test" });
    const ready = once(agent, "ready");
    await agent.start();
    await ready;
    await eventually("one session is up, one failed", () => {
      const [up, down] = agent.sessions();
      return up?.state === "established" && down?.lastFailure !== undefined;
    });
    await eventually("DNS answers", () => agent.dns?.status.zones.every(({ serial }) => serial !== undefined) === true);
    app = createApp(agent, new Metrics(agent), async () => await Promise.resolve([{ server: "abydos", error: "off" }]));
    addDrainControls(app, agent, async () => await Promise.resolve([]));
  });
  afterAll(async () => {
    await agent.stop("goodbye");
    await router.stop();
    await cluster.stop();
    rmSync(folder, { recursive: true });
  });

  test("is the one that is committed (`npx vitest run packages/agent/test/api -u` makes it anew)", async () => {
    await expect(`${JSON.stringify(openApi(), undefined, 2)}\n`).toMatchFileSnapshot(
      "../../../../schema/agent-api.openapi.json",
    );
  });

  test("has every route of the API, and no other", () => {
    const served = app.routes.map(({ method, path }) => `${method} ${path}`);
    const described = Object.entries(OPERATIONS).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual(served.toSorted());
  });

  test.each([
    ["/v1/status", ""],
    ["/v1/sessions", ""],
    ["/v1/bfd", ""],
    ["/v1/snapshot", ""],
    ["/v1/routes", "?refused=true"],
    ["/v1/routes/explain", "?prefix=203.0.113.5&everywhere=true"],
    ["/v1/drain", "?everywhere=true"],
    ["/v1/health", ""],
    ["/v1/dns", ""],
    ["/v1/dns/records", ""],
    ["/v1/dns/zone", "?name=hive.example.net"],
  ])("describes what %s answers, to the last key", async (path, query) => {
    const answer = OPERATIONS[path]?.["get"]?.answer;
    const response = await app.request(`${path}${query}`);
    expect(response.status).toBe(200);
    const said: unknown = await response.json();
    expect(typeof answer === "object" ? answer.parse(said) : answer).toEqual(said);
  });

  test.each([
    ["/v1/routes/explain", "?prefix=x", 400],
    ["/v1/dns/zone", "?name=example.org", 400],
  ])("says that %s%s may be answered %i", async (path, query, status) => {
    expect((await app.request(`${path}${query}`)).status).toBe(status);
    expect(Object.keys(OPERATIONS[path]?.["get"]?.otherwise ?? {})).toContain(String(status));
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
