import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prefix } from "@trivet/ip";
import { pino } from "pino";
import { type MockInstance, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Agent } from "../../src/daemon/agent.ts";
import { runAgent } from "../../src/daemon/run.ts";
import { SystemdNotifier } from "../../src/daemon/sd-notify.ts";

const CONFIG =
  "asn: 65010\nrouterId: 192.0.2.1\npeers: [{address: 192.0.2.254, asn: 65000}]\nallow: [203.0.113.0/27]\n";

/** The agent's log. */
const log: string[] = [];

vi.mock("../../src/daemon/log.ts", () => ({
  createLogger: () => pino({}, { write: (line: string) => void log.push((JSON.parse(line) as { msg: string }).msg) }),
}));

/** How the process ended: what would have been its end is thrown instead. */
class Exit extends Error {}

const folder = mkdtempSync(join(tmpdir(), "trivet-run-"));
const path = join(folder, "agent.yaml");
let agent: Agent;
/** What systemd was told. */
let told: string[];
let stop: MockInstance<Agent["stop"]>;
let exit: MockInstance<typeof process.exit>;
let announced: number;

beforeEach(() => {
  write(CONFIG);
  told = [];
  log.length = 0;
  announced = 0;
  vi.spyOn(SystemdNotifier.prototype, "tell").mockImplementation(
    (...state: readonly string[]) => void told.push(...state),
  );
  stop = vi.spyOn(Agent.prototype, "stop").mockResolvedValue();
  exit = vi.spyOn(process, "exit").mockImplementation((status) => {
    throw new Exit(`status ${String(status)}`);
  });
  vi.spyOn(Agent.prototype, "announcement", "get").mockImplementation(() => ({
    routes: new Map(Array.from({ length: announced }, (_, i) => [String(i), {} as never])),
    refused: [],
    problems: [],
  }));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(path);
});

function write(text: string): void {
  writeFileSync(path, `${text}lxd: {socket: ${folder}/lxd.sock}\n`);
}

/** Runs an agent without LXD or routers. @param then once it runs */
async function running(then: () => void): Promise<void> {
  vi.spyOn(Agent.prototype, "start").mockImplementation(async function (this: Agent) {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the agent is made by the code under test
    agent = this;
    await Promise.resolve();
    setImmediate(then);
  });
  await runAgent({ config: path, version: "test" });
}

function becomeReady(): void {
  vi.spyOn(Agent.prototype, "ready", "get").mockReturnValue(true);
  agent.emit("ready");
}

function routes(count: number): void {
  announced = count;
  agent.emit("routes", { announced: [], withdrawn: [{ prefix: Prefix.parse("203.0.113.1/32") } as never] });
}

const interrupt = (): void => void process.emit("SIGINT", "SIGINT");
const hangup = (): void => void process.emit("SIGHUP", "SIGHUP");

describe("systemd is told", () => {
  test("how many routes are announced, whenever that changes", async () => {
    await running(() => {
      announced = 2;
      becomeReady();
      routes(1);
      routes(1);
      interrupt();
    });
    expect(told).toEqual(["READY=1", "STATUS=announcing 2 routes", "STATUS=announcing 1 route", "STOPPING=1"]);
  });

  test("that a reload was refused and why, until one is not", async () => {
    await running(() => {
      becomeReady();
      write(CONFIG.replace("65010", "0"));
      hangup();
      routes(3);
      write(CONFIG);
      hangup();
      interrupt();
    });
    const refused = `STATUS=the last reload was refused: ${path}:1:6: "asn" is 0, but must be at least 1; correct the value`;
    expect(told.filter((line) => line.startsWith("STATUS="))).toEqual([
      "STATUS=announcing 0 routes",
      `${refused} (announcing 0 routes)`,
      `${refused} (announcing 3 routes)`,
      "STATUS=announcing 3 routes",
    ]);
    expect(told.filter((line) => /^(RELOADING|READY)/.test(line))).toEqual([
      "READY=1",
      "RELOADING=1",
      "READY=1",
      "RELOADING=1",
      "READY=1",
    ]);
  });

  test("nothing of readiness by a reload before it", async () => {
    await running(() => {
      hangup();
      interrupt();
    });
    expect(told).toEqual(["STATUS=not ready yet", "STOPPING=1"]);
  });
});

describe("a reload names what needs a restart", () => {
  test.each([
    ["addresses: true\n", "configuration reloaded"],
    ["server: b\n", "configuration reloaded; server needs a restart"],
    ["server: b\napi: {socket: /run/b.sock}\n", "configuration reloaded; api, server need a restart"],
  ])("%j", async (more, message) => {
    await running(() => {
      write(CONFIG + more);
      hangup();
      interrupt();
    });
    expect(log).toContain(message);
  });
});

describe("something fatal", () => {
  test("of the user or the world withdraws the routes", async () => {
    const error = Object.assign(new Error("another server's file"), { fault: "input" });
    await expect(running(() => agent.emit("fatal", error))).rejects.toBe(error);
    expect(stop.mock.calls).toEqual([["goodbye"]]);
    expect(exit).not.toHaveBeenCalled();
  });

  test("that is a bug looks to routers like a handover", async () => {
    await expect(running(() => agent.emit("fatal", new TypeError("x is undefined")))).rejects.toThrow("status 70");
    expect(stop).not.toHaveBeenCalled();
  });
});
