import { describe, expect, test } from "vitest";
import { Expectation, differences } from "../../src/demo/expectation.ts";
import { NS1, referenceScene } from "../../src/sim/index.ts";

const GIT = { project: "web", name: "git" } as const;
const GIT_ROUTES = ["203.0.113.5/32", "2001:db8:0:f::5/128"];

describe("what the routers should have", () => {
  test("every server announces every subnet and forward, by the network's own router", () => {
    const expectation = new Expectation(referenceScene());
    for (const server of ["langara", "abydos", "orilla"]) {
      const routes = expectation.routes(server);
      expect([...routes.keys()].filter((prefix) => prefix.startsWith("2001:db8:0:10"))).toHaveLength(12);
      expect(routes.get("2001:db8:0:1005::/64")).toBe("2001:db8:0:100::104");
      expect(routes.get("203.0.113.24/32")).toBe("198.51.100.103");
    }
  });

  test("an instance's routes come from its server, while it runs, by its network's router", () => {
    const expectation = new Expectation(referenceScene());
    const [prefix = ""] = GIT_ROUTES;
    expect(expectation.announcers(prefix)).toEqual(["abydos"]);
    expect(expectation.routes("abydos").get(prefix)).toBe("198.51.100.104");
    expectation.change(GIT, { server: "orilla" });
    expect(expectation.announcers(prefix)).toEqual(["orilla"]);
    expectation.change(GIT, { running: false });
    expect(expectation.announcers(prefix)).toEqual([]);
    expect(expectation.announcers("203.0.113.12/32")).toEqual([]); // try04 is stopped
  });

  test("anycast has three, a dead server none", () => {
    const expectation = new Expectation(referenceScene());
    expect(expectation.announcers(NS1[0])).toEqual(["langara", "abydos", "orilla"]);
    expectation.setDead("orilla", true);
    expect(expectation.announcers(NS1[0])).toEqual(["langara", "abydos"]);
    expect(expectation.routes("orilla").size).toBe(0);
  });

  test("differences are missing, surplus and misled routes", () => {
    const expected = new Map([
      ["192.0.2.0/24", "198.51.100.1"],
      ["203.0.113.0/24", "198.51.100.1"],
    ]);
    expect(differences(expected, expected)).toEqual([]);
    expect(
      differences(
        expected,
        new Map([
          ["192.0.2.0/24", "198.51.100.2"],
          ["10.0.0.0/8", "198.51.100.1"],
        ]),
      ),
    ).toEqual([
      "192.0.2.0/24 leads to 198.51.100.2 instead of 198.51.100.1",
      "203.0.113.0/24 is missing",
      "10.0.0.0/8 is too much",
    ]);
  });
});
