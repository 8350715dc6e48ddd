import { Address, Prefix } from "@trivet/ip";
import { expect, test } from "vitest";
import { type Route, Speaker } from "@trivet/bgp";
import { SimClock, SimNetwork } from "../support/sim.ts";

const [A, B, C] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;

/** Numbers from 0 to 1 that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

test("a day of cut connections, stalled readers and changed routes leaves what a fresh start would have", async () => {
  const clock = new SimClock();
  const network = new SimNetwork(clock);
  const random = seeded(4271);
  const pick = (count: number): number => Math.floor(random() * count);
  const make = (address: string, asn: number, peers: [string, number][]): Speaker =>
    new Speaker(
      {
        asn,
        routerId: address,
        listen: [{ address }],
        peers: peers.map(([peer, remote]) => ({ address: peer, asn: remote, holdTime: 9 })),
      },
      { clock, network: network.at(address), random },
    );
  const announcer = make(A, 65001, [
    [B, 65002],
    [C, 65003],
  ]);
  const collectors = [make(B, 65002, [[A, 65001]]), make(C, 65003, [[A, 65001]])];
  for (const speaker of [announcer, ...collectors]) await speaker.start();

  const wanted = new Map<string, Route>();
  for (let minute = 0; minute < 24 * 60; minute++) {
    for (let i = pick(4); i > 0; i--) {
      const route = {
        prefix: Prefix.of(Address.fromBytes(Uint8Array.of(10, pick(40), 0, 0)), 16),
        nextHop: Address.fromBytes(Uint8Array.of(192, 0, 2, 1 + pick(3))),
        attributes: { med: pick(3) },
      };
      if (random() < 0.3) {
        wanted.delete(route.prefix.toString());
        announcer.update({ withdraw: [route.prefix] });
      } else {
        wanted.set(route.prefix.toString(), route);
        announcer.update({ announce: [route] });
      }
    }
    const alive = network.connections.filter(({ isClosed }) => !isClosed);
    const victim = alive[pick(alive.length)];
    const fate = random();
    if (fate < 0.1) {
      victim?.far?.fail(new Error("cut"));
      victim?.fail(new Error("cut"));
    } else if (fate < 0.2 && victim !== undefined) victim.isRead = false;
    if (random() < 0.5) for (const connection of alive) if (!connection.isRead) connection.resume();
    if (random() < 0.02) announcer.drain();
    if (random() < 0.1) announcer.undrain();
    await clock.advance(60);
  }
  announcer.undrain();
  for (const connection of network.connections) if (!connection.isClosed) connection.resume();
  await clock.advance(300);

  const expected = [...wanted].map(
    ([prefix, { nextHop, attributes }]) => `${prefix} ${nextHop?.toString()} ${attributes?.med}`,
  );
  for (const collector of collectors) {
    const seen = [...collector.adjRibIn(A)].map(
      ({ prefix, nextHop, attributes }) => `${prefix.toString()} ${nextHop.toString()} ${attributes.med}`,
    );
    expect(seen.toSorted()).toEqual(expected.toSorted());
  }
  const sessions = announcer.sessions();
  expect(sessions.map(({ state }) => state)).toEqual(["established", "established"]);
  expect(Math.min(...sessions.map(({ established }) => established))).toBeGreaterThan(20);
}, 60_000);
