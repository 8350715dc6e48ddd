import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { NS1 } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AgentClient } from "../../src/api/client.ts";
import type { Agent } from "../../src/daemon/agent.ts";
import { World } from "../support/agents.ts";

const LANGARA = "127.98.4.1";
const ABYDOS = "127.98.4.2";
const CONFIG = `drain: {wait: 60}\ngateway: {servers: {langara: [${LANGARA}], abydos: [${ABYDOS}]}}\n`;
const SESSION = `session="abydos at ${ABYDOS}",peer="${ABYDOS}"`;

let world: World;
let agent: Agent;
let ask: AgentClient;
/** The BFD of abydos: a process of its own, so that it can die without a word. */
let abydos: ChildProcess;

beforeEach(async () => {
  world = await World.create();
  world.cluster.configureNetwork({ project: "dns", name: "dns-langara" }, { chassis: "abydos" });
  abydos = fork(join(import.meta.dirname, "../../../bfd/test/support/endpoint-child.ts"));
  await once(abydos, "message");
  abydos.send([{ peer: LANGARA, local: ABYDOS, multihop: true, transmitInterval: 300, receiveInterval: 300 }]);
  ({ agent, ask } = await world.start("langara", CONFIG));
  await eventually("langara sees abydos, and announces", async () => {
    const [session] = await agent.bfdSessions();
    return session?.state === "Up" && world.route("langara", NS1[0]) !== undefined;
  });
});
afterEach(async () => {
  abydos.kill("SIGKILL");
  await world[Symbol.asyncDispose]();
});

/** The lines of `/metrics` that are no comments, by all before the value. */
async function metrics(): Promise<Map<string, number>> {
  const asked = request({ socketPath: agent.config.api.socket, path: "/metrics" }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const lines = (await text(response)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

test("routes by family and by what asks for them; sessions of BGP and BFD", async () => {
  const now = await metrics();
  const announced = [...agent.announcement.routes.values()];
  const kinds = new Set(announced.map(({ reasons }) => reasons[0].source.kind));
  expect(kinds.size).toBeGreaterThan(1);
  for (const kind of kinds)
    for (const family of [4, 6]) {
      const those = announced.filter(
        ({ prefix, reasons }) => prefix.family === family && reasons[0].source.kind === kind,
      );
      if (those.length > 0)
        expect(now.get(`trivet_routes_announced{family="ipv${family}",reason="${kind}"}`)).toBe(those.length);
    }
  expect(now.get(`trivet_bgp_session_up{peer="127.0.0.1"}`)).toBe(1);
  expect(now.get(`trivet_bgp_session_flaps{peer="127.0.0.1"}`)).toBe(0);
  expect(now.get(`trivet_bfd_session_up{${SESSION}}`)).toBe(1);
  expect(now.get(`trivet_bfd_session_flaps{${SESSION}}`)).toBe(0);
  // Three of its packets, of which one comes every 300 ms.
  expect(now.get(`trivet_bfd_detection_seconds{${SESSION}}`)).toBeCloseTo(0.9, 3);
  expect(now.get("trivet_servers_lost")).toBe(0);
  expect([...now.keys()].filter((key) => key.startsWith("trivet_drains"))).toEqual([]);
});

test("a server lost, and routes held back for it", async () => {
  abydos.kill("SIGKILL");
  await eventually("abydos is lost", () => agent.lostServers.has("abydos"));
  const now = await metrics();
  expect(now.get("trivet_servers_lost")).toBe(1);
  expect(now.get(`trivet_bfd_session_up{${SESSION}}`)).toBe(0);
  expect(now.get(`trivet_bfd_session_flaps{${SESSION}}`)).toBe(1);
  expect(now.get(`trivet_routes_held_back{family="ipv4"}`)).toBeGreaterThan(0);
});

test("a drain, and a session lost", async () => {
  await ask.change("PUT", "/v1/drain?target=langara&force=true");
  await eventually("the drain began", async () => (await metrics()).get(`trivet_drains{phase="moving"}`) === 1);
  const now = await metrics();
  expect(now.get("trivet_draining")).toBe(1);
  for (const family of [4, 6]) {
    const routes = [...agent.announcement.routes.values()].filter(({ prefix }) => prefix.family === family);
    expect(now.get(`trivet_routes_held_back{family="ipv${family}"}`)).toBe(routes.length);
  }
  await world.router.stop();
  await eventually(
    "the loss is counted",
    async () => (await metrics()).get(`trivet_bgp_session_flaps{peer="127.0.0.1"}`) === 1,
  );
  expect((await metrics()).get(`trivet_bgp_session_up{peer="127.0.0.1"}`)).toBe(0);
});
