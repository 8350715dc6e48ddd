import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Prefix } from "@trivet/ip";
import type { Instance } from "@trivet/lxd";
import { Announcer } from "../../src/announce/announce.ts";
import { parseConfig } from "../../src/config/load.ts";
import { createLogger } from "../../src/daemon/log.ts";
import { healthConfig } from "../../src/health/config.ts";
import { Health } from "../../src/health/health.ts";
import type { Check } from "../../src/health/plan.ts";
import type { Outcome } from "../../src/health/state.ts";
import { OPEN, instance, ovn, snapshot } from "../announce/world.ts";

const PASS: Outcome = { kind: "passed" };
const FAIL: Outcome = { kind: "failed", why: "connection refused" };
const UNKNOWN: Outcome = { kind: "unknown", why: "LXD does not answer" };
const web = ovn("web", { "ipv6.address": "2001:db8:5::1/64" });
const CHECK = { "user.trivet.check": "exec:ok" };

/** What each instance's next checks find; without an entry a check does not end. */
let outcomes: Record<string, Outcome>;
let changes: number;
let running: number;
let most: number;
let health: Health;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
  vi.spyOn(Math, "random").mockReturnValue(0);
  [outcomes, changes, running, most] = [{}, 0, 0, 0];
  health = new Health({
    log: createLogger("silent", "test"),
    config: () => CONFIG,
    probe: async (check) => await find(check),
    changed: () => void changes++,
  });
});

afterEach(() => {
  health.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const CONFIG = healthConfig(
  parseConfig("agent.yaml", "asn: 65010\npeers: [{address: 192.0.2.1, asn: 65000}]\nallow: [192.0.2.0/24]\n"),
);

async function find({ instance: name }: Check): Promise<Outcome> {
  most = Math.max(most, ++running);
  const outcome = outcomes[name];
  if (outcome === undefined) return await new Promise(() => {});
  await new Promise((resolve) => setTimeout(resolve, 1));
  running--;
  return outcome;
}

function service(name: string, more: Partial<Instance> = {}): Instance {
  const nic = { network: "web", "ipv4.routes.external": `203.0.113.${name.slice(1)}/32` };
  return instance(name, nic, { config: CHECK, ...more });
}

function take(...instances: Instance[]): void {
  last = snapshot({ networks: [web], instances });
  health.take(last);
}
let last = snapshot();

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

const announcer = new Announcer(OPEN);
/** External routes that are announced now, by the instance's number. */
function announced(): string[] {
  const { routes } = announcer.announce(last, [health.condition]);
  return [...routes.keys()].flatMap((prefix) => /^203\.0\.113\.(\d+)\//.exec(prefix)?.[1] ?? []).sort();
}

function why(number: number): string | undefined {
  const prefix = Prefix.parse(`203.0.113.${number}/32`);
  return announcer.announce(last, [health.condition]).refused.find((one) => one.prefix.equals(prefix))?.refusal.why;
}

describe("when the agent starts", () => {
  test("what passes is announced at once, and readiness waits for all first checks", async () => {
    outcomes = { c1: PASS, c2: FAIL };
    take(service("c1"), service("c2"), service("c3", { config: {}, expanded_config: {} }));
    const settled = vi.fn<() => void>();
    health.whenSettled(settled);
    expect(announced()).toEqual(["3"]);
    await pass(5);
    expect(announced()).toEqual(["1", "3"]);
    expect(settled).not.toHaveBeenCalled();
    await pass(2_100);
    expect(settled).toHaveBeenCalledOnce();
    expect(why(2)).toBe("its check `check` fails since 2026-01-01T00:00:02.001Z: connection refused");
  });

  test("readiness waits no longer than a timeout and a second, and what did not tell is announced as before", async () => {
    take(service("c1"));
    const settled = vi.fn<() => void>();
    health.whenSettled(settled);
    await pass(2_900);
    expect(settled).not.toHaveBeenCalled();
    await pass(100);
    expect(settled).toHaveBeenCalledOnce();
    expect(announced()).toEqual(["1"]);
    expect(health.view()).toMatchObject([{ state: "unknown", verdict: "passing", error: "not checked yet" }]);
  });

  test("without checks readiness waits for nothing", () => {
    take(instance("c1", { network: "web" }));
    const settled = vi.fn<() => void>();
    health.whenSettled(settled);
    expect(settled).toHaveBeenCalledOnce();
  });
});

describe("an instance", () => {
  beforeEach(async () => {
    outcomes = { c1: PASS };
    take(service("c1"));
    await pass(5);
  });

  test("that fails is withdrawn within an interval and fall - 1 fast ones, once told, and comes back", async () => {
    outcomes = { c1: FAIL };
    const before = changes;
    await pass(6_900);
    expect(announced()).toEqual(["1"]);
    await pass(200);
    expect(announced()).toEqual([]);
    expect(changes).toBe(before + 1);
    expect(health.isHealthy({ project: "default", name: "c1" })).toBe(false);
    outcomes = { c1: PASS };
    await pass(6_200);
    expect(announced()).toEqual(["1"]);
    expect(changes).toBe(before + 2);
    expect(health.isHealthy({ project: "default", name: "c1" })).toBe(true);
  });

  test("that cannot be checked stays announced for hours, and that is shown", async () => {
    outcomes = { c1: UNKNOWN };
    await pass(4 * 3_600_000);
    expect(announced()).toEqual(["1"]);
    const [view] = health.view();
    expect(view).toMatchObject({ state: "unknown", verdict: "passing", error: "LXD does not answer" });
    expect(view?.since).toBe("2026-01-01T00:00:05.001Z");
    expect(view?.checkedAt).toBe("2026-01-01T00:00:00.001Z");
  });

  test("that starts later is announced only after `rise` passed checks", async () => {
    take(service("c1"), service("c2", { status: "Stopped" }));
    outcomes = { c1: PASS, c2: PASS };
    take(service("c1"), service("c2"));
    await pass(5);
    expect(announced()).toEqual(["1"]);
    expect(why(2)).toContain("its check `check` did not pass yet");
    expect(health.isHealthy({ project: "default", name: "c2" })).toBeUndefined();
    await pass(1_100);
    expect(announced()).toEqual(["1", "2"]);
  });

  test("that stops, moves away or is gone is checked no more, and begins anew when it is back", async () => {
    take(service("c1", { location: "server-2" }));
    expect(health.view()).toEqual([]);
    take(service("c1"));
    await pass(5);
    expect(announced()).toEqual([]);
    await pass(1_100);
    expect(announced()).toEqual(["1"]);
    take();
    expect(health.view()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ["started again", { last_used_at: "2026-01-01T00:00:01Z" }],
    ["deleted, and made anew with its name", { created_at: "2026-01-01T00:00:01Z" }],
  ])("that was %s, which no Snapshot showed, passes only after `rise` passed checks", async (_, other) => {
    take(service("c1", other));
    expect(announced()).toEqual([]);
    expect(why(1)).toContain("did not pass yet");
    await pass(1_100);
    expect(announced()).toEqual(["1"]);
  });

  test("that is given a check while it runs stays announced until it fails", async () => {
    const plain = { config: {}, expanded_config: {} };
    take(service("c1"), service("c2", plain));
    await pass(5);
    outcomes = { c1: PASS, c2: FAIL };
    take(service("c1"), service("c2"));
    expect(announced()).toEqual(["1", "2"]);
    await pass(2_500);
    expect(announced()).toEqual(["1"]);
  });

  test("whose check is wrong is announced unchecked, and the problem is told", async () => {
    take(service("c1"), service("c2", { config: { "user.trivet.check": "ping://" } }));
    expect(announced()).toEqual(["1", "2"]);
    expect(health.problems).toMatchObject([{ key: "user.trivet.check", value: "ping://", source: { instance: "c2" } }]);
    expect(health.isHealthy({ project: "default", name: "c2" })).toBeUndefined();
  });

  test("network subnets are announced whatever fails", async () => {
    outcomes = { c1: FAIL };
    await pass(20_000);
    expect([...announcer.announce(last, [health.condition]).routes.keys()]).toContain("2001:db8:5::/64");
  });
});

test("a check of a NIC holds back what that NIC has, and nothing else", async () => {
  outcomes = { c1: FAIL };
  const nic = (number: number, more = {}) => ({
    type: "nic",
    network: "web",
    "ipv4.routes.external": `203.0.113.${number}/32`,
    ...more,
  });
  const both = instance("c1", {}, { expanded_devices: { eth0: nic(1, CHECK), eth1: nic(2) } });
  take(both);
  await pass(10_000);
  expect(announced()).toEqual(["2"]);
});

test("many checks: no more than a few at once, and one turn tells of all that changed", async () => {
  const names = Array.from({ length: 200 }, (_, i) => `c${i + 1}`);
  outcomes = Object.fromEntries(names.map((name) => [name, PASS]));
  take(...names.map((name) => service(name)));
  await pass(100);
  expect(announced()).toHaveLength(200);
  expect(most).toBeLessThanOrEqual(4);
  const before = changes;
  outcomes = Object.fromEntries(names.map((name) => [name, FAIL]));
  await pass(30_000);
  expect(announced()).toHaveLength(0);
  expect(changes - before).toBeLessThan(60);
});
