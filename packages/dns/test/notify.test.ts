import { beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../src/clock.ts";
import { Notifier, type NotifyState, type NotifyTarget } from "../src/transfer/notify.ts";
import { TsigKey } from "../src/tsig/key.ts";
import { ResponseSigner, keyring, verifyQuery } from "../src/tsig/tsig.ts";
import { findSignature } from "../src/tsig/signature.ts";
import { decodeMessage } from "../src/wire/message.ts";
import { Name } from "../src/wire/name.ts";
import { recordText } from "../src/wire/record.ts";
import type { Zone } from "../src/zone/zone.ts";
import { zoneOf } from "./support.ts";

/** Time that goes only when told. */
class SimulatedClock implements Clock {
  #now = 1_700_000_000_000;
  #timers: { at: number; call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = { at: this.#now + milliseconds, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = next.at;
      next.call();
    }
    this.#now = end;
  }

  get timers(): number {
    return this.#timers.length;
  }
}

const version = (serial: number, origin = "example."): Zone =>
  zoneOf(origin, `@ 60 IN SOA ns admin ${serial} 2 3 4 5\n@ 60 NS ns\n`);
const A: NotifyTarget = { address: "192.0.2.1", port: 53 };
const B: NotifyTarget = { address: "192.0.2.2", port: 53 };
/** The secondary's answer: the message with QR set and an RCODE. */
const answerTo = (message: Uint8Array, rcode = 0): Uint8Array =>
  message.with(2, (message[2] ?? 0) | 0x80).with(3, rcode);

describe("RFC 1996: NOTIFY", () => {
  let clock: SimulatedClock;
  let sent: { at: number; to: string; message: Uint8Array }[];
  let states: NotifyState[];
  let start: number;
  const make = (...targets: NotifyTarget[]): Notifier =>
    new Notifier({
      targets,
      clock,
      send: (target, message) => sent.push({ at: clock.now() - start, to: target.address, message }),
      randomId: () => 1000 + sent.length,
      onState: (state) => states.push(state),
    });
  const last = (): Uint8Array => sent.at(-1)?.message ?? new Uint8Array();

  beforeEach(() => {
    clock = new SimulatedClock();
    start = clock.now();
    sent = [];
    states = [];
  });

  test("each secondary is told at once, with the new SOA record (§3.7)", () => {
    make(A, B).changed(version(5));
    expect(sent.map(({ at, to }) => [at, to])).toEqual([
      [0, "192.0.2.1"],
      [0, "192.0.2.2"],
    ]);
    const message = decodeMessage(last());
    expect(message).toMatchObject({ opcode: 4, flags: 0x0400 });
    expect(message.questions[0]).toMatchObject({ type: 6 });
    expect(message.answers.map(recordText)).toEqual(["example. 60 IN SOA ns.example. admin.example. 5 2 3 4 5"]);
  });

  test("an acknowledged one is not repeated", () => {
    const notifier = make(A);
    notifier.changed(version(5));
    notifier.receive(A, answerTo(last()));
    expect(states).toMatchObject([
      { zone: "example.", target: "192.0.2.1:53", serial: 5, state: "acknowledged", attempts: 1 },
    ]);
    clock.pass(1_000_000);
    expect(sent).toHaveLength(1);
  });

  test("without an answer it is repeated after 1, 2, 4 … s, seven times in all, and then given up (§3.6)", () => {
    const notifier = make(A);
    notifier.changed(version(5));
    clock.pass(1_000_000);
    expect(sent.map(({ at }) => at / 1000)).toEqual([0, 1, 3, 7, 15, 31, 63]);
    expect(notifier.states).toMatchObject([{ state: "failed", problem: "did not answer", attempts: 7 }]);
    expect(clock.timers).toBe(0);
  });

  test("an error is an answer too", () => {
    const notifier = make(A);
    notifier.changed(version(5));
    notifier.receive(A, answerTo(last(), 5));
    expect(states).toMatchObject([{ state: "failed", problem: "answered REFUSED" }]);
  });

  test("a newer serial takes the place of the one that is pending; the old one's answer counts for nothing", () => {
    const notifier = make(A);
    notifier.changed(version(5));
    const old = last();
    clock.pass(500);
    notifier.changed(version(6));
    notifier.receive(A, answerTo(old));
    expect(notifier.states).toMatchObject([{ serial: 6, state: "pending" }]);
    clock.pass(1_000_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500, 63_500]);
  });

  test("many changes at once are told ten times a second at most, the last one always", () => {
    const notifier = make(A);
    for (let serial = 1; serial <= 50; serial++) {
      notifier.changed(version(serial));
      clock.pass(10);
    }
    clock.pass(200);
    const told = sent.filter(({ at }) => at <= 700);
    expect(told.length).toBeLessThanOrEqual(7);
    expect(decodeMessage(told.at(-1)?.message ?? last()).answers.map(recordText)[0]).toContain(" 50 2 3");
  });

  test.each([
    ["another id", (m: Uint8Array) => answerTo(m).with(1, 0xff)],
    ["no answer", (m: Uint8Array) => m],
    ["another opcode", (m: Uint8Array) => answerTo(m).with(2, 0x84)],
    ["no message", () => Uint8Array.of(1, 2, 3)],
  ])("%s is ignored", (_, spoil) => {
    const notifier = make(A);
    notifier.changed(version(5));
    notifier.receive(A, spoil(last()));
    expect(notifier.states).toMatchObject([{ state: "pending" }]);
  });

  test("an answer from another secondary is ignored", () => {
    const notifier = make(A, B);
    notifier.changed(version(5));
    const toA = sent[0]?.message ?? last();
    notifier.receive(B, answerTo(toA));
    expect(notifier.states.map(({ state }) => state)).toEqual(["pending", "pending"]);
  });

  test("only the zones a secondary is for; a zone that goes is not told any more", () => {
    const notifier = make({ ...A, zones: [Name.parse("example.")] });
    notifier.changed(version(1, "other."));
    expect(sent).toHaveLength(0);
    notifier.changed(version(1));
    notifier.removed(Name.parse("example."));
    clock.pass(10_000);
    expect(sent).toHaveLength(1);
    expect(notifier.states).toEqual([]);
  });

  test("stop ends everything", () => {
    const notifier = make(A, B);
    notifier.changed(version(1));
    notifier.stop();
    expect(clock.timers).toBe(0);
  });

  test("with a key it is signed, and the answer must be (RFC 8945)", () => {
    const key = new TsigKey("k.", "hmac-sha256", "c2VjcmV0");
    const target = { ...A, key };
    const notifier = make(target);
    notifier.changed(version(5));
    const query = last();
    const at = findSignature(query) ?? 0;
    const verified = verifyQuery(query, at, keyring([key]), clock.now() / 1000);
    if ("error" in verified) throw new TypeError("not signed well");
    const plain = answerTo(query.slice(0, at)).with(11, 0);
    notifier.receive(target, plain);
    expect(notifier.states).toMatchObject([{ state: "pending" }]);
    notifier.receive(target, new ResponseSigner(verified).sign(plain, clock.now() / 1000));
    expect(notifier.states).toMatchObject([{ state: "acknowledged" }]);
  });
});
