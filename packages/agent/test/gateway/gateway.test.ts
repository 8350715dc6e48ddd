import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { WELL_KNOWN_COMMUNITIES } from "@trivet/bgp";
import { NS1 } from "@trivet/lab";
import { eventually } from "@trivet/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Agent } from "../../src/daemon/agent.ts";
import { World } from "../support/agents.ts";

const [ANYCAST] = NS1;
const GSHUT = WELL_KNOWN_COMMUNITIES["graceful-shutdown"];
const LANGARA = "127.98.2.1";
const ABYDOS = "127.98.2.2";
const NETWORK = { project: "dns", name: "dns-langara" };

let world: World;
let agent: Agent;
/** The BFD of abydos: a process of its own, so that it can die without a word. */
let abydos: ChildProcess;

beforeEach(async () => {
  world = await World.create();
  world.cluster.configureNetwork(NETWORK, { chassis: "abydos" });
  abydos = fork(join(import.meta.dirname, "../../../bfd/test/support/endpoint-child.ts"));
  await once(abydos, "message");
  abydos.send([{ peer: LANGARA, local: ABYDOS, multihop: true, transmitInterval: 100, receiveInterval: 100 }]);
  ({ agent } = await world.start("langara", `gateway: {servers: {langara: [${LANGARA}], abydos: [${ABYDOS}]}}\n`));
  await eventually("langara sees abydos, and announces", async () => {
    const [session] = await agent.bfdSessions();
    return session?.state === "Up" && world.route("langara", ANYCAST) !== undefined;
  });
});
afterEach(async () => {
  abydos.kill("SIGKILL");
  await world[Symbol.asyncDispose]();
});

const lastResort = (prefix: string): boolean =>
  world.route("langara", prefix)?.attributes.communities?.includes(GSHUT) === true;

describe("a server that dies", () => {
  test("routes whose gateway it held are the last resort at once, until LXD tells that OVN has moved it", async () => {
    const others = world.routes("langara").length;
    abydos.kill("SIGKILL");
    await eventually("the anycast route is the last resort", () => lastResort(ANYCAST));
    expect(world.route("langara", ANYCAST)?.attributes.med).toBe(4_294_967_295);
    expect(world.routes("langara")).toHaveLength(others);
    const held = world.cluster.scene.networks
      .filter(({ chassis }) => chassis === "abydos")
      .map(({ gateway6 }) => gateway6);
    expect(lastResort((held[0] ?? "").replace("1/64", "/64"))).toBe(true);
    world.cluster.configureNetwork(NETWORK, { chassis: "orilla" });
    await eventually(
      "it is a route as any other",
      () => world.route("langara", ANYCAST) !== undefined && !lastResort(ANYCAST),
    );
    expect(agent.lostServers).toEqual(new Set(["abydos"]));
  });

  test("one that stops by intent changes nothing", async () => {
    abydos.send([{ peer: LANGARA, local: ABYDOS, multihop: true, adminDown: true }]);
    await eventually("BFD is down", async () => (await agent.bfdSessions())[0]?.state === "Down");
    expect(agent.lostServers.size).toBe(0);
    expect(lastResort(ANYCAST)).toBe(false);
  });
});
