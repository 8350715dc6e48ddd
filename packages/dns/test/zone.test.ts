import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZoneError } from "../src/error.ts";
import { Name } from "../src/wire/name.ts";
import { type ResourceRecord, record, recordText } from "../src/wire/record.ts";
import { packZone, unpackZone } from "../src/zone/archive.ts";
import { decodeRecords, encodeRecords } from "../src/zone/blob.ts";
import { difference, isEmpty } from "../src/zone/difference.ts";
import { ZoneStore } from "../src/zone/store.ts";
import { Zone } from "../src/zone/zone.ts";

const ORIGIN = Name.parse("example.");
const soa = (serial: number): ResourceRecord =>
  record(ORIGIN, 3600, "SOA", `ns.example. admin.example. ${serial} 3600 900 604800 300`);
const NS = record(ORIGIN, 3600, "NS", "ns.example.");

function build(serial: number, ...records: ResourceRecord[]): Zone {
  return Zone.build(ORIGIN, [soa(serial), NS, ...records]);
}

function texts(zone: Zone): string[] {
  return [zone.soaRecord, ...zone.records()].map(recordText).sort();
}

describe("zones built from records", () => {
  test.each([
    [
      "a record outside",
      [soa(1), NS, record("example.org.", 60, "A", "192.0.2.1")],
      "example.org. is outside the zone",
    ],
    ["no SOA record", [NS], "no SOA record"],
    ["two SOA records", [soa(1), soa(2), NS], "has 2 SOA records"],
    [
      "a SOA record below the top",
      [soa(1), NS, { ...soa(1), name: Name.parse("a.example.") }],
      "belongs at the top only",
    ],
    ["no name server", [soa(1)], "no NS record"],
    [
      "a CNAME beside other data",
      [soa(1), NS, record("a.example.", 60, "CNAME", "b.example."), record("a.example.", 60, "A", "192.0.2.1")],
      "a.example. has a CNAME and other records",
    ],
    [
      "two CNAMEs",
      [soa(1), NS, record("a.example.", 60, "CNAME", "b.example."), record("a.example.", 60, "CNAME", "c.example.")],
      "has 2 CNAME records",
    ],
    ["a record for messages only", [soa(1), NS, { ...NS, type: 255 }], "for messages only"],
    ["a TTL over 2^31", [soa(1), NS, { ...NS, ttl: 2 ** 31 }], "TTL outside"],
    [
      "a record no message holds",
      [soa(1), NS, { ...NS, type: 65280, rdata: new Uint8Array(65_000) }],
      "more than 64000 octets",
    ],
  ])("with %s there is no zone", (_, records, problem) => {
    expect(() => Zone.build(ORIGIN, records)).toThrow(ZoneError);
    expect(() => Zone.build(ORIGIN, records)).toThrow(problem);
  });

  test("all problems are reported at once", () => {
    const bad = [record("a.test.", 60, "A", "192.0.2.1"), record("b.test.", 60, "A", "192.0.2.1")];
    expect(() => Zone.build(ORIGIN, bad)).toThrow(
      expect.objectContaining({ problems: expect.objectContaining({ length: 4 }) }),
    );
  });

  test("repeated records count once, names in their data without regard to case; one TTL a set, the lowest (RFC 2181 §5)", () => {
    const zone = build(
      1,
      record("a.example.", 60, "MX", "1 m.example."),
      record("A.example.", 30, "MX", "1 M.EXAMPLE."),
    );
    expect(texts(zone).filter((text) => text.includes("MX"))).toEqual(["a.example. 30 IN MX 1 m.example."]);
  });
});

const label = fc.constantFrom("a", "b", "c", "*");
const owner = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => `${labels.join(".")}.example.`);
const anyRecord = fc
  .tuple(
    owner,
    fc.constantFrom(60, 300),
    fc.constantFrom(["A", "192.0.2.1"], ["A", "192.0.2.2"], ["TXT", "x"], ["NS", "n."], ["DNAME", "d."]),
  )
  .map(([name, ttl, [type = "", data = ""]]) => record(name, ttl, type, data));
const anyRecords = fc.array(anyRecord, { maxLength: 12 });

describe("changes", () => {
  test("applying the difference of two zones to one gives the other, node by node", () => {
    fc.assert(
      fc.property(anyRecords, anyRecords, (before, after) => {
        const [old, fresh] = [build(1, ...before), build(2, ...after)];
        const changed = old.apply(difference(old, fresh));
        expect(texts(changed)).toEqual(texts(fresh));
        expect([...changed.occluders.keys()].sort()).toEqual([...fresh.occluders.keys()].sort());
        const children = (zone: Zone): unknown[] =>
          [...zone.nodes.values()].map(({ name, children: count }) => `${name.key} ${count}`).sort();
        expect(children(changed)).toEqual(children(fresh));
        expect(isEmpty(difference(changed, fresh))).toBe(true);
      }),
    );
  });

  test("a change leaves the zone before as it was", () => {
    fc.assert(
      fc.property(anyRecords, anyRecords, (before, after) => {
        const [old, fresh] = [build(1, ...before), build(2, ...after)];
        const text = texts(old);
        old.apply(difference(old, fresh));
        expect(texts(old)).toEqual(text);
      }),
    );
  });

  test("empty non-terminals come and go with what is below them (RFC 4592 §2.2.2)", () => {
    const zone = build(1, record("a.b.c.example.", 60, "A", "192.0.2.1"));
    expect(zone.nodes.has(Name.parse("b.c.example.").key)).toBe(true);
    const without = zone.apply(difference(zone, build(2)));
    expect([...without.nodes.values()].map(({ name }) => name.key)).toEqual([ORIGIN.key]);
    expect(without.nodes.size).toBe(1);
  });

  test("a difference that does not fit is refused and names the record", () => {
    const a = build(1, record("a.example.", 60, "A", "192.0.2.1"));
    const b = build(2);
    expect(() => b.apply(difference(a, b))).toThrow(/no record `.*` to remove/);
  });

  test("none of the versions of a large zone sees the changes of another", () => {
    const hosts = Array.from({ length: 3000 }, (_, i) => record(`host${i}.example.`, 60, "A", "192.0.2.1"));
    const versions = [build(1, ...hosts)];
    for (let serial = 2; serial < 200; serial++) {
      const last = versions.at(-1) ?? build(0);
      const gone = hosts[serial * 7];
      versions.push(
        last.apply({
          oldSoa: last.soaRecord,
          newSoa: soa(serial),
          removed: gone === undefined ? [] : [gone],
          added: [record(`new${serial}.example.`, 60, "A", "192.0.2.1")],
        }),
      );
    }
    for (const zone of versions) {
      expect(zone.nodes.size).toBe(3001);
      expect([...zone.nodes.values()]).toHaveLength(3001);
      expect(zone.nodes.has(Name.parse(`new${zone.serial}.example.`).key)).toBe(zone.serial > 1);
      expect(zone.nodes.has(Name.parse(`new${zone.serial + 1}.example.`).key)).toBe(false);
    }
  });

  test("a large zone is the same whatever the order of its records, and in another thread", () => {
    const hosts = Array.from({ length: 500 }, (_, i) => [
      record(`host${i}.a${i % 7}.example.`, 60, "A", "192.0.2.1"),
      record(`HOST${i}.a${i % 7}.example.`, 60, "A", "192.0.2.2"),
      record(`host${i}.a${i % 7}.example.`, 60, "A", "192.0.2.1"),
      record(`sub${i}.example.`, 60, "NS", "ns.test."),
    ]).flat();
    // Names come again long after they were packed, parents after their children.
    const scattered = [0, 1, 2, 3].flatMap((part) => hosts.filter((_, i) => i % 4 === part).reverse());
    const [one, other] = [build(1, ...hosts), build(1, ...scattered)];
    expect(one.nodes.size).toBe(1 + 7 + 500 + 500);
    expect(isEmpty(difference(one, other))).toBe(true);
    const elsewhere = Zone.fromShared(ORIGIN, structuredClone(other.shared));
    for (const zone of [other, elsewhere]) {
      expect(texts(zone).map((text) => text.toLowerCase())).toEqual(texts(one).map((text) => text.toLowerCase()));
      expect([...zone.occluders].sort()).toEqual([...one.occluders].sort());
      for (const node of one.nodes.values()) expect(zone.nodes.get(node.name.key)?.children).toBe(node.children);
    }
  });

  test("what contradicts itself is found however far apart it stands", () => {
    const between = Array.from({ length: 300 }, (_, i) => record(`host${i}.example.`, 60, "A", "192.0.2.1"));
    const [first, last] = [record("x.example.", 60, "CNAME", "y."), record("X.example.", 60, "TXT", "z")];
    expect(() => build(1, first, ...between, last)).toThrow("x.example. has a CNAME and other records");
  });

  test("thousands of changes to a zone, one by one and at once, end in the same zone", () => {
    const hosts = Array.from({ length: 2500 }, (_, i) => record(`host${i}.example.`, 60, "A", "192.0.2.1"));
    const more = Array.from({ length: 1500 }, (_, i) => record(`new${i}.sub.example.`, 60, "A", "192.0.2.9"));
    let zone = build(1, ...hosts);
    const wanted = build(2, ...hosts.slice(1500), ...more);
    const atOnce = zone.apply(difference(zone, wanted));
    for (const [i, added] of more.entries()) {
      const gone = hosts[i];
      const removed = gone === undefined ? [] : [gone];
      zone = zone.apply({ oldSoa: zone.soaRecord, newSoa: soa(i + 2), removed, added: [added] });
    }
    for (const changed of [atOnce, zone]) {
      expect(changed.nodes.size).toBe(wanted.nodes.size);
      expect(isEmpty(difference(changed, wanted))).toBe(true);
      expect(isEmpty(difference(wanted, changed))).toBe(true);
    }
  });

  test("records survive the way to another thread", () => {
    fc.assert(
      fc.property(anyRecords, (records) => {
        expect([...decodeRecords(encodeRecords(records))].map(recordText)).toEqual(records.map(recordText));
      }),
    );
  });
});

describe("the store", () => {
  const a = record("a.example.", 60, "A", "192.0.2.1");
  const b = record("b.example.", 60, "A", "192.0.2.1");

  test("finds the zone with the longest origin", () => {
    const store = new ZoneStore();
    store.replace(build(1));
    const sub = Zone.build(Name.parse("sub.example."), [
      { ...soa(1), name: Name.parse("sub.example.") },
      { ...NS, name: Name.parse("sub.example.") },
    ]);
    store.replace(sub);
    expect(store.find(Name.parse("x.SUB.example.").key)).toBe(sub);
    expect(store.find(Name.parse("x.example.").key)?.origin).toBe(ORIGIN);
    expect(store.find(Name.parse("test.").key)).toBeUndefined();
    store.remove(sub.origin);
    expect(store.find(Name.parse("x.sub.example.").key)?.origin).toBe(ORIGIN);
  });

  test("keeps the way from each serial to the newest", () => {
    const store = new ZoneStore();
    for (const zone of [build(1), build(2, a), build(5, a, b)]) store.replace(zone);
    const journal = store.journal(ORIGIN);
    expect(journal?.since(1)).toHaveLength(2);
    expect(journal?.since(2)?.map(({ added }) => added.map(recordText))).toEqual([[recordText(b)]]);
    expect(journal?.since(5)).toBeUndefined();
    expect(journal?.since(3)).toBeUndefined();
  });

  test("forgets old changes when there are too many, and all when the serial goes back", () => {
    const store = new ZoneStore({ journalRecords: 7 });
    for (const zone of [build(1), build(2, a), build(3, a, b), build(4, b)]) store.replace(zone);
    expect(store.journal(ORIGIN)?.since(1)).toBeUndefined();
    expect(store.journal(ORIGIN)?.since(2)).toHaveLength(2);
    store.replace(build(1));
    expect(store.journal(ORIGIN)?.since(2)).toBeUndefined();
  });

  test("refuses a difference whose serial is not newer, and tells listeners of all others", () => {
    const store = new ZoneStore();
    store.replace(build(2));
    const seen: string[] = [];
    const end = store.subscribe((change) =>
      seen.push(change.kind === "zone" ? `${change.zone.serial} ${change.difference?.added.length}` : "gone"),
    );
    expect(() => store.apply(ORIGIN, difference(build(2), build(2, a)))).toThrow("serial 2 is not newer than 2");
    store.apply(ORIGIN, difference(build(2), build(3, a)));
    store.remove(ORIGIN);
    end();
    store.replace(build(9));
    expect(seen).toEqual(["3 1", "gone"]);
    expect(() => new ZoneStore().apply(ORIGIN, difference(build(1), build(2)))).toThrow("not served here");
  });
});

describe("a zone that outlives its process", () => {
  const host = (n: number): ResourceRecord => record(`h${n}.example.`, 60, "A", `192.0.2.${n}`);
  const grown = (): ZoneStore => {
    const store = new ZoneStore();
    for (const serial of [1, 2, 3]) store.replace(build(serial, ...[1, 2, 3].slice(0, serial).map(host)));
    return store;
  };
  const packed = (store: ZoneStore): Uint8Array => {
    const zone = store.get(ORIGIN);
    if (zone === undefined) throw new TypeError("the zone is there");
    return packZone({ zone, changes: store.journal(ORIGIN)?.differences ?? [] });
  };

  test("has the records and the journal it had", () => {
    const { zone, changes } = unpackZone(packed(grown()));
    const store = new ZoneStore();
    store.restore(zone, changes);
    expect(texts(store.get(ORIGIN) ?? build(0))).toEqual(texts(grown().get(ORIGIN) ?? build(0)));
    const steps = store.journal(ORIGIN)?.since(1);
    expect(steps?.map(({ added, removed }) => [added.map(recordText), removed.length])).toEqual([
      [[recordText(host(2))], 0],
      [[recordText(host(3))], 0],
    ]);
    store.replace(build(4, host(1)));
    expect(store.journal(ORIGIN)?.since(1)).toHaveLength(3);
  });

  test("changes that do not lead to it are left out", () => {
    const { zone, changes } = unpackZone(packed(grown()));
    const store = new ZoneStore();
    store.restore(zone, changes.slice(0, 1));
    expect(store.journal(ORIGIN)?.differences).toEqual([]);
    store.restore(zone, changes.toReversed());
    expect(store.journal(ORIGIN)?.since(1)).toBeUndefined();
  });

  test("of nothing there is no zone", () => {
    expect(() => unpackZone(new Uint8Array())).toThrow("it has no SOA record");
  });
});
