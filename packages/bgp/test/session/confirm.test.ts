import { Address, Prefix } from "@trivet/ip";
import { describe, expect, test } from "vitest";
import {
  type Capability,
  INITIAL_CONTEXT,
  RefreshSubtype,
  type Speaker,
  encodeEndOfRib,
  encodeMessage,
  unicast,
} from "@trivet/bgp";
import { A, B, World, prefixes } from "../support/world.ts";

const TEN = { prefix: Prefix.parse("10.0.0.0/8") };
const DEFAULT = { prefix: Prefix.parse("0.0.0.0/0") };

/** What became of a speaker's question to its only peer, as far as it is known. */
function asked(speaker: Speaker): { outcome: string } {
  const seen = { outcome: "waiting" };
  void speaker
    .confirm()
    .get(B)
    ?.then((outcome) => (seen.outcome = outcome));
  return seen;
}

/** A router that reads and says only what it is told to. */
class Script {
  readonly world = new World();
  #stranger: ReturnType<World["stranger"]> | undefined;

  /** A speaker, established with it. */
  async speaker(...capabilities: readonly Capability["kind"][]): Promise<Speaker> {
    const speaker = await this.world.speaker(A, {
      peers: [{ address: B, asn: 65000, passive: true, gracefulRestart: { restartTime: 5 } }],
    });
    this.#stranger = this.world.stranger(B, A);
    await this.world.clock.advance(0.01);
    const { received } = this.#stranger;
    const [theirs] = received;
    if (theirs?.kind !== "open") throw new Error("no OPEN");
    const can = theirs.capabilities.filter(({ kind }) => kind === "multiprotocol" || capabilities.includes(kind));
    const open = { ...theirs, asn: 65000, identifier: Address.parse(B), capabilities: can };
    this.say(encodeMessage(open, INITIAL_CONTEXT));
    this.say(encodeMessage({ kind: "keepalive" }, INITIAL_CONTEXT));
    await this.world.clock.advance(0.01);
    return speaker;
  }

  say(message: Uint8Array): void {
    this.#stranger?.send(message);
  }

  async answer(...subtypes: readonly number[]): Promise<void> {
    for (const subtype of subtypes)
      this.say(encodeMessage({ kind: "route-refresh", family: unicast(4), subtype }, INITIAL_CONTEXT));
    await this.world.clock.advance(0.01);
  }

  /** What it was asked and told since. */
  get heard(): string[] {
    return (this.#stranger?.received ?? []).map(({ kind }) => kind);
  }
}

describe("whether a peer has read what it was sent (RFC 7313)", () => {
  test("is known when it answers what was asked after it", async () => {
    const world = new World();
    const [a, b] = await world.pair();
    a.announce([TEN]);
    const seen = asked(a);
    await world.clock.advance(1);
    expect(seen.outcome).toBe("read");
    expect(prefixes(b, A)).toEqual(["10.0.0.0/8"]);
  });

  test("is asked after what is announced, and not before End-of-RIB: until then routers may keep what is gone", async () => {
    const world = new World();
    const a = await world.speaker(A, { holdEndOfRib: true, peers: [{ address: B, asn: 65000 }] });
    const b = await world.speaker(B, { peers: [{ address: A, asn: 65001, passive: true }] });
    const heard: string[] = [];
    b.on("update", ({ update }) => heard.push(update.endOfRib === undefined ? "update" : "end of RIB"));
    b.on("refresh", () => heard.push("question"));
    await world.clock.advance(7);
    a.announce([TEN]);
    const seen = asked(a);
    await world.clock.advance(30);
    expect(seen.outcome).toBe("waiting");
    a.releaseEndOfRib();
    await world.clock.advance(1);
    expect(seen.outcome).toBe("read");
    expect(heard).toEqual(["update", "end of RIB", "end of RIB", "question"]);
  });

  test("waits for a peer that does not read, and ends with its session", async () => {
    const world = new World();
    const [a] = await world.pair({ holdTime: 0 }, { holdTime: 0 });
    const [near] = world.network.connections;
    if (near?.far === undefined) throw new Error("no connection");
    near.isRead = false;
    a.announce([TEN]);
    const [seen, second] = [asked(a), asked(a)];
    await world.clock.advance(60);
    expect([seen.outcome, second.outcome]).toEqual(["waiting", "waiting"]);
    near.resume();
    await world.clock.advance(1);
    expect([seen.outcome, second.outcome]).toEqual(["read", "read"]);
    near.isRead = false;
    const third = asked(a);
    a.resetPeer(B);
    await world.clock.advance(1);
    expect(third.outcome).toBe("ended");
  });

  test("is not told by an answer that began before the question", async () => {
    const script = new Script();
    const a = await script.speaker("route-refresh", "enhanced-route-refresh");
    await script.answer(RefreshSubtype.Begin);
    const seen = asked(a);
    await script.answer(RefreshSubtype.End);
    expect(seen.outcome).toBe("waiting");
    await script.answer(RefreshSubtype.Begin);
    expect(seen.outcome).toBe("read");
  });

  test("a question while another waits is asked after that one's answer", async () => {
    const script = new Script();
    const a = await script.speaker("route-refresh", "enhanced-route-refresh");
    const first = asked(a);
    const second = asked(a);
    await script.answer(RefreshSubtype.Begin, RefreshSubtype.End);
    expect([first.outcome, second.outcome]).toEqual(["read", "waiting"]);
    expect(script.heard.filter((kind) => kind === "route-refresh")).toHaveLength(2);
    await script.answer(RefreshSubtype.Begin, RefreshSubtype.End);
    expect(second.outcome).toBe("read");
  });

  test("a refresh does not wait behind a question that is not answered", async () => {
    const script = new Script();
    const a = await script.speaker("route-refresh", "enhanced-route-refresh");
    const seen = asked(a);
    await script.world.clock.advance(60);
    expect([a.refresh(B, 4), a.refresh(B, 6)]).toEqual([true, true]);
    await script.world.clock.advance(0.01);
    expect(script.heard.filter((kind) => kind === "route-refresh")).toHaveLength(3);
    expect(seen.outcome).toBe("waiting");
  });

  test("nor is its answer taken for one to a question that was asked after it", async () => {
    const script = new Script();
    const a = await script.speaker("route-refresh", "enhanced-route-refresh");
    const first = asked(a);
    a.refresh(B, 4);
    await script.answer(RefreshSubtype.Begin, RefreshSubtype.End);
    expect(first.outcome).toBe("read");
    const second = asked(a);
    await script.answer(RefreshSubtype.Begin, RefreshSubtype.End);
    expect(second.outcome).toBe("waiting");
    await script.answer(RefreshSubtype.Begin);
    expect(second.outcome).toBe("read");
  });

  test("cannot be known of a peer that marks no answers, and it is not asked", async () => {
    const script = new Script();
    const a = await script.speaker("route-refresh");
    const seen = asked(a);
    await script.world.clock.advance(1);
    expect(seen.outcome).toBe("unable");
    expect(script.heard).not.toContain("route-refresh");
  });

  test("cannot be known of a peer with graceful restart before its End-of-RIB: it must not answer until then", async () => {
    const script = new Script();
    const a = await script.speaker("route-refresh", "enhanced-route-refresh", "graceful-restart");
    const early = asked(a);
    script.say(encodeEndOfRib(4));
    await script.world.clock.advance(0.01);
    const seen = asked(a);
    await script.answer(RefreshSubtype.Begin);
    expect([early.outcome, seen.outcome]).toEqual(["unable", "read"]);
  });

  test("is not asked of a peer with very many routes, who would have to send them again", async () => {
    const world = new World();
    const [a, b] = await world.pair();
    const six = [...Prefix.parse("2001:db8::/32").subnets(46)];
    const nextHop = Address.parse("2001:db8::1");
    b.announce(
      Prefix.parse("10.0.0.0/8")
        .subnets(22)
        .map((prefix) => ({ prefix })),
    );
    b.update({ announce: six.map((prefix) => ({ prefix, nextHop })) });
    await world.clock.advance(1);
    expect(a.sessions()[0]?.prefixesReceived).toEqual({ 4: 16_384, 6: 16_384 });
    const seen = asked(a);
    await world.clock.advance(1);
    expect(seen.outcome).toBe("unable");
    b.update({ withdraw: six });
    await world.clock.advance(1);
    const cheaper = asked(a);
    await world.clock.advance(1);
    expect(cheaper.outcome).toBe("read");
  });
});

test("RFC 7313 §4: what a peer does not announce again in its answer is gone", async () => {
  const world = new World();
  const [a, b] = await world.pair();
  b.announce([TEN, DEFAULT]);
  await world.clock.advance(1);
  expect(prefixes(a, B)).toEqual(["0.0.0.0/0", "10.0.0.0/8"]);
  a.refresh(B, 4);
  await world.clock.advance(1);
  expect(prefixes(a, B)).toEqual(["0.0.0.0/0", "10.0.0.0/8"]);
  // An answer without any.
  const [near] = world.network.connections;
  for (const subtype of [RefreshSubtype.Begin, RefreshSubtype.End])
    near?.far?.write([encodeMessage({ kind: "route-refresh", family: unicast(4), subtype }, INITIAL_CONTEXT)]);
  await world.clock.advance(1);
  expect(prefixes(a, B)).toEqual([]);
});

test("RFC 7313 §4: a mark before the End-of-RIB of a peer with graceful restart is ignored", async () => {
  const world = new World();
  const a = await world.speaker(A, { peers: [{ address: B, asn: 65000 }] });
  const b = await world.speaker(B, {
    holdEndOfRib: true,
    peers: [{ address: A, asn: 65001, passive: true, gracefulRestart: {} }],
  });
  b.announce([TEN]);
  await world.clock.advance(7);
  const [near] = world.network.connections;
  const answer = async (): Promise<string[]> => {
    for (const subtype of [RefreshSubtype.Begin, RefreshSubtype.End])
      near?.far?.write([encodeMessage({ kind: "route-refresh", family: unicast(4), subtype }, INITIAL_CONTEXT)]);
    await world.clock.advance(0.1);
    return prefixes(a, B);
  };
  expect(await answer()).toEqual(["10.0.0.0/8"]);
  b.releaseEndOfRib();
  await world.clock.advance(0.1);
  expect(await answer()).toEqual([]);
});
