import { describe, expect, test } from "vitest";
import {
  type Message,
  type OpenMessage,
  type UpdateMessage,
  encodeMessage,
  formatCommunity,
  shutdownText,
  unwrapHardReset,
} from "../../src/wire/index.ts";
import { readAll } from "./bytes.ts";
import { recordings } from "./fixtures.ts";

const title = recordings.map((recording) => [`${recording.speaker}, ${recording.session}`, recording] as const);
const updates = (messages: readonly Message[]): UpdateMessage[] =>
  messages.filter(({ kind }) => kind === "update") as UpdateMessage[];

describe.each(title)("what a real speaker sends: %s", (_, { session, context, messages: bytes }) => {
  const messages = readAll(Buffer.concat(bytes), context);
  const [open] = messages as [OpenMessage];

  test("is read without a fault", () => {
    expect(messages.length).toBe(bytes.length);
    expect(updates(messages).flatMap(({ problems = [] }) => problems)).toEqual([]);
  });

  test("begins with an OPEN of AS 4200000001", () => {
    expect(open).toMatchObject({ kind: "open", asn: 4200000001, identifier: { family: 4 } });
    expect(open.capabilities).toContainEqual({ kind: "route-refresh" });
    expect(open.capabilities).toContainEqual({ kind: "four-octet-as", asn: 4200000001 });
  });

  test("announces the route with all its attributes", () => {
    const rich = updates(messages).find(({ announced }) =>
      announced.some(({ prefixes }) => prefixes.some((prefix) => prefix.toString() === "203.0.113.0/24")),
    )?.attributes;
    expect(rich).toMatchObject({ origin: "incomplete", largeCommunities: [[4200000001, 1, 2]] });
    expect(rich?.extendedCommunities).toEqual([0x0002fbf400000001n]);
    expect(rich?.communities?.map(formatCommunity)).toContain("graceful-shutdown");
    const asns = rich?.asPath.flatMap((segment) => segment.asns) ?? [];
    expect(asns).toContain(4200000009); // also where the session has two octets: it came in AS4_PATH
    expect(rich?.localPref).toBe(session === "internal" ? 300 : undefined);
  });

  test("ends with why", () => {
    const last = messages.at(-1);
    if (last?.kind !== "notification") throw new Error("the last message is no NOTIFICATION");
    const inner = unwrapHardReset(last) ?? last; // FRR resets hard where the N bit was exchanged (RFC 8538 §3)
    expect(inner).toMatchObject({ code: 6, subcode: 2 });
    expect(shutdownText(inner)).toMatch(/^maintenance until 14:00/);
  });

  test("means the same when written by this library", () => {
    const sending = { ...context, maxSend: 65535 };
    for (const message of messages) {
      if (message.kind === "update" && message.announced.length + Math.sign(message.withdrawn.length) > 1) continue;
      expect(readAll(encodeMessage(message, sending), context)).toEqual([message]);
    }
  });
});

const subtypes = (messages: readonly Message[]): number[] =>
  messages.flatMap((message) => (message.kind === "route-refresh" ? [message.subtype] : []));

describe("each speaker's own ways", () => {
  const of = (speaker: string): Message[] =>
    recordings
      .filter((recording) => recording.speaker === speaker)
      .flatMap(({ messages, context }) => readAll(Buffer.concat(messages), context));

  test("FRR has a role, End-of-RIB for both families, begin and end of a refresh, and an aggregate with a set", () => {
    const messages = of("frr");
    expect(messages[0]).toMatchObject({
      capabilities: expect.arrayContaining([{ kind: "role", role: "provider" }]) as unknown,
    });
    expect(messages.filter((m) => m.kind === "update" && m.endOfRib?.afi === 1)).not.toEqual([]);
    expect(messages.filter((m) => m.kind === "update" && m.endOfRib?.afi === 2)).not.toEqual([]);
    expect(subtypes(messages)).toEqual([1, 2, 1, 2]);
    expect(updates(messages).find(({ attributes }) => attributes?.aggregator !== undefined)?.attributes).toMatchObject({
      aggregator: { asn: 4200000001 },
    });
  });

  test("BIRD sends IPv4 in MP_REACH_NLRI where next hops may be IPv6, link-local next hops, and asks for a refresh", () => {
    const messages = of("bird");
    expect(subtypes(messages)).toContain(0);
    const announced = updates(messages).flatMap((update) => update.announced);
    expect(announced.map(({ nextHop }) => nextHop.linkLocal?.isLinkLocal)).toContain(true);
    expect(announced.map(({ nextHop }) => nextHop.address.family)).toEqual(expect.arrayContaining([4, 6]));
  });

  test("GoBGP has the N bit, reflects with a cluster list, and sends AIGP, not known here and not transitive", () => {
    const messages = of("gobgp");
    expect(messages[0]).toMatchObject({
      capabilities: expect.arrayContaining([
        expect.objectContaining({ kind: "graceful-restart", restartTime: 120 }),
      ]) as unknown,
    });
    expect(updates(messages).map(({ attributes }) => attributes?.clusterList?.join())).toContain("192.0.2.9");
    expect(updates(messages).flatMap(({ attributes }) => attributes?.unknown ?? [])).toEqual([]);
  });
});
