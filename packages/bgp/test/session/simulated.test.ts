import { Prefix } from "@trivet/ip";
import { describe, expect, test } from "vitest";
import {
  CeaseReason,
  INITIAL_CONTEXT,
  type Message,
  MessageReader,
  type SpeakerOptions,
  encodeMessage,
} from "@trivet/bgp";
import { A, B, World, prefixes, state } from "../support/world.ts";

const TEN = { prefix: Prefix.parse("10.0.0.0/8") };
const SIX = { prefix: Prefix.parse("2001:db8::/32") };

describe("a session", () => {
  test("comes up, carries routes both ways, and says what it is", async () => {
    const world = new World();
    const [a, b] = await world.pair({ holdTime: 30, description: "core router" });
    a.announce([TEN]);
    b.announce([{ prefix: Prefix.parse("0.0.0.0/0") }]);
    await world.clock.advance(1);
    expect(prefixes(b, A)).toEqual(["10.0.0.0/8"]);
    expect([...b.adjRibIn(A)][0]?.nextHop.toString()).toBe(A);
    expect(prefixes(a, B)).toEqual(["0.0.0.0/0"]);
    expect(a.sessions()[0]).toMatchObject({
      peer: B,
      description: "core router",
      state: "established",
      local: A,
      negotiated: { holdTime: 30, keepalive: 10, asn: 65000 },
      established: 1,
      prefixesSent: { 4: 1, 6: 0 },
      prefixesReceived: { 4: 1, 6: 0 },
      endOfRib: [4, 6],
    });
  });

  test("stays up on keepalives alone, for hours", async () => {
    const world = new World();
    const [a] = await world.pair({ holdTime: 9 });
    await world.clock.advance(7200);
    expect(a.sessions()[0]).toMatchObject({ state: "established", established: 1 });
    // A keepalive every three seconds (less jitter, of which there is none here).
    expect(a.sessions()[0]?.sent.keepalive).toBeGreaterThan(2390);
  });

  test("a first change is sent in the same turn, what follows in it together at its end", async () => {
    const world = new World();
    const [a, b] = await world.pair();
    const before = a.sessions()[0]?.sent.update ?? 0;
    a.update({ announce: [TEN] });
    await Promise.resolve();
    expect(a.sessions()[0]?.sent.update).toBe(before + 1);
    for (let i = 0; i < 50; i++) a.update({ announce: [{ prefix: Prefix.parse(`10.${i}.0.0/16`) }] });
    await Promise.resolve();
    expect(a.sessions()[0]?.sent.update).toBe(before + 1);
    await world.clock.advance(1);
    expect(a.sessions()[0]?.sent.update).toBe(before + 2);
    expect(prefixes(b, A)).toHaveLength(51);
  });

  test("an accepted session beside a connecting one resolves the collision and leaves one session (RFC 4271 §6.8)", async () => {
    const world = new World();
    const [a, b] = await world.pair({}, { passive: false }, 30);
    expect([state(a), state(b)]).toEqual(["established", "established"]);
    const up = world.network.connections.filter(({ isClosed }) => !isClosed);
    expect(up).toHaveLength(1);
    await world.clock.advance(300);
    expect([a.sessions()[0]?.established, b.sessions()[0]?.established]).toEqual([1, 1]);
  });

  test("both connecting in the same moment: the connection of the greater identifier survives", async () => {
    const world = new World();
    const options = (address: string, asn: number): Partial<SpeakerOptions> => ({ peers: [{ address, asn }] });
    const [a, b] = await Promise.all([world.speaker(A, options(B, 65000)), world.speaker(B, options(A, 65001))]);
    await world.clock.advance(2);
    const up = world.network.connections.filter(({ isClosed }) => !isClosed);
    expect(up.map(({ local }) => local.address)).toEqual([B]);
    expect([state(a), state(b)]).toEqual(["established", "established"]);
    expect(world.log).toContain(`${A} sent Cease/Collision Resolution`);
  });
});

describe("RFC 4271 §6.5 hold timer", () => {
  test("a peer that falls silent is given up after the hold time, and taken back when it returns", async () => {
    const world = new World();
    const [a] = await world.pair({ holdTime: 9 });
    world.network.silence(B);
    await world.clock.advance(8.9 - 3);
    expect(state(a)).toBe("established");
    await world.clock.advance(3.2);
    expect(world.log).toContain(`${A} sent Hold Timer Expired`);
    expect(a.sessions()[0]).toMatchObject({
      lastFailure: { reason: "hold timer expired", notification: { direction: "sent", code: 4, subcode: 0 } },
    });
    await world.clock.advance(60);
    expect(state(a)).not.toBe("established");
    world.network.restore(B);
    await world.clock.advance(60);
    expect(a.sessions()[0]).toMatchObject({ state: "established", established: 2 });
  });
});

describe("stopping", () => {
  test("stop sends Cease/Administrative Shutdown with the reason (RFC 9003)", async () => {
    const world = new World();
    const [a, b] = await world.pair();
    await a.stop("maintenance until 14:00");
    await world.clock.advance(0.1);
    expect(world.log).toContain(`${B} received Cease/Administrative Shutdown: "maintenance until 14:00"`);
    expect(b.sessions()[0]?.state).not.toBe("established");
  });

  test("with the N bit on both ends, wrapped in a Hard Reset (RFC 8538 §3)", async () => {
    const world = new World();
    const [a] = await world.pair({ gracefulRestart: {} }, { gracefulRestart: {} });
    await a.stop("bye");
    expect(world.log.find((line) => line.includes("sent Cease/Hard Reset"))).toContain("Administrative Shutdown");
  });

  test("detach closes without a NOTIFICATION, and the successor says that it restarts (RFC 4724 §4)", async () => {
    const world = new World();
    const [a, b] = await world.pair({ gracefulRestart: { restartTime: 20 } });
    await a.detach();
    await world.clock.advance(0.1);
    expect(world.log.some((line) => / (sent|received) /.test(line))).toBe(false);
    const next = await world.speaker(A, {
      peers: [{ address: B, asn: 65000, gracefulRestart: { restartTime: 20 } }],
      restarting: true,
      holdEndOfRib: true,
    });
    await world.clock.advance(1);
    expect(b.sessions()[0]).toMatchObject({
      state: "established",
      negotiated: { peerRestart: { restarting: true, restartTime: 20, families: [4, 6] } },
      endOfRib: [],
    });
    next.announce([TEN]);
    next.releaseEndOfRib();
    await world.clock.advance(1);
    expect(prefixes(b, A)).toEqual(["10.0.0.0/8"]);
    expect(b.sessions()[0]?.endOfRib).toEqual([4, 6]);
  });

  test("RFC 8326: drain marks all routes, undrain takes it back", async () => {
    const world = new World();
    const [a, b] = await world.pair();
    a.announce([TEN]);
    const communities = (): unknown => [...b.adjRibIn(A)][0]?.attributes.communities;
    a.drain();
    await world.clock.advance(0.1);
    expect(communities()).toEqual([0xffff0000]);
    a.undrain();
    await world.clock.advance(0.1);
    expect(communities()).toBeUndefined();
  });
});

describe("a peer that restarts", () => {
  test("with graceful restart, its new connection replaces the old at once (RFC 4724 §4.2)", async () => {
    const world = new World();
    const [a] = await world.pair({ passive: true }, { passive: false, gracefulRestart: {} });
    expect(state(a)).toBe("established");
    const old = world.network.connections.find(({ isClosed }) => !isClosed);
    // The peer's process dies, and its host does not even close the connection.
    if (old !== undefined) Object.assign(old, { isClosed: true });
    const reborn = world.stranger(B, A);
    await world.clock.advance(0.1);
    reborn.send(encodeMessage(peerOpen(), INITIAL_CONTEXT));
    reborn.send(encodeMessage({ kind: "keepalive" }, INITIAL_CONTEXT));
    await world.clock.advance(0.1);
    expect(a.sessions()[0]).toMatchObject({ state: "established", established: 2 });
    expect(world.log).toContain(`${A} open-sent: the peer restarted`);
  });

  test("without, the established session stays and the new connection is refused (§6.8)", async () => {
    const world = new World();
    const [a] = await world.pair();
    const second = world.stranger(B, A);
    await world.clock.advance(0.1);
    second.send(encodeMessage(peerOpen(), INITIAL_CONTEXT));
    await world.clock.advance(0.1);
    expect(second.received.at(-1)).toMatchObject({ kind: "notification", code: 6, subcode: 7 });
    expect(a.sessions()[0]).toMatchObject({ state: "established", established: 1 });
  });
});

function peerOpen(changes: Partial<Extract<Message, { kind: "open" }>> = {}): Message {
  return {
    kind: "open",
    asn: 65000,
    holdTime: 90,
    identifier: Prefix.parse(`${B}/32`).address,
    capabilities: [{ kind: "four-octet-as", asn: 65000 }],
    ...changes,
  };
}

describe("bad peers", () => {
  test("someone unknown is refused with Cease/Connection Rejected, and named", async () => {
    const world = new World();
    const [a] = await world.pair();
    const refused: unknown[] = [];
    a.on("refused", (event) => refused.push(event));
    const stranger = world.stranger("198.51.100.66", A);
    await world.clock.advance(0.1);
    expect(stranger.received).toMatchObject([{ kind: "notification", code: 6, subcode: 5 }]);
    expect(stranger.closed()).toBe(true);
    expect(refused).toEqual([{ address: "198.51.100.66", reason: "no peer or range has this address" }]);
  });

  test.each<[string, Message | Uint8Array, number, number]>([
    ["the wrong AS", peerOpen({ asn: 65099, capabilities: [] }), 2, 2],
    ["identifier 0.0.0.0", peerOpen({ identifier: Prefix.parse("0.0.0.0/32").address }), 2, 3],
    ["a hold time of 2", peerOpen({ holdTime: 2 }), 2, 6],
    ["a KEEPALIVE before its OPEN", { kind: "keepalive" }, 5, 1],
    ["garbage", new TextEncoder().encode("GET / HTTP/1.1\r\nHost: router\r\n\r\n"), 1, 1],
  ])(
    "%s is answered with the right NOTIFICATION, and other sessions do not notice",
    async (_, first, code, subcode) => {
      const world = new World();
      const third = "198.51.100.7";
      const a = await world.speaker(A, {
        peers: [
          { address: B, asn: 65000, passive: true },
          { address: third, asn: 65000, passive: true },
        ],
      });
      await world.speaker(B, { peers: [{ address: A, asn: 65001 }] });
      const bad = world.stranger(third, A);
      await world.clock.advance(1);
      bad.send(first instanceof Uint8Array ? first : encodeMessage(first, INITIAL_CONTEXT));
      await world.clock.advance(1);
      expect(bad.received.at(-1)).toMatchObject({ kind: "notification", code, subcode });
      expect(bad.closed()).toBe(true);
      expect(a.sessions().map(({ state: now, established }) => [now, established])).toEqual([
        ["established", 1],
        ["active", 0],
      ]);
      expect(a.sessions()[1]?.lastFailure).toMatchObject({ notification: { direction: "sent", code, subcode } });
    },
  );

  test("more prefixes than allowed end the session with Cease/Maximum Number of Prefixes", async () => {
    const world = new World();
    const [a, b] = await world.pair({ maxPrefix: 2 });
    b.announce([TEN, SIX, { prefix: Prefix.parse("11.0.0.0/8") }]);
    await world.clock.advance(0.1);
    expect(state(a)).toBe("established");
    b.update({ announce: [{ prefix: Prefix.parse("12.0.0.0/8") }] });
    await world.clock.advance(0.1);
    expect(world.log).toContain(`${B} received Cease/Maximum Prefixes: 0x00010100000002`);
    expect(a.sessions()[0]).toMatchObject({ lastFailure: { reason: "the peer announces more than 2 IPv4 prefixes" } });
  });

  test("one that does not read is given up after the send hold time (RFC 9687)", async () => {
    const world = new World();
    const [a] = await world.pair({ holdTime: 0 });
    const connection = world.network.connections.find(({ isClosed }) => !isClosed);
    if (connection !== undefined) connection.isRead = false;
    a.announce([TEN]);
    await world.clock.advance(481);
    expect(a.sessions()[0]?.lastFailure?.reason).toBe("send hold timer expired: the peer does not read");
  });
});

describe("listen ranges", () => {
  test("accept who is in them, up to the limit, and forget them afterwards", async () => {
    const world = new World();
    const router = await world.speaker(B, { ranges: [{ prefix: "192.0.2.0/25", asn: 65001, limit: 1 }] });
    const a = await world.speaker(A, { peers: [{ address: B, asn: 65000 }] });
    await world.clock.advance(1);
    expect(router.sessions()).toMatchObject([{ peer: A, dynamic: true, state: "established" }]);
    const other = world.stranger("192.0.2.2", B);
    await world.clock.advance(0.1);
    expect(other.received).toMatchObject([{ code: 6, subcode: 5 }]);
    await a.stop();
    await world.clock.advance(0.1);
    expect(router.sessions()).toEqual([]);
  });
});

describe("a member of a range that connects again before its first connection came far", () => {
  test("is served on the new one", async () => {
    const world = new World();
    const router = await world.speaker(B, { ranges: [{ prefix: "192.0.2.0/25", asn: 65001 }] });
    const first = world.stranger(A, B);
    await world.clock.advance(0.1);
    await world.speaker(A, { peers: [{ address: B, asn: 65000 }] });
    await world.clock.advance(1);
    expect(first.received.at(-1)).toMatchObject({ kind: "notification", code: 6, subcode: 7 });
    expect(router.sessions()).toMatchObject([{ peer: A, state: "established" }]);
  });
});

describe("setPeers", () => {
  test("starts the new, stops the missing (Cease/3), restarts the changed (Cease/6), leaves the rest alone", async () => {
    const world = new World();
    const [a] = await world.pair();
    const third = "198.51.100.7";
    await world.speaker(third, { peers: [{ address: A, asn: 65001, passive: true }] });
    a.setPeers([
      { address: B, asn: 65000, description: "only text" },
      { address: third, asn: 65000 },
    ]);
    await world.clock.advance(1);
    expect(a.sessions().map(({ peer, established, description }) => [peer, established, description])).toEqual([
      [B, 1, "only text"],
      [third, 1, undefined],
    ]);
    a.setPeers([{ address: third, asn: 65000, holdTime: 30 }]);
    await world.clock.advance(10);
    expect(world.log).toContain(`${B} received Cease/Peer Deconfigured`);
    expect(world.log).toContain(`${third} received Cease/Other Configuration Change`);
    expect(a.sessions()).toMatchObject([{ peer: third, negotiated: { holdTime: 30 } }]);
  });

  test("another export policy changes what is announced, without a new session", async () => {
    const world = new World();
    const [a, b] = await world.pair();
    a.announce([TEN, SIX]);
    a.setPeers([{ address: B, asn: 65000, exports: (route) => (route.prefix.family === 4 ? route : undefined) }]);
    await world.clock.advance(0.1);
    expect(prefixes(b, A)).toEqual(["10.0.0.0/8"]);
    expect([...a.adjRibOut(B)].map(({ prefix }) => prefix.toString())).toEqual(["10.0.0.0/8"]);
    expect(a.sessions()[0]?.established).toBe(1);
  });
});

describe("resetPeer and refresh", () => {
  test("BFD Down (RFC 9384) ends the session, which comes back", async () => {
    const world = new World();
    const [a] = await world.pair();
    a.resetPeer(B, CeaseReason.BfdDown);
    await world.clock.advance(3);
    expect(world.log).toContain(`${B} received Cease/BFD Down`);
    expect(a.sessions()[0]).toMatchObject({ state: "established", established: 2 });
  });

  test("a refresh makes the peer send its routes again (RFC 2918)", async () => {
    const world = new World();
    const [a, b] = await world.pair();
    b.announce([TEN]);
    await world.clock.advance(0.1);
    const before = a.sessions()[0]?.received.update ?? 0;
    expect(a.refresh(B, 4)).toBe(true);
    await world.clock.advance(0.1);
    expect(a.sessions()[0]?.received.update).toBe(before + 1);
    expect(a.sessions()[0]?.received["route-refresh"]).toBe(2); // BoRR and EoRR
  });

  test("RFC 7313 §4: one that comes while End-of-RIB is held is answered after it", async () => {
    const world = new World();
    const a = await world.speaker(A, { holdEndOfRib: true, peers: [{ address: B, asn: 65000, gracefulRestart: {} }] });
    const b = await world.speaker(B, { peers: [{ address: A, asn: 65001, passive: true }] });
    await world.clock.advance(7);
    a.announce([TEN]);
    const [near] = world.network.connections;
    const heard: string[] = [];
    const reader = new MessageReader();
    const data = near?.far?.handler?.data.bind(near.far.handler);
    if (near?.far?.handler === undefined || data === undefined) throw new Error("no connection");
    // What comes to B, as it comes.
    near.far.handler.data = (chunk) => {
      reader.push(chunk);
      for (let message = reader.next(); message !== undefined; message = reader.next())
        heard.push(
          message.kind === "route-refresh"
            ? `refresh ${message.subtype}`
            : message.kind === "update" && message.endOfRib !== undefined
              ? "end of RIB"
              : message.kind,
        );
      data(chunk);
    };
    await world.clock.advance(0.1);
    expect(b.refresh(A, 4)).toBe(true);
    await world.clock.advance(5);
    expect(heard).toEqual(["update"]);
    a.releaseEndOfRib();
    await world.clock.advance(0.1);
    expect(heard).toEqual(["update", "end of RIB", "end of RIB", "refresh 1", "update", "refresh 2"]);
  });
});
