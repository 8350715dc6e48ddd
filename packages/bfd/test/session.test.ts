import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ControlPacket, encodePacket } from "../src/wire/packet.ts";
import { Pair, spec, timers } from "./simulation.ts";

const ms = 1000;
const second = 1000 * ms;

function up(a = {}, b = {}, seed = 1): Pair {
  const pair = new Pair(seed);
  pair.start(a, b);
  pair.clock.run(5 * second);
  expect([pair.status("a").state, pair.status("b").state]).toEqual(["Up", "Up"]);
  return pair;
}

describe("RFC 5880 §6.2 state machine", () => {
  test("three-way handshake from Down over Init to Up", () => {
    const pair = up({}, { passive: true });
    expect(pair.changes.map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      "b Init (No Diagnostic)",
      "a Up (No Diagnostic)",
      "b Up (No Diagnostic)",
    ]);
  });

  test("silence for the detection time: Down, with the diagnostic, and not before", () => {
    const pair = up();
    const { detectionTime = 0 } = pair.status("b");
    expect(detectionTime).toBe(900);
    pair.connected.a = false;
    const last = pair.sent.findLast(({ from }) => from === "a")?.at ?? 0;
    pair.changes.length = 0;
    pair.clock.run(10 * second);
    expect(pair.changes[0]).toMatch(/b Down \(Control Detection Time Expired\)$/);
    const at = Number(pair.changes[0]?.split(" ")[0]) * ms;
    expect(at - last).toBeGreaterThanOrEqual(900 * ms);
    expect(at - last).toBeLessThanOrEqual((900 + 300) * ms); // one more may have been under way
    expect(pair.changes[1]).toMatch(/a Down \(Neighbor Signaled Session Down\)$/);
  });

  test("comes back by itself when the wire does", () => {
    const pair = up();
    pair.connected = { a: false, b: false };
    pair.clock.run(5 * second);
    expect(pair.status("a").state).toBe("Down");
    pair.connected = { a: true, b: true };
    pair.clock.run(5 * second);
    expect([pair.status("a").state, pair.status("a").flaps, pair.status("b").state]).toEqual(["Up", 1, "Up"]);
  });

  test("a peer that restarts with another discriminator is met again", () => {
    const pair = up();
    pair.connected.b = false; // it dies without a word
    pair.b.setSessions([]);
    pair.clock.run(2 * second);
    pair.connected.b = true;
    pair.b.setSessions([spec("192.0.2.1")]);
    pair.clock.run(5 * second);
    expect([pair.status("a").state, pair.status("b").state]).toEqual(["Up", "Up"]);
  });
});

describe("an end that stood still for longer than the detection time", () => {
  test("receives what came meanwhile before it declares a peer dead: one that lives is not", () => {
    const pair = up({ timers: timers(300, 50) });
    pair.hosts.a.stop();
    pair.clock.run(2 * second);
    pair.hosts.a.goOn();
    pair.clock.run(5 * second);
    expect(pair.status("a")).toMatchObject({ state: "Up", flaps: 0 });
  });

  test("declares a peer dead at once that is", () => {
    const pair = up();
    pair.connected.b = false;
    pair.clock.run(500 * ms);
    pair.hosts.a.stop();
    pair.clock.run(2 * second);
    expect(pair.status("a").state).toBe("Up");
    pair.hosts.a.goOn();
    expect(pair.status("a")).toMatchObject({ state: "Down", diagnostic: "Control Detection Time Expired" });
  });
});

describe("RFC 5880 §6.8.16 administrative control", () => {
  test("admin down reaches the peer at once and is no failure of the path", () => {
    const pair = up();
    pair.changes.length = 0;
    pair.a.setSessions([spec("192.0.2.2", { adminDown: true })]);
    pair.clock.run(10 * ms);
    expect(pair.changes.map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      "a AdminDown (Administratively Down)",
      "b Down (Neighbor Signaled Session Down)",
    ]);
    expect(pair.status("b").remoteState).toBe("AdminDown");
    pair.clock.run(10 * second);
    expect(pair.status("b").state).toBe("Down");
    pair.a.setSessions([spec("192.0.2.2")]);
    pair.clock.run(5 * second);
    expect(pair.status("b").state).toBe("Up");
  });

  test("removing a session tells the peer", () => {
    const pair = up();
    pair.a.setSessions([]);
    pair.clock.run(10 * ms);
    expect(pair.status("b").remoteDiagnostic).toBe("Administratively Down");
  });

  test.each([20, 50, 300])(
    "and again within the detection time, at an interval of %i ms, lest the packet is lost",
    (interval) => {
      const pair = up({ timers: timers(interval) }, { timers: timers(interval) });
      pair.connected.a = false;
      pair.a.setSessions([]);
      pair.clock.run(2 * ms);
      pair.connected.a = true;
      pair.clock.run(Math.min(200 * ms, 2 * interval * ms));
      expect(pair.status("b")).toMatchObject({
        state: "Down",
        diagnostic: "Neighbor Signaled Session Down",
        remoteDiagnostic: "Administratively Down",
      });
      const before = pair.sent.length;
      pair.clock.run(second);
      expect(pair.sent.slice(before).filter(({ from }) => from === "a")).toEqual([]);
    },
  );

  test("not once the peer has a session anew: that one comes up undisturbed", () => {
    const pair = up();
    pair.a.setSessions([]);
    pair.clock.run(10 * ms);
    pair.a.setSessions([spec("192.0.2.2")]);
    pair.changes.length = 0;
    pair.clock.run(5 * second);
    expect([pair.status("a").state, pair.status("b").state]).toEqual(["Up", "Up"]);
    expect(pair.changes.filter((line) => line.includes("Down"))).toEqual([]);
  });
});

describe("RFC 5880 §6.8.3 timers", () => {
  test("slow while not up: at least a second between packets, before jitter", () => {
    const pair = new Pair();
    pair.connected = { a: false, b: false };
    pair.start({ timers: timers(50) });
    for (const gap of pair.gaps("a", 20 * second)) {
      expect(gap).toBeGreaterThanOrEqual(750 * ms);
      expect(gap).toBeLessThanOrEqual(second);
    }
  });

  test("fast when up, with 0 to 25 % of jitter (§6.8.7)", () => {
    const gaps = up().gaps("a", 60 * second);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(225 * ms);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(300 * ms);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(60 * ms);
  });

  test("a multiplier of 1 leaves at least 10 % (§6.8.7)", () => {
    const gaps = up({ timers: timers(300, 1) }).gaps("a", 60 * second);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(270 * ms);
  });

  test("the slower of the two sides sets the pace, each way", () => {
    const pair = up(
      { timers: { desiredMinTx: 100 * ms, requiredMinRx: 400 * ms, detectMultiplier: 5 } },
      { timers: timers(200) },
    );
    expect(pair.status("a")).toMatchObject({ transmitInterval: 200, detectionTime: 3 * 400 });
    expect(pair.status("b")).toMatchObject({ transmitInterval: 400, detectionTime: 5 * 200 });
  });

  test("a peer that cannot receive (0) is sent nothing", () => {
    const pair = up();
    pair.b.setSessions([
      spec("192.0.2.1", { timers: { desiredMinTx: 300 * ms, requiredMinRx: 0, detectMultiplier: 3 } }),
    ]);
    pair.clock.run(second);
    expect(pair.gaps("a", 5 * second)).toEqual([]);
  });
});

test("a peer that wanted nothing (0) while down, and waits to be spoken to when it is back, is spoken to", () => {
  const pair = new Pair();
  pair.connected.a = false;
  pair.start({}, { passive: true });
  const own = pair.sent[0]?.packet as ControlPacket;
  const said = { ...own, state: "AdminDown", myDiscriminator: 7, requiredMinRx: 0 } as const;
  pair.a.receive(encodePacket(said), "192.0.2.2", undefined, false);
  expect(pair.gaps("a", second)).toEqual([]);
  pair.connected.a = true;
  pair.clock.run(10 * second);
  expect([pair.status("a").state, pair.status("b").state]).toEqual(["Up", "Up"]);
});

describe("RFC 5880 §6.5 Poll Sequence", () => {
  test("a longer interval is used only once the peer has confirmed it; nobody flaps", () => {
    const pair = up({ timers: timers(100) }, { timers: timers(100) });
    pair.connected.b = false; // the confirmation is lost
    pair.a.setSessions([spec("192.0.2.2", { timers: timers(1000) })]);
    expect(Math.max(...pair.gaps("a", 250 * ms))).toBeLessThanOrEqual(100 * ms);
    expect(pair.sent.findLast(({ from }) => from === "a")?.packet).toMatchObject({ poll: true, desiredMinTx: second });
    pair.connected.b = true;
    pair.clock.run(second);
    expect(pair.status("a").transmitInterval).toBe(1000);
    expect([pair.status("a").flaps, pair.status("b").flaps]).toEqual([0, 0]);
    pair.clock.run(10 * second);
    expect([pair.status("a").flaps, pair.status("b").flaps]).toEqual([0, 0]);
    expect(pair.sent.at(-1)?.packet.poll).toBe(false);
  });

  test("shortening on both sides at once, over and over, never flaps", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 10, max: 2000 }), fc.integer({ min: 1, max: 3000 })),
          { maxLength: 12 },
        ),
        fc.nat(1000),
        (changes, seed) => {
          const pair = up({}, {}, seed);
          for (const [side, interval, wait] of changes) {
            pair[side].setSessions([spec(side === "a" ? "192.0.2.2" : "192.0.2.1", { timers: timers(interval) })]);
            pair.clock.run(wait * ms);
          }
          pair.clock.run(10 * second);
          expect([pair.status("a").flaps, pair.status("b").flaps]).toEqual([0, 0]);
          expect([pair.status("a").state, pair.status("b").state]).toEqual(["Up", "Up"]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("RFC 5880 §6.8.6 what the session itself discards", () => {
  const from = (pair: Pair, changes: Partial<ControlPacket>): void => {
    const last = pair.sent.findLast((entry) => entry.from === "a");
    if (last === undefined) throw new TypeError("a sent nothing");
    pair.b.receive(encodePacket({ ...last.packet, poll: false, ...changes }), "192.0.2.1", undefined, false);
  };

  const packetOf = (pair: Pair): ControlPacket => {
    const last = pair.sent.at(-1);
    if (last === undefined) throw new TypeError("nothing was sent");
    return last.packet;
  };

  test("demand mode is refused: the session does not follow, and says why", () => {
    const pair = up();
    from(pair, { demand: true, state: "Down" });
    expect(pair.status("b")).toMatchObject({
      state: "Up",
      discarded: 1,
      lastDiscard: "the peer asks for demand mode, which is not supported",
    });
  });

  test("someone else's discriminator, or the right one from another address, is nobody's", () => {
    const pair = up();
    const before = pair.b.discards;
    from(pair, { yourDiscriminator: 12345, state: "Down" });
    const own = pair.sent.findLast((entry) => entry.from === "a")?.packet as ControlPacket;
    pair.b.receive(encodePacket({ ...own, state: "Down" }), "192.0.2.66", undefined, false);
    pair.b.receive(encodePacket({ ...own, state: "Down" }), "192.0.2.1", undefined, false);
    expect(pair.b.discards).toBe(before + 2);
    expect(pair.status("b").state).toBe("Down"); // only the last one counted
  });

  test("RFC 5881 §5: what came to the multihop port is nothing to a single-hop session, and the other way round", () => {
    for (const multihop of [false, true]) {
      const pair = new Pair();
      pair.multihop = multihop;
      pair.start({ multihop }, { multihop });
      pair.clock.run(5 * second);
      expect(pair.status("b").state).toBe("Up");
      const own = pair.sent.findLast((entry) => entry.from === "a")?.packet as ControlPacket;
      for (const yourDiscriminator of [own.yourDiscriminator, 0])
        pair.b.receive(
          encodePacket({ ...own, state: "AdminDown", yourDiscriminator }),
          "192.0.2.1",
          undefined,
          !multihop,
        );
      expect([pair.status("b").state, pair.b.discards]).toEqual(["Up", 2]);
    }
  });

  test("a first packet belongs to the session with its peer from the address that it came to", () => {
    const pair = new Pair();
    const [one, other] = [
      spec("192.0.2.1", { name: "one", local: "192.0.2.2" }),
      spec("192.0.2.1", { name: "other", local: "198.51.100.2" }),
    ];
    pair.b.setSessions([one, other]);
    const hello = { ...packetOf(pair), yourDiscriminator: 0, state: "Down" } as const;
    pair.b.receive(encodePacket(hello), "192.0.2.1", "198.51.100.2", false);
    expect(pair.b.statuses().map(({ name, state }) => [name, state])).toEqual([
      ["one", "Down"],
      ["other", "Init"],
    ]);
    pair.b.receive(encodePacket(hello), "192.0.2.1", "203.0.113.2", false);
    expect(pair.b.discards).toBe(1);
  });

  test("passive: silent until it has heard the peer", () => {
    const pair = new Pair();
    pair.start({ passive: true }, { passive: true });
    pair.clock.run(10 * second);
    expect(pair.sent).toEqual([]);
    pair.a.setSessions([spec("192.0.2.2")]);
    pair.clock.run(5 * second);
    expect(pair.status("b").state).toBe("Up");
  });
});

test("a lossy wire within the multiplier never flaps, and any wire ends Up when it heals", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.boolean(), fc.integer({ min: 1, max: 4000 })), { maxLength: 10 }),
      fc.nat(1000),
      (phases, seed) => {
        const pair = new Pair(seed);
        pair.start();
        for (const [a, b, wait] of phases) {
          pair.connected = { a, b };
          pair.clock.run(wait * ms);
        }
        pair.connected = { a: true, b: true };
        pair.clock.run(10 * second);
        expect([pair.status("a").state, pair.status("b").state]).toEqual(["Up", "Up"]);
      },
    ),
    { numRuns: 60 },
  );
});
