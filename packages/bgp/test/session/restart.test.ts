import type { SpeakerOptions } from "@trivet/bgp";
import { describe, expect, test } from "vitest";
import { A, B, World } from "../support/world.ts";

const C = "198.51.100.7";
const peer = (
  address: string,
): { address: string; asn: number; passive: true; gracefulRestart: { restartTime: number } } => ({
  address,
  asn: 65000,
  passive: true,
  gracefulRestart: { restartTime: 20 },
});

/** What the speaker at A says to a router that connects now: its R bit, and the F bits of both families (RFC 4724 §3). */
async function said(
  world: World,
  to = B,
): Promise<{ restarting: boolean; forwarding: readonly boolean[] } | undefined> {
  const { received } = world.stranger(to, A);
  await world.clock.advance(0.01);
  const [open] = received;
  if (open?.kind !== "open") throw new Error("no OPEN");
  for (const capability of open.capabilities)
    if (capability.kind === "graceful-restart")
      return { restarting: capability.restarting, forwarding: capability.families.map(({ forwarding }) => forwarding) };
  return undefined;
}

async function start(options: Partial<SpeakerOptions>): Promise<[World, Awaited<ReturnType<World["speaker"]>>]> {
  const world = new World();
  return [world, await world.speaker(A, { peers: [peer(B)], ...options })];
}

const YES = [true, true];
const NO = [false, false];

describe("RFC 4724 §4.1 Restart State bit", () => {
  test("is said to a peer of the start, until the restart time is over", async () => {
    const [world] = await start({ restarting: true, holdEndOfRib: true });
    expect(await said(world)).toMatchObject({ restarting: true });
    await world.clock.advance(19);
    expect(await said(world)).toMatchObject({ restarting: true });
    await world.clock.advance(1);
    expect(await said(world)).toMatchObject({ restarting: false });
  });

  test("is said to a peer that is added while End-of-RIB is held, and not to one that is added after", async () => {
    for (const released of [false, true]) {
      const [world, a] = await start({ restarting: true, holdEndOfRib: true });
      if (released) a.releaseEndOfRib();
      a.setPeers([peer(B), peer(C)]);
      expect(await said(world, C)).toMatchObject({ restarting: !released });
    }
  });

  test("is not said after End-of-RIB, nor to a peer that was changed after it", async () => {
    const [world, a] = await start({ restarting: true });
    const b = await world.speaker(B, { peers: [{ address: A, asn: 65001 }] });
    await world.clock.advance(1);
    await b.detach();
    await world.clock.advance(1);
    expect(await said(world)).toMatchObject({ restarting: false });
    a.setPeers([{ ...peer(B), holdTime: 30 }]);
    expect(await said(world)).toMatchObject({ restarting: false });
  });
});

describe("RFC 4724 §3 Forwarding State bit", () => {
  test("is set unless told: a predecessor of any make may have left routes that lead somewhere", async () => {
    const [world] = await start({});
    expect(await said(world)).toEqual({ restarting: false, forwarding: YES });
  });

  test("is not set after a boot: what peers may keep leads nowhere", async () => {
    const [world] = await start({ forwardingKept: false });
    expect(await said(world)).toEqual({ restarting: false, forwarding: NO });
  });

  test("is set after a boot for a peer that had a session since, and for all when the restart time is over", async () => {
    const [world, a] = await start({ forwardingKept: false, peers: [peer(B), peer(C)] });
    const b = await world.speaker(B, { peers: [{ address: A, asn: 65001 }] });
    await world.clock.advance(1);
    expect(a.sessions()[0]?.state).toBe("established");
    await b.detach();
    await world.clock.advance(1);
    expect(await said(world, B)).toMatchObject({ forwarding: YES });
    expect(await said(world, C)).toMatchObject({ forwarding: NO });
    await world.clock.advance(20);
    expect(await said(world, C)).toMatchObject({ forwarding: YES });
  });
});
