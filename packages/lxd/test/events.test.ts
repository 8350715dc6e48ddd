import { setTimeout as pause } from "node:timers/promises";
import { DeadlineError, type EventOptions, LxdClient, type StreamItem, eventSubject } from "@trivet/lxd";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeServer, type Peer } from "./support/fake-server.ts";

const QUICK = { first: 10, last: 40 };

let fake: FakeServer;
let client: LxdClient;
let stop: AbortController;

beforeEach(async () => {
  fake = await FakeServer.onSocket();
  client = new LxdClient({ socketPath: fake.socketPath }, { name: "server1", timeout: 2000 });
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await client.close();
  await fake[Symbol.asyncDispose]();
});

/** One item after the other, as texts: `resync connected`, `down UnreachableError`, `started`. */
function reader(options: EventOptions = {}): () => Promise<string> {
  const stream = client.events({ backoff: QUICK, signal: stop.signal, ...options });
  return async () => {
    const { done, value } = await stream.next();
    return done === true ? "end" : text(value);
  };
}

function text(item: StreamItem): string {
  if (item.type === "resync") return `resync ${item.reason}`;
  if (item.type === "down") return `down ${item.error.name}`;
  return item.type === "lifecycle" ? item.metadata.action : item.type;
}

/** The peers of the next connections. */
function peers(): () => Promise<Peer> {
  const waiting: ((peer: Peer) => void)[] = [];
  const arrived: Peer[] = [];
  fake.onWebSocket = (peer) => {
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(peer);
    else taker(peer);
  };
  return async () => arrived.shift() ?? (await new Promise((resolve) => waiting.push(resolve)));
}

describe("an event stream", () => {
  test("begins with a resync; then events in their order", async () => {
    const peer = peers();
    const next = reader({ types: ["lifecycle", "operation"], allProjects: true });
    expect(await next()).toBe("resync connected");
    expect(fake.requests).toEqual(["WS /1.0/events?type=lifecycle%2Coperation&all-projects=true"]);
    const server = await peer();
    for (const action of ["a", "b", "c"]) server.event(action);
    expect([await next(), await next(), await next()]).toEqual(["a", "b", "c"]);
  });

  test("loses no event that follows the handshake at once", async () => {
    fake.onWebSocket = (peer) => peer.event("first");
    const next = reader();
    expect([await next(), await next()]).toEqual(["resync connected", "first"]);
  });

  test("dropped, it says so, reconnects, and asks for a resync; events sent before the drop still arrive", async () => {
    const peer = peers();
    const next = reader();
    expect(await next()).toBe("resync connected");
    const first = await peer();
    first.event("before");
    expect(await next()).toBe("before");
    first.drop();
    expect([await next(), await next()]).toEqual(["down UnreachableError", "resync reconnected"]);
    (await peer()).event("after");
    expect(await next()).toBe("after");
  });

  test("survives a daemon that is away", async () => {
    const peer = peers();
    const next = reader();
    await next();
    await peer();
    await fake.stop();
    expect([await next(), await next(), await next()]).toEqual(Array(3).fill("down UnreachableError"));
    await fake.listen();
    let item = await next();
    while (item.startsWith("down")) item = await next();
    expect(item).toBe("resync reconnected");
  });

  test("a peer that neither sends nor answers pings is dead", async () => {
    const peer = peers();
    const next = reader({ heartbeat: { every: 20, deadAfter: 100 } });
    await next();
    // It reads nothing, as a server that lost power.
    (await peer()).socket.pause();
    expect([await next(), await next()]).toEqual(["down UnreachableError", "resync reconnected"]);
  });

  test("a peer that answers pings lives, however quiet", async () => {
    const peer = peers();
    const next = reader({ heartbeat: { every: 50, deadAfter: 600 } });
    await next();
    const server = await peer();
    await new Promise<void>((resolve) => {
      let pings = 0;
      server.socket.on("data", () => {
        server.socket.write(Buffer.from([0x8a, 0]));
        if (++pings === 20) resolve();
      });
    });
    server.event("still here");
    expect(await next()).toBe("still here");
  });

  test("a slow reader gets a resync instead of what it missed", async () => {
    const peer = peers();
    const next = reader({ buffer: 3 });
    await next();
    const server = await peer();
    for (const action of ["a", "b", "c", "d", "e"]) server.event(action);
    server.drop();
    // All five and the end have arrived when the end is known; only then does the reader go on.
    await new Promise((resolve) => server.socket.on("close", resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect([await next(), await next(), await next()]).toEqual(["resync overflow", "d", "e"]);
  });

  test.each(["{", "null", '"text"', "{}", '{"type":"lifecycle"}'])(
    "an event that is none (%j) breaks the stream",
    async (garbage) => {
      const peer = peers();
      const next = reader();
      await next();
      (await peer()).send(garbage);
      expect([await next(), await next()]).toEqual(["down AnswerError", "resync reconnected"]);
    },
  );

  test("waits longer from failure to failure", async () => {
    await fake.stop();
    const delays: number[] = [];
    for await (const item of client.events({ backoff: { first: 8, last: 32 } })) {
      if (item.type === "down") delays.push(item.retryIn);
      if (delays.length === 5) break;
    }
    for (const [index, most] of [8, 16, 32, 32, 32].entries()) {
      expect(delays[index]).toBeLessThanOrEqual(most);
      expect(delays[index]).toBeGreaterThanOrEqual(most / 2);
    }
  });

  test("refused, it says why", async () => {
    fake.onWebSocket = undefined;
    const { value } = await client.events().next();
    expect(value).toMatchObject({
      type: "down",
      error: { name: "ServerError", status: 500, call: "WebSocket /1.0/events" },
    });
  });

  test("outlives the deadline of its opening", async () => {
    const peer = peers();
    const next = reader({ timeout: 50 });
    await next();
    const server = await peer();
    await pause(100);
    server.event("late");
    expect(await next()).toBe("late");
  });

  test("a handshake that hangs has a deadline", async () => {
    fake.onWebSocket = undefined;
    fake.handle = () => undefined;
    await fake.stop();
    const { createServer } = await import("node:net");
    const silent = createServer(() => undefined).listen(fake.socketPath);
    const { value } = await client.events({ timeout: 50 }).next();
    expect(value).toMatchObject({ type: "down", error: expect.any(DeadlineError) as unknown });
    silent.close();
    await client.close();
  });
});

describe("ending an event stream", () => {
  test("by signal while it waits for events, and the connection is closed", async () => {
    const peer = peers();
    const next = reader();
    await next();
    const server = await peer();
    const closed = new Promise((resolve) => server.socket.on("close", resolve));
    const waiting = next();
    stop.abort();
    expect(await waiting).toBe("end");
    await closed;
  });

  test("by signal while it waits to reconnect", async () => {
    await fake.stop();
    const next = reader({ backoff: { first: 60_000, last: 60_000 } });
    expect(await next()).toBe("down UnreachableError");
    const waiting = next();
    stop.abort();
    expect(await waiting).toBe("end");
  });

  test("by leaving the loop", async () => {
    const peer = peers();
    for await (const item of client.events()) {
      expect(item.type).toBe("resync");
      break;
    }
    const { socket } = await peer();
    if (!socket.destroyed) await new Promise((resolve) => socket.on("close", resolve));
  });
});

describe("the subject of a lifecycle event", () => {
  test.each([
    ["/1.0/instances/c1", undefined, { kind: "instances", name: "c1", project: "default", rest: [] }],
    ["/1.0/instances/c1?project=p", undefined, { kind: "instances", name: "c1", project: "p", rest: [] }],
    [
      "/1.0/instances/c1/snapshots/s%201",
      "q",
      { kind: "instances", name: "c1", project: "q", rest: ["snapshots", "s 1"] },
    ],
    [
      "/1.0/networks/n/forwards/2001:db8::1?project=p",
      "q",
      { kind: "networks", name: "n", project: "p", rest: ["forwards", "2001:db8::1"] },
    ],
    [
      "/1.0/cluster/members/server1",
      undefined,
      { kind: "cluster/members", name: "server1", project: "default", rest: [] },
    ],
    ["/1.0", undefined, { kind: "", name: "", project: "default", rest: [] }],
  ])("%s in %s", (source, project, subject) => {
    const where = project === undefined ? {} : { project };
    expect(eventSubject({ type: "lifecycle", timestamp: "", metadata: { action: "x", source }, ...where })).toEqual(
      subject,
    );
  });
});
