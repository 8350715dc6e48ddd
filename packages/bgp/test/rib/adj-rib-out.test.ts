import { Address, Prefix } from "@trivet/ip";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  INITIAL_CONTEXT,
  type Message,
  MessageReader,
  type Route,
  type RouteAttributes,
  RouteError,
  type UpdateMessage,
  type WireContext,
} from "@trivet/bgp";
import { AdjRibIn } from "../../src/rib/adj-rib-in.ts";
import { AdjRibOut } from "../../src/rib/adj-rib-out.ts";
import type { Profile } from "../../src/rib/render.ts";
import { Sender } from "../../src/rib/sender.ts";

const CONTEXT: WireContext = { ...INITIAL_CONTEXT, fourOctetAs: true, families: [4, 6] };
const PROFILE: Profile = {
  context: CONTEXT,
  localAsn: 65001,
  self: Address.parse("192.0.2.1"),
  draining: false,
  onlyToCustomer: false,
};
const HOP = { 4: Address.parse("192.0.2.7"), 6: Address.parse("2001:db8::7") };

/** A peer that reads what it is sent, or for a while does not. */
class Reader {
  readonly rib = new AdjRibIn();
  readonly messages: Message[] = [];
  readonly chunks: Uint8Array[] = [];
  reads = true;
  readonly sender: Sender;
  readonly #reader = new MessageReader();
  #unread: Uint8Array[] = [];

  constructor(
    options: { families?: (4 | 6)[]; holdEndOfRib?: boolean; context?: WireContext; enhanced?: boolean } = {},
  ) {
    this.#reader.context = options.context ?? CONTEXT;
    this.sender = new Sender(
      {
        write: (chunks) => {
          if (this.reads) this.#take(chunks);
          else this.#unread.push(...chunks);
          return this.reads;
        },
      },
      {
        families: options.families ?? [4, 6],
        enhancedRefresh: options.enhanced ?? false,
        holdEndOfRib: options.holdEndOfRib ?? false,
        endOfRibSent: () => undefined,
      },
    );
  }

  resume(): void {
    this.reads = true;
    this.#take(this.#unread.splice(0));
    this.sender.drained();
  }

  get updates(): UpdateMessage[] {
    return this.messages.filter(
      (message) => message.kind === "update" && message.endOfRib === undefined,
    ) as UpdateMessage[];
  }

  /** Forgets the messages, not the routes. */
  forget(): void {
    this.messages.length = 0;
    this.chunks.length = 0;
  }

  view(): Record<string, string> {
    const entries = [...this.rib.routes()].map(({ prefix, nextHop, attributes }) => [
      prefix.toString(),
      `${nextHop.toString()} med ${attributes.med ?? "-"} ${(attributes.communities ?? []).join(" ")}`,
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  }

  #take(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.chunks.push(chunk);
      this.#reader.push(Uint8Array.from(chunk));
      for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
        this.messages.push(message);
        if (message.kind === "update") this.rib.apply(message);
      }
    }
  }
}

function route(prefix: string, attributes?: RouteAttributes): Route {
  const parsed = Prefix.parse(prefix);
  return { prefix: parsed, nextHop: HOP[parsed.family], ...(attributes === undefined ? {} : { attributes }) };
}

function ribWith(...routes: Route[]): AdjRibOut {
  const rib = new AdjRibOut(() => undefined);
  rib.replace(routes);
  rib.flush();
  return rib;
}

function join(rib: AdjRibOut, reader = new Reader(), profile = PROFILE): Reader {
  rib.join(reader.sender, undefined, profile);
  return reader;
}

describe("Adj-RIB-Out: the least is sent", () => {
  test("a new peer gets every route once, then End-of-RIB of each family", () => {
    const reader = join(ribWith(route("10.0.0.0/8"), route("10.1.0.0/16"), route("2001:db8::/32")));
    expect(reader.updates).toHaveLength(2);
    expect(reader.messages.slice(-2).map((message) => message.kind === "update" && message.endOfRib)).toEqual([
      { afi: 1, safi: 1 },
      { afi: 2, safi: 1 },
    ]);
    expect(Object.keys(reader.view()).toSorted()).toEqual(["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]);
  });

  test("the same set again sends nothing, in whatever order and with attributes that mean the same", () => {
    const rib = ribWith(route("10.0.0.0/8", { communities: [1, 2] }), route("10.1.0.0/16"));
    const reader = join(rib);
    reader.forget();
    rib.replace([route("10.1.0.0/16", {}), route("10.0.0.0/8", { origin: "igp", communities: [2, 1], prepend: 0 })]);
    rib.flush();
    expect(reader.messages).toEqual([]);
  });

  test("what changes and changes back before it is sent costs nothing", () => {
    const rib = ribWith(route("10.0.0.0/8"));
    const reader = join(rib);
    reader.forget();
    rib.change({ withdraw: [Prefix.parse("10.0.0.0/8")] });
    rib.change({ announce: [route("10.0.0.0/8"), route("10.9.0.0/16")] });
    rib.change({ withdraw: [Prefix.parse("10.9.0.0/16")] });
    rib.flush();
    expect(reader.messages).toEqual([]);
  });

  test("what differs only in what the peer is not told is not sent: local preference to another AS", () => {
    const rib = ribWith(route("10.0.0.0/8", { localPref: 10 }));
    const reader = join(rib);
    reader.forget();
    rib.change({ announce: [route("10.0.0.0/8", { localPref: 20 })] });
    rib.flush();
    expect(reader.messages).toEqual([]);
  });

  test("withdrawals go first, and routes with equal attributes share an UPDATE", () => {
    const rib = ribWith(route("10.0.0.0/8"), route("10.1.0.0/16"));
    const reader = join(rib);
    reader.forget();
    rib.replace([route("10.2.0.0/16", { med: 5 }), route("10.3.0.0/16", { med: 5 })]);
    rib.flush();
    expect(
      reader.updates.map(({ withdrawn, announced }) => [withdrawn.length, announced[0]?.prefixes.length ?? 0]),
    ).toEqual([
      [2, 0],
      [0, 2],
    ]);
  });

  test("peers with equal profiles are sent the same buffers", () => {
    const rib = ribWith(route("10.0.0.0/8"), route("2001:db8::/32"));
    const [a, b] = [join(rib), join(rib)];
    rib.change({ announce: [route("10.1.0.0/16")] });
    rib.flush();
    const routes = a.chunks.filter((chunk) => chunk.length > 40);
    expect(routes.length).toBeGreaterThanOrEqual(3);
    for (const chunk of routes) expect(b.chunks).toContain(chunk);
  });

  test("100,000 routes go in the fewest messages that hold them", () => {
    const rib = new AdjRibOut(() => undefined);
    rib.replace(manyRoutes(100_000));
    rib.flush();
    const reader = join(rib);
    // Header, two lengths, ORIGIN, AS_PATH of one AS, NEXT_HOP: 43 octets; a /32 has 5.
    const perMessage = Math.floor((4096 - 43 - 1) / 5);
    expect(reader.updates).toHaveLength(Math.ceil(100_000 / perMessage));
    expect(reader.rib.count()[4]).toBe(100_000);
  });

  test("of a faulty set, the good routes before the fault are taken and nothing is withdrawn", () => {
    const rib = ribWith(route("10.0.0.0/8"));
    const reader = join(rib);
    const faulty = { prefix: Prefix.parse("2001:db8::/32"), nextHop: HOP[4] };
    expect(() => rib.replace([route("10.1.0.0/16"), faulty])).toThrow(RouteError);
    rib.flush();
    expect(Object.keys(reader.view()).toSorted()).toEqual(["10.0.0.0/8", "10.1.0.0/16"]);
  });
});

function* manyRoutes(count: number): Generator<Route> {
  for (let i = 0; i < count; i++)
    yield { prefix: Prefix.host(Address.fromBigInt(4, 0x0a000000n + BigInt(i))), nextHop: HOP[4] };
}

describe("Adj-RIB-Out: per peer", () => {
  test("IPv4 with an IPv6 next hop only goes where RFC 8950 was agreed on, and is counted elsewhere", () => {
    const rib = ribWith({ prefix: Prefix.parse("10.0.0.0/8"), nextHop: HOP[6] }, route("10.1.0.0/16"));
    const without = join(rib);
    expect(Object.keys(without.view())).toEqual(["10.1.0.0/16"]);
    expect(without.sender.group?.count()).toEqual({ told: { 4: 1, 6: 0 }, untold: { 4: 1, 6: 0 } });
    const context = { ...CONTEXT, extendedNextHop: true };
    const withIt = join(rib, new Reader({ context }), { ...PROFILE, context });
    expect(Object.keys(withIt.view()).toSorted()).toEqual(["10.0.0.0/8", "10.1.0.0/16"]);
  });

  test("a route with more attributes than any message or field holds is not told, and keeps no other from it", () => {
    const rib = ribWith();
    const reader = join(rib);
    // Of 4 octets each: more than a message, and more than the length of an attribute can say.
    for (const count of [1_000, 17_000]) {
      const communities = Array.from({ length: count }, (_, i) => i);
      rib.replace([route("203.0.113.5/32", { communities }), route("203.0.113.6/32")]);
      rib.flush();
      expect(Object.keys(reader.view())).toEqual(["203.0.113.6/32"]);
    }
  });

  test("a route that cannot be told any more is withdrawn", () => {
    const rib = ribWith(route("10.0.0.0/8"));
    const reader = join(rib);
    rib.change({ announce: [{ prefix: Prefix.parse("10.0.0.0/8"), nextHop: HOP[6] }] });
    rib.flush();
    expect(reader.view()).toEqual({});
  });

  test("within an AS there is a local preference and no AS of ours; to another AS it is the other way round", () => {
    const rib = ribWith(route("10.0.0.0/8", { localPref: 300, prepend: 2, asPath: [65010] }));
    const outside = join(rib).updates[0]?.attributes;
    expect(outside).toMatchObject({ asPath: [{ kind: "sequence", asns: [65001, 65001, 65001, 65010] }] });
    expect(outside?.localPref).toBeUndefined();
    const context = { ...CONTEXT, peering: "internal" } as const;
    const inside = join(rib, new Reader({ context }), { ...PROFILE, context }).updates[0]?.attributes;
    expect(inside).toMatchObject({ localPref: 300, asPath: [{ kind: "sequence", asns: [65010] }] });
  });

  test("an export policy has its own view, for routes before and after the peer came", () => {
    const rib = ribWith(route("10.0.0.0/8"), route("10.1.0.0/16"));
    const plain = join(rib);
    const filtered = new Reader();
    const policy = (r: Route): Route | undefined =>
      r.prefix.length > 8 ? { ...r, attributes: { med: 7 } } : undefined;
    rib.join(filtered.sender, policy, PROFILE);
    rib.change({ announce: [route("10.2.0.0/16"), route("11.0.0.0/8")] });
    rib.flush();
    expect(filtered.view()).toEqual({ "10.1.0.0/16": "192.0.2.7 med 7 ", "10.2.0.0/16": "192.0.2.7 med 7 " });
    expect(Object.keys(plain.view())).toHaveLength(4);
  });

  test("moving to another profile sends the difference: RFC 8326 adds the community to all routes", () => {
    const rib = ribWith(route("10.0.0.0/8"), route("2001:db8::/32"));
    const reader = join(rib);
    reader.forget();
    rib.join(reader.sender, undefined, { ...PROFILE, draining: true });
    expect(reader.updates).toHaveLength(2);
    expect(reader.view()["10.0.0.0/8"]).toBe("192.0.2.7 med - 4294901760");
    rib.join(reader.sender, undefined, PROFILE);
    expect(reader.view()["10.0.0.0/8"]).toBe("192.0.2.7 med - ");
  });

  test("RFC 9234 §5: OTC is added where the peer must not pass routes up", () => {
    const reader = join(ribWith(route("10.0.0.0/8")), new Reader(), { ...PROFILE, onlyToCustomer: true });
    expect(reader.updates[0]?.attributes?.onlyToCustomer).toBe(65001);
  });
});

describe("RFC 2918 route refresh, RFC 7313 enhanced", () => {
  test("a refresh repeats the family's routes", () => {
    const reader = join(ribWith(route("10.0.0.0/8"), route("2001:db8::/32")));
    reader.forget();
    reader.sender.refresh(6);
    expect(reader.updates.map(({ announced }) => announced[0]?.prefixes.map(String))).toEqual([["2001:db8::/32"]]);
  });

  test("enhanced, between BoRR and EoRR", () => {
    const reader = join(ribWith(route("10.0.0.0/8")), new Reader({ enhanced: true }));
    reader.forget();
    reader.sender.refresh(4);
    expect(
      reader.messages.map((message) => (message.kind === "route-refresh" ? message.subtype : message.kind)),
    ).toEqual([1, "update", 2]);
  });
});

describe("RFC 4724 End-of-RIB", () => {
  test("is held until released", () => {
    const reader = join(ribWith(route("10.0.0.0/8")), new Reader({ holdEndOfRib: true }));
    expect(reader.messages).toHaveLength(1);
    reader.sender.releaseEndOfRib();
    expect(reader.messages).toHaveLength(3);
  });
});

describe("a peer that does not read", () => {
  test("is told the outcome, not the history", () => {
    const rib = ribWith(route("10.0.0.0/8"), route("10.1.0.0/16"), route("10.2.0.0/16"));
    const [fast, slow] = [join(rib), join(rib)];
    slow.reads = false;
    for (let med = 0; med < 50; med++) {
      rib.change({ announce: [route("10.0.0.0/8", { med })] });
      rib.change(
        med % 2 ? { withdraw: [Prefix.parse("10.1.0.0/16")] } : { announce: [route("10.1.0.0/16", { med: 1 })] },
      );
      rib.change(med % 2 ? { announce: [route("10.2.0.0/16")] } : { withdraw: [Prefix.parse("10.2.0.0/16")] });
      rib.flush();
    }
    slow.forget();
    slow.resume();
    expect(slow.view()).toEqual(fast.view());
    // The first batch was under way; of the rest, one UPDATE for 10.0.0.0/8 and one that withdraws 10.1.0.0/16 and 10.2.0.0/16 remain.
    expect(slow.updates.length).toBeLessThanOrEqual(6);
  });
});

describe("property: whatever is announced, changed, read slowly or moved, every peer ends with the wanted set", () => {
  const prefixes = [...Array(12).keys()].map((i) =>
    i % 3 === 0 ? `2001:db8:${i + 1}::/48` : `10.${i}.0.0/${i % 2 ? 16 : 24}`,
  );
  const anyRoute = fc
    .record({ prefix: fc.constantFrom(...prefixes), med: fc.nat(2), shutdown: fc.boolean() })
    .map(({ prefix, med, shutdown }) => route(prefix, { med, ...(shutdown ? { communities: [7] } : {}) }));
  const step = fc.oneof(
    fc.record({ do: fc.constant("replace" as const), routes: fc.array(anyRoute, { maxLength: 12 }) }),
    fc.record({
      do: fc.constant("change" as const),
      announce: fc.array(anyRoute, { maxLength: 4 }),
      withdraw: fc.array(fc.constantFrom(...prefixes), { maxLength: 4 }),
    }),
    fc.record({
      do: fc.constantFrom("flush" as const, "stall" as const, "resume" as const, "drain" as const, "undrain" as const),
    }),
    fc.record({ do: fc.constant("join" as const) }),
  );

  test("and a peer in step is sent each prefix at most once a flush, and only if it changed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const rib = new AdjRibOut(() => undefined);
        const wanted = new Map<string, Route>();
        const watched = join(rib);
        const readers = [join(rib)];
        let draining = false;
        const flush = (): void => {
          const before = watched.view();
          watched.forget();
          rib.flush();
          const named = watched.updates.flatMap((update) => [
            ...update.withdrawn.map(String),
            ...update.announced.flatMap(({ prefixes: told }) => told.map(String)),
          ]);
          const after = watched.view();
          expect(named.toSorted()).toEqual(
            [...new Set([...Object.keys(before), ...Object.keys(after)])]
              .filter((prefix) => before[prefix] !== after[prefix])
              .toSorted(),
          );
        };
        for (const action of steps) {
          if (action.do === "replace") {
            rib.replace(action.routes);
            wanted.clear();
            for (const r of action.routes) wanted.set(r.prefix.toString(), r);
          } else if (action.do === "change") {
            rib.change({ announce: action.announce, withdraw: action.withdraw.map((text) => Prefix.parse(text)) });
            for (const prefix of action.withdraw) wanted.delete(prefix);
            for (const r of action.announce) wanted.set(r.prefix.toString(), r);
          } else if (action.do === "flush") flush();
          else if (action.do === "stall") for (const reader of readers) reader.reads = false;
          else if (action.do === "resume") for (const reader of readers) reader.resume();
          else if (action.do === "join") readers.push(join(rib, new Reader(), { ...PROFILE, draining }));
          else {
            draining = action.do === "drain";
            flush();
            for (const reader of readers) rib.join(reader.sender, undefined, { ...PROFILE, draining });
          }
        }
        flush();
        for (const reader of readers) reader.resume();
        const view = (extra: readonly number[]): Record<string, string> =>
          Object.fromEntries(
            [...wanted].map(([prefix, { nextHop, attributes }]) => [
              prefix,
              `${nextHop?.toString()} med ${attributes?.med} ${[...(attributes?.communities ?? []), ...extra].join(" ")}`,
            ]),
          );
        expect(watched.view()).toEqual(view([]));
        for (const reader of readers) expect(reader.view()).toEqual(view(draining ? [0xffff0000] : []));
      }),
      { numRuns: 300 },
    );
  });
});
