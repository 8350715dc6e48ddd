import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Confirmation } from "@trivet/bgp";
import { Announcer } from "../../src/announce/announce.ts";
import { Drains } from "../../src/drain/drains.ts";
import { describeProblem } from "../../src/daemon/telling.ts";
import { changeServerOrders, readOrders } from "../../src/drain/orders.ts";
import type { Snapshot } from "../../src/inventory/snapshot.ts";
import { OPEN, instance, ovn, snapshot } from "../announce/world.ts";

const WAIT = 5;
const NIC = { network: "net", "ipv4.routes.external": "203.0.113.1/32" };
const PEERS = { told: () => ({ sessions: 1, of: 1 }), announcing: () => ["router"], gateways: () => ["default/net"] };

let drains: Drains;
const changed = vi.fn<() => void>();

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T12:00:00Z") });
  changed.mockClear();
  drains = makeDrains();
});
afterEach(() => {
  drains.stop();
  vi.useRealTimers();
});

/** What routers say, once asked. */
let routers: Map<string, PromiseWithResolvers<Confirmation>>;
function makeDrains(...names: readonly string[]): Drains {
  routers = new Map(names.map((name) => [name, Promise.withResolvers<Confirmation>()]));
  const confirm = () => new Map([...routers].map(([name, { promise }]) => [name, promise]));
  const made = new Drains({
    wait: () => WAIT,
    changed: () => {
      changed();
      made.announced();
    },
    confirm,
  });
  return made;
}
/** As the agent does. */
function take(world: Snapshot): void {
  drains.take(world);
  drains.announced();
}

const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
function world(order: string | undefined, more: { location?: string } = {}): Snapshot {
  const config = order === undefined ? {} : { "user.trivet.drain": order };
  return snapshot({ networks: [ovn("net")], instances: [instance("c1", NIC, { config, ...more })] });
}
function view(of: Snapshot) {
  return drains.view("server-1", new Announcer(OPEN).announce(of, [drains.condition]), PEERS);
}

describe("how long routers have to move", () => {
  test("`wait`, from when this agent sees a new order, whatever its time says: it is another server's clock", async () => {
    for (const skew of [-3_600, 0, 3_600]) {
      take(world(undefined));
      const ordered = world(at(skew));
      take(ordered);
      expect(view(ordered)).toMatchObject([{ phase: "moving", remaining: WAIT, prefixes: ["203.0.113.1/32"] }]);
      vi.advanceTimersByTime(WAIT * 1000 - 1);
      expect(view(ordered)).toMatchObject([{ phase: "moving" }]);
      vi.advanceTimersByTime(1);
      expect(view(ordered)).toMatchObject([{ phase: "leaving", moved: ["router"] }]);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(view(ordered)).toMatchObject([{ phase: "safe", prefixes: ["203.0.113.1/32"] }]);
    }
    expect(changed).toHaveBeenCalledTimes(3);
  });

  test("what is left of it, where the agent started meanwhile; never more than `wait`", () => {
    take(world(at(-2)));
    vi.advanceTimersByTime(2_999);
    expect(view(world(at(-5)))).toMatchObject([{ phase: "moving" }]);
    vi.advanceTimersByTime(1);
    expect(view(world(at(-5)))).toMatchObject([{ phase: "leaving" }]);
    take(world(undefined));
    drains = makeDrains();
    take(world(at(60)));
    expect(view(world(at(60)))).toMatchObject([{ remaining: WAIT }]);
  });

  test("nothing, where the order came here with its instance: what was never announced need not move", () => {
    take(world(at(-60), { location: "server-2" }));
    expect(drains.view("server-1", new Announcer(OPEN).announce(world(undefined)), PEERS)).toEqual([]);
    take(world(at(-60)));
    expect(view(world(at(-60)))).toMatchObject([{ phase: "leaving" }]);
  });

  test("all of it, where an order by hand says only true; nothing, when the agent starts with one: it may be of any age", () => {
    take(world(undefined));
    take(world("true"));
    expect(view(world("true"))).toMatchObject([{ phase: "moving", remaining: WAIT }]);
    drains.stop();
    drains = makeDrains();
    take(world("true"));
    expect(view(world("true"))).toMatchObject([{ phase: "leaving" }]);
  });
});

describe("when it is safe to stop", () => {
  const ordered = (): Snapshot => world(at(0));
  async function withdrawn(...names: readonly string[]): Promise<void> {
    drains = makeDrains(...names);
    take(ordered());
    await vi.advanceTimersByTimeAsync(WAIT * 1000);
  }
  const say = async (router: string, what: Confirmation): Promise<void> => {
    routers.get(router)?.resolve(what);
    await vi.advanceTimersByTimeAsync(0);
  };

  test("a second after the last router has confirmed to have read the withdrawal, or cannot say, or is gone", async () => {
    await withdrawn("r1", "r2", "r3", "r4");
    expect(view(ordered())).toMatchObject([
      { phase: "leaving", remaining: 10, routers: { confirmed: [], silent: ["r1", "r2", "r3", "r4"] } },
    ]);
    await say("r3", "unable");
    await say("r2", "ended");
    await say("r1", "read");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(view(ordered())).toMatchObject([
      { phase: "leaving", remaining: 5, routers: { confirmed: ["r1"], silent: ["r4"], absent: ["r2"] } },
    ]);
    await say("r4", "read");
    await vi.advanceTimersByTimeAsync(999);
    expect(view(ordered())).toMatchObject([{ phase: "leaving", routers: { confirmed: ["r1", "r4"], silent: [] } }]);
    await vi.advanceTimersByTimeAsync(1);
    expect(view(ordered())).toMatchObject([{ phase: "safe" }]);
  });

  test("a second after the time for that is over, and the silent are named", async () => {
    await withdrawn("r1", "r2");
    await say("r1", "read");
    await vi.advanceTimersByTimeAsync(10_999);
    expect(view(ordered())).toMatchObject([{ phase: "leaving" }]);
    await vi.advanceTimersByTimeAsync(1);
    expect(view(ordered())).toMatchObject([{ phase: "safe", routers: { confirmed: ["r1"], silent: ["r2"] } }]);
  });

  test("an answer to an order that was taken back says nothing of the next", async () => {
    await withdrawn("r1");
    const [first] = routers.values();
    take(world(undefined));
    routers.set("r1", Promise.withResolvers());
    take(ordered());
    await vi.advanceTimersByTimeAsync(WAIT * 1000);
    first?.resolve("read");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(view(ordered())).toMatchObject([{ phase: "leaving", routers: { silent: ["r1"] } }]);
  });

  test("of a server that announces nothing: not before others have left its gateways", async () => {
    const nothing = { ...snapshot({ networks: [ovn("net")] }), notes: { "user.trivet.drain.server-1": `* ${at(0)}` } };
    take(nothing);
    expect(view(nothing)).toMatchObject([{ phase: "moving", prefixes: [] }]);
    await vi.advanceTimersByTimeAsync(WAIT * 1000 + 1_000);
    expect(view(nothing)).toMatchObject([{ phase: "safe" }]);
  });

  test("of a server: with the networks whose gateway it is", () => {
    const all = { ...world(undefined), notes: { "user.trivet.drain.server-1": `* ${at(0)}` } };
    take(all);
    expect(view(all)).toMatchObject([{ target: "server-1", gateways: ["default/net"] }]);
    expect(view(all)[0]).not.toHaveProperty("routers");
  });
});

describe("the key of a server", () => {
  const read = (notes: Record<string, string>) => readOrders({ ...world(undefined), notes });
  const NOTES = { "user.trivet.drain.server-1": "true, nonsense, 203.0.113.5/24, 10.0.0.0/8 T1" };

  test("what it says wrong is a problem, harms no other order, and outlives a change of these", () => {
    const { orders, problems } = read(NOTES);
    expect(orders.map(({ target }) => target.kind)).toEqual(["server", "prefix"]);
    expect(problems.map(describeProblem)).toEqual([
      `the cluster's configuration: user.trivet.drain.server-1: "nonsense" is neither true, nor * or a prefix with a time after it; it is ignored until it is corrected`,
      `the cluster's configuration: user.trivet.drain.server-1: "203.0.113.5/24" is neither true, nor * or a prefix with a time after it; it is ignored until it is corrected`,
    ]);
    expect(changeServerOrders(NOTES, "server-1", { kind: "server" }, undefined)).toBe(
      "10.0.0.0/8 T1, nonsense, 203.0.113.5/24",
    );
  });

  test("of a server that there is not is a problem", () => {
    expect(read({ "user.trivet.drain.nosuch": "* T" }).problems).toMatchObject([
      { key: "user.trivet.drain.nosuch", why: "is for no server of this cluster" },
    ]);
    expect(read({ "user.trivet.drain.server-2": "* T" })).toEqual({ orders: [], problems: [] });
  });

  test("holds the whole server and prefixes, each with its time; what stands there stays", () => {
    const whole = { kind: "server" } as const;
    const first = changeServerOrders({}, "s1", whole, "T1");
    expect(first).toBe("* T1");
    expect(changeServerOrders({ "user.trivet.drain.s1": "* T1" }, "s1", whole, "T2")).toBeUndefined();
    expect(changeServerOrders({ "user.trivet.drain.s1": "* T1" }, "s2", whole, "T2")).toBe("* T2");
    expect(changeServerOrders({ "user.trivet.drain.s1": "* T1, 10.0.0.0/8 T2" }, "s1", whole, undefined)).toBe(
      "10.0.0.0/8 T2",
    );
    expect(changeServerOrders({ "user.trivet.drain.s1": "" }, "s1", whole, undefined)).toBeUndefined();
  });
});
