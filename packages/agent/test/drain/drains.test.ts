import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Announcer } from "../../src/announce/announce.ts";
import { Drains } from "../../src/drain/drains.ts";
import { changeServerOrders } from "../../src/drain/orders.ts";
import type { Snapshot } from "../../src/inventory/snapshot.ts";
import { OPEN, instance, ovn, snapshot } from "../announce/world.ts";

const WAIT = 5;
const NIC = { network: "net", "ipv4.routes.external": "203.0.113.1/32" };
const PEERS = { told: () => ({ sessions: 1, of: 1 }), announcing: () => ["router"] };

let drains: Drains;
const changed = vi.fn<() => void>();

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T12:00:00Z") });
  changed.mockClear();
  drains = new Drains(() => WAIT, changed);
});
afterEach(() => {
  drains.stop();
  vi.useRealTimers();
});

const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
function world(order: string | undefined, more: { location?: string } = {}): Snapshot {
  const config = order === undefined ? {} : { "user.trivet.drain": order };
  return snapshot({ networks: [ovn("net")], instances: [instance("c1", NIC, { config, ...more })] });
}
function view(of: Snapshot) {
  return drains.view("server-1", new Announcer(OPEN).announce(of, [drains.condition]), PEERS);
}

describe("how long routers have to move", () => {
  test("`wait`, from when this agent sees a new order, whatever its time says: it is another server's clock", () => {
    for (const skew of [-3_600, 0, 3_600]) {
      drains.take(world(undefined));
      const ordered = world(at(skew));
      drains.take(ordered);
      expect(view(ordered)).toMatchObject([{ phase: "moving", remaining: WAIT, prefixes: ["203.0.113.1/32"] }]);
      vi.advanceTimersByTime(WAIT * 1000 - 1);
      expect(view(ordered)).toMatchObject([{ phase: "moving" }]);
      vi.advanceTimersByTime(1);
      expect(view(ordered)).toMatchObject([{ phase: "leaving", moved: ["router"] }]);
      vi.advanceTimersByTime(1_000);
      expect(view(ordered)).toMatchObject([{ phase: "safe", prefixes: ["203.0.113.1/32"] }]);
    }
    expect(changed).toHaveBeenCalledTimes(3);
  });

  test("what is left of it, where the agent started meanwhile; never more than `wait`", () => {
    drains.take(world(at(-2)));
    vi.advanceTimersByTime(2_999);
    expect(view(world(at(-5)))).toMatchObject([{ phase: "moving" }]);
    vi.advanceTimersByTime(1);
    expect(view(world(at(-5)))).toMatchObject([{ phase: "leaving" }]);
    drains.take(world(undefined));
    drains = new Drains(() => WAIT, changed);
    drains.take(world(at(60)));
    expect(view(world(at(60)))).toMatchObject([{ remaining: WAIT }]);
  });

  test("nothing, where the order came here with its instance: what was never announced need not move", () => {
    drains.take(world(at(-60), { location: "server-2" }));
    expect(drains.view("server-1", new Announcer(OPEN).announce(world(undefined)), PEERS)).toEqual([]);
    drains.take(world(at(-60)));
    expect(view(world(at(-60)))).toMatchObject([{ phase: "leaving" }]);
  });

  test("all of it, where an order by hand says only true", () => {
    drains.take(world("true"));
    expect(view(world("true"))).toMatchObject([{ phase: "moving", remaining: WAIT }]);
  });
});

describe("the key of a server", () => {
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
