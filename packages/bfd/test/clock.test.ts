import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../src/endpoint/clock.ts";

const ms = 1000;

let socket: Socket;
let received: number;
beforeEach(async () => {
  received = 0;
  socket = createSocket("udp4").on("message", () => received++);
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
});
afterEach(() => {
  socket.close();
});

/** The thread does nothing else. */
function standStill(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

async function send(packets: number): Promise<void> {
  const { port } = socket.address();
  await Promise.all(
    Array.from(
      { length: packets },
      async () => await new Promise((sent) => socket.send("x", port, "127.0.0.1", () => sent(undefined))),
    ),
  );
}

describe("a deadline that passed while the thread stood still", () => {
  // More than Node reads of a socket in one turn.
  test.each([1, 100])("comes after the %i packets that lay in the socket", async (packets) => {
    const clock = systemClock(() => received);
    const begun = received;
    // What is sent to oneself on loopback lies in the socket when it is sent; the thread reads nothing before the deadline has passed.
    const seen = new Promise<number>((resolve) => clock.deadline(20 * ms, () => resolve(received - begun)));
    void send(packets);
    await Promise.resolve();
    standStill(50);
    expect(received).toBe(0);
    expect(await seen).toBe(packets);
  });

  test("does not come when one of them calls it off", async () => {
    const clock = systemClock(() => received);
    let expired = false;
    const cancel = clock.deadline(20 * ms, () => (expired = true));
    socket.on("message", cancel);
    void send(1);
    await Promise.resolve();
    standStill(50);
    await new Promise<void>((resolve) => void clock.deadline(30 * ms, resolve));
    expect([received, expired]).toEqual([1, false]);
  });
});

test("a deadline without a packet comes, and a flood does not keep it off", async () => {
  const quiet = systemClock(() => 0);
  await new Promise<void>((resolve) => void quiet.deadline(1 * ms, resolve));
  let flood = 0;
  const flooded = systemClock(() => flood++);
  await new Promise<void>((resolve) => void flooded.deadline(1 * ms, resolve));
});
