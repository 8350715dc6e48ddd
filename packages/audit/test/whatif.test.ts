import { describe, expect, it } from "vitest";
import { UnknownComponentError, lose, whatIf } from "@trivet/audit";
import { componentsOf } from "../src/components.ts";
import { Model } from "../src/outcome.ts";
import { example, sound } from "./support.ts";

const statusOf = (outcome: ReturnType<typeof lose>, name: string) =>
  outcome.outcome.services.find((service) => service.name === name)?.status;

describe("the seeds' cluster, what if", () => {
  const hive = example("hive");

  it("nothing fails: everything is up", () => {
    const { outcome } = lose(hive, []);
    expect(outcome.services.filter(({ status }) => status !== "up")).toEqual([]);
    expect(outcome).toMatchObject({ moved: [], stopped: [], shortage: { memory: 0, cores: 0 } });
  });

  it.each(["langara", "abydos", "orilla"])(
    "%s fails: every service goes on, what is bound to it stops, the rest moves",
    (name) => {
      const { down, outcome } = lose(hive, [name]);
      expect(down).toEqual([]);
      expect(outcome.stopped.every(({ reason }) => reason === `it belongs to ${name}`)).toBe(true);
      expect(outcome.moved.length).toBeGreaterThan(0);
    },
  );

  it("the switch fails: inside goes on, the way in and out is gone", () => {
    const result = lose(hive, ["sw01"]);
    expect(result.down).toContain("internet");
    for (const name of ["LXD", "OVN", "Ceph monitors", "storage ssd", "storage hdd", "storage shared"])
      expect(statusOf(result, name)).toBe("up");
    expect(result.outcome.stopped).toEqual([]);
  });

  it("one power feed, or one power supply of each server, fails: nothing happens", () => {
    expect(lose(hive, ["feed-a"]).down).toEqual([]);
    expect(lose(hive, ["feed-a"]).degraded).toEqual([]);
    expect(lose(hive, ["langara/psu1", "abydos/psu2", "orilla/psu1"]).degraded).toEqual([]);
  });

  it("both feeds fail: nothing is left", () => {
    expect(lose(hive, ["feed-a", "feed-b"]).outcome.services.every(({ status }) => status === "down")).toBe(true);
  });

  it("a disk fails: its class has a replica less, the other class none", () => {
    const result = lose(hive, ["orilla/hdd4"]);
    expect([statusOf(result, "storage hdd"), statusOf(result, "storage ssd")]).toEqual(["degraded", "up"]);
  });

  it("disks of two servers fail: below min_size, writes stop", () => {
    expect(statusOf(lose(hive, ["orilla/hdd4", "abydos/hdd6"]), "storage hdd")).toBe("down");
    expect(statusOf(lose(hive, ["orilla/hdd4", "orilla/hdd6"]), "storage hdd")).toBe("degraded");
  });

  it("two servers fail: no quorum", () => {
    expect(lose(hive, ["langara", "orilla"]).down).toEqual(expect.arrayContaining(["LXD", "OVN", "Ceph monitors"]));
  });

  it("a bond goes on with one port, and not with none", () => {
    expect(lose(hive, ["langara/ens1f0"]).degraded).toEqual([]);
    expect(lose(hive, ["langara/ens1f0", "langara/bond-sw01#2"]).degraded).toContain("gateway");
    expect(lose(hive, ["langara/i350-t2"]).degraded).toContain("gateway");
  });

  it("one mesh link fails: two servers cannot replicate to each other, the quorums hold over the third", () => {
    const result = lose(hive, ["langara/x540-left"]);
    expect(result.down).toEqual([]);
    expect([statusOf(result, "storage ssd"), statusOf(result, "LXD")]).toEqual(["degraded", "up"]);
  });

  it("one of three anycast instances fails: the service goes on", () => {
    const result = lose(hive, ["dns/ns01"]);
    expect(statusOf(result, "name servers")).toBe("degraded");
    expect(statusOf(lose(hive, ["dns/ns01", "dns/ns02", "dns/ns03"]), "name servers")).toBe("down");
  });

  it("a name that is none is said, with what was meant", () => {
    expect(() => lose(hive, ["sw02"])).toThrow(UnknownComponentError);
    expect(() => lose(hive, ["ens1f0"])).toThrow("did you mean langara/ens1f0");
  });
});

it("parts that matter only by what they leave up: a look at each alone finds the same as the shared one", () => {
  const cluster = sound(["trunk: {ports", "trunk: {miiMonitor: 0, ports"]);
  const parts = componentsOf(cluster).filter(({ kind }) => ["psu", "card", "port", "cable"].includes(kind));
  const shared = new Model(cluster);
  for (const [index, { name }] of parts.entries())
    for (const lost of [[name], [name, parts[(index * 7) % parts.length]?.name ?? ""]])
      expect(shared.afterParts(new Set(lost)), lost.join(" ")).toEqual(new Model(cluster).after(new Set(lost)));
});

describe("ranking", () => {
  const all = whatIf(example("hive"));

  it("names the single points of failure, the switch first, and what would remove each", () => {
    expect(all.singlePoints.map(({ lost }) => lost[0]?.name)).toEqual(["sw01", "drop"]);
    expect(all.singlePoints[0]?.remedy).toContain("MLAG");
    expect(all.singles[0]?.lost[0]?.name).toBe("sw01");
  });

  it("names pairs that do together what neither does alone", () => {
    const names = all.pairs.map(({ lost }) => lost.map(({ name }) => name).join(" "));
    expect(names[0]).toBe("feed-a feed-b");
    expect(names).toContain("langara abydos");
    expect(names).toContain("core1 core2");
    expect(names.some((pair) => pair.includes("sw01"))).toBe(false);
  });

  it("finds no single point of failure in a sound cluster", () => {
    expect(whatIf(sound()).singlePoints.map(({ lost, down }) => [lost[0]?.name, down])).toEqual([]);
  });
});

describe("room for what must move", () => {
  it("what fits nowhere stops, and the shortage is named", () => {
    const { outcome } = lose(
      sound(
        ["memory: 4GiB", "memory: 50GiB"],
        ["s1: {model: box}", "s1: {model: box, memory: 60GiB}"],
        ["s3: {model: box}", "s3: {model: box, memory: 20GiB}"],
      ),
      ["s1"],
    );
    expect(outcome.stopped).toMatchObject([{ reason: "no server has the memory" }]);
    expect(outcome.shortage.memory).toBe(50 * 2 ** 30);
  });
});
