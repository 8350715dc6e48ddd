import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Name } from "@trivet/dns";
import { UnreachableError } from "@trivet/lxd";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Snapshot } from "../../src/inventory/snapshot.ts";
import type { Agreement, Ledger } from "../../src/resolve/ledger.ts";
import { StateFile } from "../../src/daemon/state-file.ts";
import { Resolver } from "../../src/resolve/resolver.ts";
import { instance, ovn, snapshot } from "../announce/world.ts";

/** LXD's database as the ledger sees it: one agreement an epoch, whoever comes first. */
class Database implements Pick<Ledger, "read" | "propose"> {
  readonly made: Agreement[] = [];
  down = false;
  onChange: () => void = () => undefined;

  async read(): Promise<Agreement | undefined> {
    await this.#travel();
    return this.made.at(-1);
  }

  async propose(next: Agreement): Promise<boolean> {
    await this.#travel();
    if ((this.made.at(-1)?.epoch ?? 0) >= next.epoch) return false;
    this.made.push(next);
    this.onChange();
    return true;
  }

  async tidy(): Promise<void> {
    await this.#travel();
  }

  async #travel(): Promise<void> {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    if (this.down) throw new UnreachableError({ server: "lxd", call: "GET /1.0/profiles" }, "connection refused");
  }
}

const ORIGIN = Name.parse("hive.example.net.");
const config = {
  forward: [
    {
      origin: ORIGIN,
      template: "{instance}",
      addresses: "all",
      userRecords: "none",
      infrastructure: false,
      records: [],
    },
  ],
  reverse: [],
  nameservers: [Name.parse("ns1.example.net.")],
  hostmaster: Name.parse("hostmaster.example.net."),
  ttl: 60,
} as const;
const SERVERS = ["server-1", "server-2", "server-3"];
const world = (server: string, names: string[], parts = {}): Snapshot => ({
  ...snapshot({
    networks: [ovn("web", { "ipv6.address": "2001:db8:1::1/64" })],
    instances: names.map((name, i) => instance(name, { network: "web", "ipv6.address": `2001:db8:1::${i + 10}` })),
  }),
  server,
  ...parts,
});

let database: Database;
let resolvers: Resolver[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"], now: 1_800_000_000_000 });
  database = new Database();
  resolvers = SERVERS.map(() => new Resolver({ config, ledger: database }));
  database.onChange = () => {
    for (const resolver of resolvers) resolver.settle();
  };
});
afterEach(async () => {
  const stopped = Promise.all(resolvers.map((resolver) => resolver.stop()));
  await vi.advanceTimersByTimeAsync(100);
  await stopped;
  vi.useRealTimers();
});

const serials = () => resolvers.map((resolver) => resolver.store.get(ORIGIN)?.serial);
const names = (resolver: Resolver | undefined) =>
  [...(resolver?.store.get(ORIGIN)?.nodes.values() ?? [])]
    .map(({ name }) => name.toString())
    .filter((name) => name !== ORIGIN.toString())
    .sort();
async function see(instances: string[], parts = {}, who = SERVERS): Promise<void> {
  for (const [i, resolver] of resolvers.entries()) {
    const server = SERVERS[i];
    if (server !== undefined && who.includes(server)) resolver.take(world(server, instances, parts));
  }
  await vi.advanceTimersByTimeAsync(100);
}

describe("serials", () => {
  test("begin as the time, are the same on every server, and are agreed once", async () => {
    await see(["c1"]);
    expect(serials()).toEqual([1_800_000_000, 1_800_000_000, 1_800_000_000]);
    expect(database.made).toHaveLength(1);
  });

  test("change only when the content does, and go up by one", async () => {
    await see(["c1"]);
    await see(["c1"]);
    expect(serials()).toEqual([1_800_000_000, 1_800_000_000, 1_800_000_000]);
    await vi.advanceTimersByTimeAsync(1_000);
    await see(["c1", "c2"]);
    expect(serials()).toEqual([1_800_000_001, 1_800_000_001, 1_800_000_001]);
    expect(names(resolvers[2])).toEqual(["c1.hive.example.net.", "c2.hive.example.net."]);
  });

  test("survive restarts: a new agent answers with the serial that is agreed", async () => {
    await see(["c1"]);
    const restarted = new Resolver({ config, ledger: database });
    resolvers.push(restarted);
    vi.setSystemTime(1_900_000_000_000);
    restarted.take(world("server-2", ["c1"]));
    await vi.advanceTimersByTimeAsync(100);
    expect(restarted.store.get(ORIGIN)?.serial).toBe(1_800_000_000);
  });

  test("a burst of changes needs no serial each", async () => {
    await see(["c1"]);
    await vi.advanceTimersByTimeAsync(1_000);
    const many = Array.from({ length: 50 }, (_, i) => `c${i}`);
    for (let i = 1; i <= 50; i++)
      for (const [n, resolver] of resolvers.entries()) resolver.take(world(SERVERS[n] ?? "", many.slice(0, i)));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(names(resolvers[0])).toHaveLength(50);
    expect(new Set(serials()).size).toBe(1);
    expect(database.made.length).toBeLessThan(5);
  });

  test("secondaries can follow step by step: the change is in the journal", async () => {
    await see(["c1"]);
    await vi.advanceTimersByTimeAsync(1_000);
    await see(["c1", "c2"]);
    const steps = resolvers[1]?.store.journal(ORIGIN)?.since(1_800_000_000);
    expect(steps?.map(({ added, removed }) => [added.length, removed.length])).toEqual([[1, 0]]);
  });
});

describe("servers that differ", () => {
  test("one that lags answers what was agreed until it has caught up", async () => {
    await see(["c1"]);
    await vi.advanceTimersByTimeAsync(1_000);
    await see(["c1", "c2"], {}, ["server-1", "server-2"]);
    expect(serials()).toEqual([1_800_000_001, 1_800_000_001, 1_800_000_000]);
    await see(["c1", "c2"], {}, ["server-3"]);
    expect(serials()).toEqual([1_800_000_001, 1_800_000_001, 1_800_000_001]);
  });

  test("two that keep seeing different things do not fight: the first in line decides", async () => {
    await see(["c1"]);
    await vi.advanceTimersByTimeAsync(1_000);
    await see(["c1", "c2"], {}, ["server-3"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(serials()).toEqual([1_800_000_002, 1_800_000_002, 1_800_000_001]);
    expect(database.made).toHaveLength(3);
    expect(resolvers[2]?.zones[0]?.behind).toBe(true);
  });

  test("when the first in line is silent the next proposes in its turn", async () => {
    await see(["c1"], {}, ["server-2", "server-3"]);
    expect(database.made).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(500);
    expect(serials().slice(1)).toEqual([1_800_000_000, 1_800_000_000]);
    expect(database.made).toHaveLength(1);
  });

  test("one whose view is incomplete proposes nothing", async () => {
    const readAt = 1_000;
    const parts = {
      parts: {
        members: { readAt },
        projects: { readAt },
        networks: { readAt, error: "timeout" },
        zones: { readAt },
        instances: { readAt },
      },
    };
    await see(["c1"], parts, ["server-1"]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(database.made).toHaveLength(0);
  });

  test("two that propose at once: one is first, and both answer alike", async () => {
    const alone = { members: [] };
    await see(["c1"], alone);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(database.made).toHaveLength(1);
    expect(new Set(serials()).size).toBe(1);
  });
});

describe("over a restart", () => {
  let folder: string;
  const file = (): StateFile =>
    new StateFile(join(folder, "dns.json"), (error) => {
      throw error;
    });
  const start = (): Resolver => {
    const resolver = new Resolver({ config, ledger: database, saved: file() });
    resolvers.push(resolver);
    return resolver;
  };
  const restart = async (resolver: Resolver): Promise<Resolver> => {
    const stopped = resolver.stop();
    await vi.advanceTimersByTimeAsync(100);
    await stopped;
    return start();
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "trivet-resolver-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  async function grown(): Promise<Resolver> {
    const resolver = start();
    for (const names of [["c1"], ["c1", "c2"], ["c1", "c2", "c3"]]) {
      resolver.take(world("server-1", names));
      await vi.advanceTimersByTimeAsync(2_000);
    }
    return resolver;
  }

  test("the last zones are answered before LXD was read, under their serials, with the journal", async () => {
    const restarted = await restart(await grown());
    expect(restarted.store.get(ORIGIN)?.serial).toBe(1_800_000_002);
    expect(names(restarted)).toHaveLength(3);
    expect(restarted.zones).toEqual([
      {
        origin: "hive.example.net.",
        serial: 1_800_000_002,
        records: 4,
        behind: false,
        journal: { changes: 2, records: 6 },
      },
    ]);
    expect(restarted.store.journal(ORIGIN)?.since(1_800_000_000)).toHaveLength(2);
    restarted.take(world("server-1", ["c1", "c2", "c3"]));
    await vi.advanceTimersByTimeAsync(100);
    expect(restarted.store.get(ORIGIN)?.serial).toBe(1_800_000_002);
    expect(restarted.store.journal(ORIGIN)?.since(1_800_000_000)).toHaveLength(2);
  });

  test("what was agreed meanwhile is one more change", async () => {
    const before = await grown();
    const stopped = before.stop();
    await vi.advanceTimersByTimeAsync(100);
    await stopped;
    resolvers[1]?.take(world("server-2", ["c1"]));
    await vi.advanceTimersByTimeAsync(30_000);
    const restarted = start();
    restarted.take(world("server-1", ["c1"]));
    await vi.advanceTimersByTimeAsync(2_000);
    const serial = restarted.store.get(ORIGIN)?.serial ?? 0;
    expect(serial).toBeGreaterThan(1_800_000_002);
    expect(
      restarted.store
        .journal(ORIGIN)
        ?.since(1_800_000_002)
        ?.map(({ removed }) => removed.length),
    ).toEqual([2]);
  });

  test("where LXD lost what was agreed, serials go on from those that were answered", async () => {
    const restarted = await restart(await grown());
    database.made.length = 0;
    vi.setSystemTime(1_700_000_000_000);
    restarted.take(world("server-1", ["c1", "c2"]));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(restarted.store.get(ORIGIN)?.serial).toBe(1_800_000_003);
  });

  test("one serial for two contents, as after LXD was made anew, is never mixed up", async () => {
    const restarted = await restart(await grown());
    database.made.length = 0;
    resolvers[1]?.take(world("server-2", ["other"]));
    vi.setSystemTime(1_800_000_002_000 - 2_400);
    await vi.advanceTimersByTimeAsync(2_000);
    restarted.take(world("server-1", ["other"]));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(names(restarted)).toEqual(["other.hive.example.net."]);
  });

  test("zones that are too old, or not as they were written, are not answered", async () => {
    await restart(await grown());
    const path = join(folder, "dns.json");
    const text = readFileSync(path, "utf8");
    vi.setSystemTime(1_800_000_000_000 + 15 * 86_400_000);
    expect(start().store.zones).toEqual([]);
    vi.setSystemTime(1_800_000_000_000);
    for (const spoilt of [
      text.slice(0, -1),
      text.replace('"format":1', '"format":2'),
      text.replace(/"archive":"..../, '"archive":"AAAA'),
    ]) {
      writeFileSync(path, spoilt);
      expect(start().store.zones).toEqual([]);
    }
  });
});

test("how long a change waited for its serial is told, and that of others stays", async () => {
  await see(["c1"], {}, ["server-1"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(resolvers[0]?.zones[0]?.waited).toBeLessThan(100);
  // Second in line: it leaves the first its turn.
  await see(["c1", "c2"], {}, ["server-2"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(resolvers[1]?.zones[0]?.waited).toBeGreaterThanOrEqual(400);
  expect(resolvers[0]?.zones[0]?.waited).toBeLessThan(100);
});

test("a server that is still learning addresses proposes nothing", async () => {
  await see(["c1"], { learning: true }, ["server-1"]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(database.made).toHaveLength(0);
  resolvers[0]?.take(world("server-1", ["c1"]));
  await vi.advanceTimersByTimeAsync(100);
  expect(database.made).toHaveLength(1);
});

test("one that started while LXD cannot reach a server, and so knows nothing of its instances, proposes nothing", async () => {
  await see(["c1", "c2"]);
  await vi.advanceTimersByTimeAsync(2_000);
  const restarted = new Resolver({ config, ledger: database });
  resolvers.push(restarted);
  const whole = world("server-1", ["c1", "c2"]);
  const hollow = instance("c2", {}, { status: "Error", expanded_devices: {} });
  restarted.take({ ...whole, instances: new Map(whole.instances).set("default/c2", hollow) });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(database.made).toHaveLength(1);
  restarted.take(whole);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(names(restarted)).toHaveLength(2);
});

test("three changes in a row have their serials at once, more of them wait", async () => {
  await see(["c1"]);
  await vi.advanceTimersByTimeAsync(5_000);
  for (const names of [["c1", "c2"], ["c1", "c2", "c3"], ["c1", "c2", "c3", "c4"], ["c1"]]) await see(names);
  expect(serials()).toEqual([1_800_000_003, 1_800_000_003, 1_800_000_003]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(serials()).toEqual([1_800_000_004, 1_800_000_004, 1_800_000_004]);
});

test("another hostmaster is another content: it has a serial of its own", async () => {
  await see(["c1"]);
  const changed = new Resolver({
    config: { ...config, hostmaster: Name.parse("admin.example.net.") },
    ledger: database,
  });
  resolvers.push(changed);
  await vi.advanceTimersByTimeAsync(2_000);
  changed.take(world("server-1", ["c1"]));
  await vi.advanceTimersByTimeAsync(100);
  expect(changed.store.get(ORIGIN)?.serial).toBe(1_800_000_001);
});

test("without LXD the last agreed content is answered, the failure is told, and all is made good when LXD is back", async () => {
  await see(["c1"]);
  const failures: Error[] = [];
  for (const resolver of resolvers) resolver.on("failure", (error) => failures.push(error));
  database.down = true;
  await vi.advanceTimersByTimeAsync(1_000);
  await see(["c1", "c2"]);
  // Each in its turn.
  await vi.advanceTimersByTimeAsync(1_000);
  expect(failures).toHaveLength(3);
  expect(serials()).toEqual([1_800_000_000, 1_800_000_000, 1_800_000_000]);
  expect(resolvers[0]?.zones).toEqual([
    {
      origin: "hive.example.net.",
      serial: 1_800_000_000,
      records: 3,
      behind: true,
      waited: 10,
      journal: { changes: 0, records: 0 },
    },
  ]);
  database.down = false;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(serials()).toEqual([1_800_000_001, 1_800_000_001, 1_800_000_001]);
});
