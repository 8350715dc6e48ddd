import type { ServerResponse } from "node:http";
import { ExecDeadlineError, LxdClient } from "@trivet/lxd";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Tail } from "../src/tail.ts";
import { FakeServer, type Peer, operation, reply, sync } from "./support/fake-server.ts";

let fake: FakeServer;
let client: LxdClient;

beforeEach(async () => {
  fake = await FakeServer.onSocket();
  client = new LxdClient({ socketPath: fake.socketPath }, { name: "server1" });
});

afterEach(async () => {
  await client.close();
  await fake[Symbol.asyncDispose]();
});

const FDS = { 0: "s0", 1: "s1", 2: "s2", control: "sc" };

/** Runs whatever it is told; `end` ends it. */
function running(): { control: Promise<Peer>; end: (status: number) => void } {
  const { promise: control, resolve: controlled } = Promise.withResolvers<Peer>();
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const answer = async (response: ServerResponse): Promise<void> => {
    const metadata = { return: await ended };
    reply(response, 200, sync({ id: "op1", status: "Success", status_code: 200, err: "", metadata }));
  };
  fake.handle = (request, response) => {
    if (request.method === "POST") return reply(response, 202, operation("op1", { metadata: { fds: FDS } }));
    return void answer(response);
  };
  fake.onWebSocket = (peer, { url = "" }) => {
    if (url.endsWith("sc")) controlled(peer);
  };
  return { control, end };
}

/** A client's text frames, each shorter than 126 octets, until it hangs up. */
async function texts({ socket }: Peer): Promise<string[]> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  await new Promise((resolve) => socket.once("close", resolve));
  let data = Buffer.concat(chunks);
  const found: string[] = [];
  while (data.length > 0) {
    const [length, mask] = [(data[1] ?? 0) & 0x7f, data.subarray(2, 6)];
    const masked = data.subarray(6, 6 + length);
    found.push(masked.map((octet, i) => octet ^ (mask[i % 4] ?? 0)).toString());
    data = data.subarray(6 + length);
  }
  return found;
}

describe("a command", () => {
  test("that does not end in time is asked to before the daemon is left to kill it", async () => {
    const { control, end } = running();
    const told = control.then(texts);
    const late = await client.instances.exec("c1", ["sleep"], { commandTimeout: 50 }).catch((error: unknown) => error);
    expect(late).toBeInstanceOf(ExecDeadlineError);
    expect(late).toMatchObject({ begun: true });
    end(143);
    expect(await told).toEqual(['{"command":"signal","signal":15}']);
  });

  test("is asked to end when the caller gives up, too", async () => {
    const { control, end } = running();
    const told = control.then(texts);
    const giveUp = new AbortController();
    const late = client.instances.exec("c1", ["sleep"], { signal: giveUp.signal });
    while (fake.requests.at(-1)?.includes("/wait") !== true) await new Promise((resolve) => setImmediate(resolve));
    giveUp.abort();
    await expect(late).rejects.toBe(giveUp.signal.reason);
    end(143);
    expect(await told).toEqual(['{"command":"signal","signal":15}']);
  });

  test("has its own time, which begins when the daemon runs it", async () => {
    running();
    const late = await client.instances
      .exec("c1", ["sleep"], { timeout: 60_000, commandTimeout: 50 })
      .catch((error: unknown) => error);
    expect(late).toMatchObject({ begun: true, timeout: 50, late: expect.any(Number) });
  });

  test("may take longer than its start", async () => {
    running();
    const giveUp = new AbortController();
    const times = { timeout: 2_000, commandTimeout: 60_000 };
    const slow = client.instances.exec("c1", ["sleep"], { ...times, signal: giveUp.signal });
    while (fake.requests.at(-1)?.includes("/wait") !== true) await new Promise((resolve) => setImmediate(resolve));
    expect(fake.requests.at(-1)).toContain("/wait?timeout=20");
    giveUp.abort();
    await expect(slow).rejects.toBe(giveUp.signal.reason);
  });
});

test("a command that the daemon does not begin with in time is said not to have begun", async () => {
  fake.handle = () => undefined;
  const late = await client.instances
    .exec("c1", ["true"], { timeout: 50, commandTimeout: 10 })
    .catch((error: unknown) => error);
  expect(late).toBeInstanceOf(ExecDeadlineError);
  expect(late).toMatchObject({ begun: false, timeout: 50 });
});

test("no more than the end of a long output is kept", () => {
  const tail = new Tail(10);
  for (const chunk of ["0123", "4567", "89"]) tail.push(Buffer.from(chunk));
  expect([tail.toString(), tail.cut]).toEqual(["0123456789", 0]);
  tail.push(Buffer.from("abcdef"));
  expect([tail.toString(), tail.cut]).toEqual(["6789abcdef", 6]);
  tail.push(Buffer.from("x".repeat(1_000)));
  expect([tail.toString(), tail.cut]).toEqual(["x".repeat(10), 1_006]);
});
