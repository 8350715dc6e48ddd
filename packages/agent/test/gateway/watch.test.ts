import { WELL_KNOWN_COMMUNITIES } from "@trivet/bgp";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Announcer } from "../../src/announce/announce.ts";
import { GatewayWatch } from "../../src/gateway/watch.ts";
import type { Snapshot } from "../../src/inventory/snapshot.ts";
import { OPEN, instance, ovn, snapshot } from "../announce/world.ts";

const GSHUT = WELL_KNOWN_COMMUNITIES["graceful-shutdown"];
const PATHS = [
  { server: "server-2", name: "mesh 2" },
  { server: "server-2", name: "hosts 2" },
  { server: "server-3", name: "mesh 3" },
];

/** An instance here whose packets pass the gateway on `chassis`. */
function seen(chassis: string, notes: Record<string, string> = {}): Snapshot {
  const network = ovn("net", {}, { chassis });
  const instances = [instance("dns", { network: "net", "ipv4.routes.external": "203.0.113.1/32" })];
  return { ...snapshot({ networks: [network], instances }), notes };
}

let preferLocal = false;
const changed = vi.fn<() => void>();
const reread = vi.fn<() => void>();
let watch: GatewayWatch;

beforeEach(() => {
  vi.useFakeTimers();
  preferLocal = false;
  changed.mockClear();
  reread.mockClear();
  watch = new GatewayWatch({ preferLocal: () => preferLocal, changed, reread });
  watch.watch(PATHS);
});
afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

const attributes = (world: Snapshot) => {
  watch.take(world);
  return new Announcer(OPEN).announce(world, [watch.condition]).routes.get("203.0.113.1/32")?.attributes;
};
const LAST_RESORT = { communities: [GSHUT], localPref: 0, med: 4_294_967_295 };
const lose = (...names: string[]): void => {
  for (const { server, name } of PATHS) if (names.includes(name)) watch.saw(server, name, "lost");
};

describe("a route through a gateway on another server", () => {
  test("becomes the last resort when all ways to that server are lost, and is never withdrawn", () => {
    lose("mesh 2", "hosts 2");
    expect([...watch.dead]).toEqual(["server-2"]);
    expect(changed).toHaveBeenCalledTimes(1);
    expect(attributes(seen("server-2"))).toEqual(LAST_RESORT);
    expect(attributes(seen("server-3"))).toBeUndefined();
    expect(attributes(seen("server-1"))).toBeUndefined();
  });

  test("is as before when the server, seen on one of its ways, is back, or LXD tells of another gateway", () => {
    lose("mesh 2", "hosts 2");
    watch.saw("server-2", "mesh 2", "up");
    vi.advanceTimersByTime(5_000);
    expect(attributes(seen("server-2"))).toBeUndefined();
    expect(changed).toHaveBeenCalledTimes(2);
  });

  test("stays the last resort while the server comes and goes: routers hear of it once", () => {
    watch.take(seen("server-2"));
    lose("mesh 2", "hosts 2");
    const { length } = reread.mock.calls;
    for (let second = 0; second < 100; second++) {
      watch.saw("server-2", "mesh 2", "up");
      vi.advanceTimersByTime(500);
      watch.saw("server-2", "mesh 2", "lost");
      vi.advanceTimersByTime(500);
    }
    expect(changed).toHaveBeenCalledTimes(1);
    expect(reread.mock.calls.length - length).toBeLessThanOrEqual(100);
  });

  test("OVN's host names with a domain are the same servers", () => {
    lose("mesh 3");
    expect(attributes(seen("server-3.example.net"))).toEqual(LAST_RESORT);
  });
});

describe("a wrong suspicion", () => {
  test("a cut cable alone is none while another way leads to the server", () => {
    watch.saw("server-2", "hosts 2", "up");
    lose("mesh 2");
    expect(watch.dead.size).toBe(0);
    expect(changed).not.toHaveBeenCalled();
  });

  test("a way that was never up says nothing, for or against", () => {
    lose("mesh 2");
    expect([...watch.dead]).toEqual(["server-2"]);
  });

  test("an agent that stops by intent is not dead", () => {
    watch.saw("server-3", "mesh 3", "up");
    watch.saw("server-3", "mesh 3", "unknown");
    expect(watch.dead.size).toBe(0);
  });

  test("nor is one whose agent stops by intent while another way to it is cut", () => {
    watch.saw("server-2", "hosts 2", "up");
    lose("mesh 2");
    watch.saw("server-2", "hosts 2", "unknown");
    expect(watch.dead.size).toBe(0);
    watch.saw("server-2", "hosts 2", "up");
    lose("hosts 2");
    expect([...watch.dead]).toEqual(["server-2"]);
  });

  test("what is seen while this agent ends itself is none, and keeps nothing running", () => {
    lose("mesh 3");
    changed.mockClear();
    watch.stop();
    watch.saw("server-3", "mesh 3", "unknown");
    lose("mesh 2", "hosts 2");
    expect(changed).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a way that is no longer watched counts no more", () => {
    lose("mesh 3");
    watch.watch(PATHS.slice(0, 2));
    expect(watch.dead.size).toBe(0);
    watch.saw("server-3", "mesh 3", "lost");
    expect(watch.dead.size).toBe(0);
  });
});

describe("a server that is drained as a whole", () => {
  const drained = { "user.trivet.drain.server-2": "* 2026-01-01T12:00:00Z" };

  test("makes routes through its gateways the last resort, while it is: it is about to be stopped", () => {
    expect(attributes(seen("server-2", drained))).toEqual(LAST_RESORT);
    expect(attributes(seen("server-3", drained))).toBeUndefined();
    expect(attributes(seen("server-2"))).toBeUndefined();
  });

  test("is no reason on itself, where its own drain has its say", () => {
    expect(attributes(seen("server-1", { "user.trivet.drain.server-1": "* T" }))).toBeUndefined();
  });

  test("which is none while only prefixes of it are drained", () => {
    expect(attributes(seen("server-2", { "user.trivet.drain.server-2": "203.0.113.1/32 T" }))).toBeUndefined();
  });

  test("is told which networks' gateways it has, by what is known: to read them again is work in the wrong moment", () => {
    watch.take(seen("server-2", drained));
    vi.advanceTimersByTime(60_000);
    expect(reread).not.toHaveBeenCalled();
    expect(watch.gatewaysOn("server-2")).toEqual(["default/net"]);
    expect(watch.gatewaysOn("server-3")).toEqual([]);
  });
});

describe("where the gateways are is read again", () => {
  test("every second after a death, and not in its first, until none is on the dead server", () => {
    watch.take(seen("server-2"));
    lose("mesh 2", "hosts 2");
    vi.advanceTimersByTime(999);
    expect(reread).not.toHaveBeenCalled();
    vi.advanceTimersByTime(4_001);
    expect(reread).toHaveBeenCalledTimes(5);
    watch.take(seen("server-3"));
    vi.advanceTimersByTime(60_000);
    expect(reread).toHaveBeenCalledTimes(6);
  });

  test("for half a minute after a return, for they move back; and not for ever after a death", () => {
    watch.take(seen("server-2"));
    lose("mesh 2", "hosts 2");
    vi.advanceTimersByTime(600_000);
    expect(reread.mock.calls.length).toBeLessThan(125);
    reread.mockClear();
    watch.saw("server-2", "mesh 2", "up");
    vi.advanceTimersByTime(600_000);
    expect(reread.mock.calls.length).toBeGreaterThan(8);
    expect(reread.mock.calls.length).toBeLessThan(13);
  });
});

describe("preferLocal", () => {
  test("announces a detour with MED 100, and what needs none as it is", () => {
    preferLocal = true;
    expect(attributes(seen("server-2"))).toEqual({ med: 100 });
    expect(attributes(seen("server-1"))).toBeUndefined();
  });
});
