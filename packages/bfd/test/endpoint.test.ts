import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import type { Worker } from "node:worker_threads";
import { Address } from "@trivet/ip";
import { bindUdp } from "@trivet/sockopt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BfdConfigError, BfdEndedError, BfdEndpoint, BfdSocketError, type SessionStatus } from "../src/index.ts";

let a: BfdEndpoint;
let b: BfdEndpoint;

beforeEach(async () => {
  a = new BfdEndpoint();
  b = new BfdEndpoint();
  await Promise.all([a.start(), b.start()]);
});
afterEach(async () => {
  await Promise.all([a.stop(), b.stop()]);
});

async function stateOf(endpoint: BfdEndpoint, state: string): Promise<SessionStatus> {
  for (;;) {
    const [status] = await once(endpoint, "state");
    if ((status as SessionStatus).state === state) return status as SessionStatus;
  }
}

const pace = { transmitInterval: 100, receiveInterval: 100, multiplier: 3 };

async function bringUp(one: string, two: string, multihop = false, multiplier = pace.multiplier): Promise<void> {
  const bothUp = Promise.all([stateOf(a, "Up"), stateOf(b, "Up")]);
  await a.setSessions([{ peer: two, local: one, multihop, ...pace, multiplier }]);
  await b.setSessions([{ peer: one, local: two, multihop, ...pace, multiplier }]);
  await bothUp;
}

describe("an endpoint", () => {
  test.each([
    ["IPv4", "127.94.0.1", "127.94.0.2", false],
    ["IPv4 multihop", "127.94.0.1", "127.94.0.2", true],
  ])("%s: up, and down on purpose", async (_name, one, two, multihop) => {
    await bringUp(one, two, multihop);
    const down = stateOf(b, "Down");
    await a.setSessions([{ peer: two, local: one, multihop, ...pace, adminDown: true }]);
    expect(await down).toMatchObject({
      diagnostic: "Neighbor Signaled Session Down",
      remoteState: "AdminDown",
      remoteDiagnostic: "Administratively Down",
    });
  });

  test("stop tells the peer before the sockets close", async () => {
    await bringUp("127.94.1.1", "127.94.1.2");
    const down = stateOf(b, "Down");
    await a.stop();
    expect(await down).toMatchObject({ remoteDiagnostic: "Administratively Down" });
  });

  test("its thread, and no other, runs before ordinary work where the process may", () => {
    // Of /proc/PID/stat (proc(5)) after the name: 1 for SCHED_RR as the 39th, 0 for ordinary.
    const policy = (task: string): string | undefined =>
      readFileSync(`/proc/self/task/${task}/stat`, "utf8").split(") ")[1]?.split(" ")[38];
    const tasks = readdirSync("/proc/self/task");
    const [threads, others] = [true, false].map((wanted) =>
      tasks.filter((task) => (readFileSync(`/proc/self/task/${task}/comm`, "utf8") === "bfd\n") === wanted),
    );
    expect(threads?.map(policy)).toEqual(Array(2).fill(a.ordinaryPriority === undefined ? "2" : "0"));
    expect(new Set(others?.map(policy))).toEqual(new Set(["0"]));
  });

  test("sessions do not flap while the main thread is blocked for longer than the detection time", async () => {
    // Long enough that a busy machine, too, gives BFD's threads a turn meanwhile.
    await bringUp("127.94.2.1", "127.94.2.2", false, 10);
    const end = performance.now() + 1500;
    while (performance.now() < end);
    const [[mine], [theirs]] = [await a.sessions(), await b.sessions()];
    expect(mine).toMatchObject({ state: "Up", flaps: 0, detectionTime: 1000 });
    expect(theirs).toMatchObject({ state: "Up", flaps: 0 });
  });

  test("a local address this machine has not: named, and the other sessions run", async () => {
    const set = a.setSessions([
      { name: "lost", peer: "192.0.2.2", local: "192.0.2.1" },
      { name: "fine", peer: "127.94.3.2", local: "127.94.3.1" },
    ]);
    await expect(set).rejects.toThrow(BfdSocketError);
    await expect(set).rejects.toThrow("BFD session lost: bind: EADDRNOTAVAIL: 192.0.2.1 port 3784");
    expect((await a.sessions()).map(({ name }) => name)).toEqual(["fine"]);
  });

  const taken = (address: string, port = 3784): string =>
    `BFD session other: bind: EADDRINUSE: ${address} port ${port}: another BFD daemon, such as FRR's bfdd, has it; stop one of them`;

  test("a second daemon on the same address is refused, and does not take the first one's packets", async () => {
    await bringUp("127.94.5.1", "127.94.5.2");
    const second = new BfdEndpoint();
    await second.start();
    try {
      await expect(second.setSessions([{ name: "other", peer: "127.94.5.3", local: "127.94.5.1" }])).rejects.toThrow(
        taken("127.94.5.1"),
      );
      await expect(second.setSessions([{ name: "other", peer: "127.94.5.3" }])).rejects.toThrow(taken("0.0.0.0"));
    } finally {
      await second.stop();
    }
    expect((await a.sessions())[0]).toMatchObject({ state: "Up", flaps: 0 });
    // As FRR's bfdd asks for the port.
    const wildcard = { address: Address.parse("0.0.0.0"), zone: undefined };
    expect(() => bindUdp(wildcard, 3784, { hopLimit: 255, reuse: true })).toThrow("EADDRINUSE");
  });

  test("sessions at all addresses and at one go together, in either order; another daemon is still refused", async () => {
    // The port and family that no other test listens at: they run side by side.
    const [any, one] = [
      { peer: "2001:db8::2", multihop: true },
      { peer: "2001:db8::3", local: "::1", multihop: true },
    ];
    for (const order of [
      [any, one],
      [one, any],
    ]) {
      await a.setSessions([]);
      for (const count of [1, 2]) await a.setSessions(order.slice(0, count));
      expect(await a.sessions()).toHaveLength(2);
      const other = b.setSessions([{ name: "other", peer: "2001:db8::4", local: "::1", multihop: true }]);
      await expect(other).rejects.toThrow(taken("::1", 4784));
    }
  });

  test("two sessions between the same addresses are refused by both names, however they are written", async () => {
    const set = a.setSessions([
      { name: "one", peer: "2001:db8::1" },
      { name: "far", peer: "2001:db8::1", multihop: true },
      { name: "two", peer: "2001:DB8:0::1" },
    ]);
    await expect(set).rejects.toThrow(BfdConfigError);
    await expect(set).rejects.toThrow("BFD session with two: is between the same addresses as one");
  });

  test.each([
    [{ peer: "192.0.2.300" }, "has an octet over 255"],
    [{ peer: "fe80::1" }, "fe80::1 is link-local and needs its interface: fe80::1%INTERFACE"],
    [{ peer: "127.94.4.1", transmitInterval: 5 }, "the transmit interval of 5 ms is outside 10 to 60,000"],
    [{ peer: "127.94.4.1", receiveInterval: Number.NaN }, "the receive interval of NaN ms is outside"],
    [{ peer: "127.94.4.1", multiplier: 0 }, "the multiplier 0 is no whole number from 1 to 255"],
  ])("refuses %j and leaves what runs alone", async (options, message) => {
    await a.setSessions([{ peer: "127.94.4.2", local: "127.94.4.1" }]);
    const set = a.setSessions([options]);
    await expect(set).rejects.toThrow(BfdConfigError);
    await expect(set).rejects.toThrow(message);
    expect((await a.sessions()).map(({ peer }) => peer)).toEqual(["127.94.4.2"]);
  });
});

describe("an endpoint that ends", () => {
  test("stopped twice at once, both wait for the one end; what is asked meanwhile is answered or refused", async () => {
    await a.setSessions([{ peer: "127.94.7.2", local: "127.94.7.1" }]);
    const asked = a.sessions();
    const stops = [a.stop(), a.stop()];
    const late = expect(a.setSessions([])).rejects.toThrow("BFD has ended: it was stopped");
    const none = a.sessions();
    expect(await asked).toHaveLength(1);
    await late;
    expect(await none).toEqual([]);
    await Promise.all(stops);
    expect(await a.sessions()).toEqual([]);
    await a.stop();
  });

  test("starts anew after it was stopped", async () => {
    await a.stop();
    await a.start();
    await a.setSessions([{ peer: "127.94.7.2", local: "127.94.7.1" }]);
    expect(await a.sessions()).toHaveLength(1);
  });

  test("whose thread dies says so, leaves nobody waiting, and starts anew", async () => {
    // Node tells of each worker that is made.
    const made = once(process, "worker") as Promise<[Worker]>;
    const endpoint = new BfdEndpoint();
    await endpoint.start();
    const [worker] = await made;
    const told = once(endpoint, "error");
    void worker.terminate();
    // It is not known yet: this waits for an answer that does not come.
    await expect(endpoint.sessions()).rejects.toThrow(BfdEndedError);
    expect((await told)[0]).toMatchObject({ name: "BfdEndedError", message: "BFD has ended: its thread: exit code 1" });
    await expect(endpoint.setSessions([])).rejects.toThrow("BFD has ended: its thread: exit code 1");
    await endpoint.stop();
    await endpoint.start();
    expect(await endpoint.sessions()).toEqual([]);
    await endpoint.stop();
  });

  test("whose thread dies before it has started: start is refused", async () => {
    const made = once(process, "worker") as Promise<[Worker]>;
    const endpoint = new BfdEndpoint();
    endpoint.on("error", () => undefined);
    const started = expect(endpoint.start()).rejects.toThrow(BfdEndedError);
    void (await made)[0].terminate();
    await started;
  });
});
